"""Half of a corpus, for an encoder that judges what another one helped to train."""

from __future__ import annotations

import contextlib
from pathlib import Path

from styletransfer.corpus.folder import POOLS, Corpus
from styletransfer.corpus.split import piece_mark
from styletransfer.files import make_folder


def half_of(corpus: Path, folder: Path) -> Path:
    """A corpus in `folder`, of links to the songs of one: all that it has but half of the training pieces.

    Which half is fixed by a hash of the piece. What is there already stays. AudioError where the folder can't
    be made.
    """
    make_folder(folder)
    for pool in POOLS:
        make_folder(folder / pool)
        for song in Corpus(corpus).songs(pool=pool):
            if song.split != "train" or int(piece_mark(song.piece), 16) % 2 == 0:
                with contextlib.suppress(FileExistsError):  # an earlier call's, or another process's
                    (folder / pool / song.path.name).symlink_to(song.path.resolve(), target_is_directory=True)
    return folder
