"""What the header of trained weights says of where they come from, whatever was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from styletransfer.corpus.folder import Corpus, CorpusSong
from styletransfer.corpus.split import marks


def learned_from(corpus: Path, songs: Sequence[CorpusSong], start: str | Path | None) -> dict[str, Any]:
    """Hours, number of pieces, and a hash of each piece trained and validated on; the weights started from.

    songs   those of the corpus that served.
    """
    return {
        "start": None if start is None else Path(start).name,
        "corpus_hours": round(sum(song.duration_s for song in songs) / 3600, 2),
        "corpus_pieces": len({song.piece for song in songs}),
        "trained_on": marks(songs),
        "validated_on": marks(Corpus(corpus).songs("validation")),
    }
