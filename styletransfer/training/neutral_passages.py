"""Where do the pairs come from? Neutral passages of a split's pieces, made by the crew, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from styletransfer.corpus.folder import Corpus, CorpusSong
from styletransfer.errors import AudioError
from styletransfer.tasks import Neutral, gather
from styletransfer.tasks.neutral import FEWEST_STEMS, PASSAGE_S

from .crew import Crew

_SEED = 50_000


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to make the passage of one piece."""

    songs: tuple[CorpusSong, ...]
    folder: Path


def make(order: Order) -> list[Neutral]:
    """The passage of one piece; none where too little plays in the song that was drawn."""
    return gather(order.songs, order.folder, per_piece=1, seed=_SEED)


def passages(
    corpus: Path,
    split: str,
    count: int,
    folder: Path,
    crew: Crew,
    progress: Callable[[float], None],
    pool: str = "songs",
) -> tuple[list[Neutral], list[CorpusSong]]:
    """At most so many neutral passages of different pieces, always the same, and the songs they are of.

    pool   "songs", or "wet": finished music, whose stems a separator made.
    AudioError where the split has no two pieces with two stems.
    """
    pieces: dict[str, list[CorpusSong]] = {}
    for song in Corpus(corpus).songs(split, pool):
        if len(song.stems) >= FEWEST_STEMS and song.duration_s >= PASSAGE_S:
            pieces.setdefault(song.piece, []).append(song)
    if len(pieces) < 2:
        raise AudioError(f"the corpus {corpus} has no two pieces of 10 s with two stems for {split}")
    names = sorted(pieces)
    mixed = torch.randperm(len(names), generator=torch.Generator().manual_seed(_SEED)).tolist()
    chosen = [names[index] for index in mixed[:count]]
    wanted = [Order(tuple(pieces[name]), folder) for name in chosen]
    found: list[Neutral] = []
    for done, part in enumerate(crew.map(make, wanted, ahead=8), 1):
        found += part
        progress(done / len(wanted))
    used = {one.song for one in found}
    return found, [song for name in chosen for song in pieces[name] if song.id in used]
