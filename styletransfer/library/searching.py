"""Which kept styles are nearest to one: by their embeddings, of the mix or of one stem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from styletransfer.errors import ConfigError, UsageError

from . import neighbours
from .database import Entry, Library
from .neighbours import Neighbours
from .saved import MIX, PARTS, SavedStyle
from .words import sentence

MANY_ROWS = 100_000
"""Above so many, a graph of neighbours is asked first, where the extra `ann` is installed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A kept style that is near: its distance, 1 − cosine, from 0 to 2, and what differs in words."""

    entry: Entry
    distance: float
    words: str


def search(
    library: Library,
    query: SavedStyle,
    part: str = MIX,
    most: int = 10,
    progress: Callable[[float], None] = lambda fraction: None,
) -> list[Found]:
    """The nearest kept styles, nearest first; the queried one itself, where it is kept, is left out.

    part   "mix" or a stem.
    UsageError for an empty library, or a stem that the query lacks; ConfigError where all that is kept was
    heard by another encoder.
    """
    if part not in PARTS:
        raise UsageError(f"there is no stem {part!r}; there are {', '.join(PARTS)}")
    style = query.part(part)[0]
    if style.silent:
        raise UsageError(f"{query.title} has no {part} to search by; choose another stem, or the mix")
    encoder = query.song.encoder
    rows = library.count(part, encoder, most=MANY_ROWS + 1)
    if rows == 0:
        _explain_nothing(library, part, encoder)
    vector = style.embedding.numpy().astype(np.float32)
    if rows > MANY_ROWS and neighbours.available():
        graph = Neighbours(library, part, encoder, progress)
        near = nearest_by_graph(library, graph, part, encoder, vector, most + 1)
    else:
        near = nearest(library, part, encoder, vector, most + 1)
    entries = {entry.number: entry for entry in library.entries_of([number for number, _ in near])}
    found = []
    for number, distance in near:
        if number in entries and (kept := library.get(number)).key != query.key:
            found.append(Found(entries[number], distance, sentence(kept.differs_from(query, part))))
    return found[:most]


def nearest(
    library: Library, part: str, encoder: str, vector: NDArray[np.float32], most: int, after: int = 0
) -> list[tuple[int, float]]:
    """(style, distance) of the nearest rows, nearest first, all compared; `after` skips ids up to it."""
    ids = np.zeros(0, dtype=np.int64)
    scores = np.zeros(0, dtype=np.float32)
    for some, vectors in library.vectors(part, encoder, after):
        found = vectors.astype(np.float32) @ vector
        ids, scores = _best(np.concatenate([ids, some]), np.concatenate([scores, found]), most)
    return list(zip(library.styles_of(ids), (1 - scores).tolist(), strict=True))


def nearest_by_graph(
    library: Library, graph: Neighbours, part: str, encoder: str, vector: NDArray[np.float32], most: int
) -> list[tuple[int, float]]:
    """The same of rows that a graph proposes, and of those that were added since it was built."""
    ids, vectors = library.vectors_of(graph.propose(vector, most))
    ids, scores = _best(ids, vectors.astype(np.float32) @ vector, most)
    near = list(zip(library.styles_of(ids), (1 - scores).tolist(), strict=True))
    near += nearest(library, part, encoder, vector, most, after=graph.last)
    return sorted(near, key=lambda one: one[1])[:most]


def _best(
    ids: NDArray[np.int64], scores: NDArray[np.float32], most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The `most` highest scores, highest first."""
    order = np.argsort(-scores, kind="stable")[:most]
    return ids[order], scores[order]


def _explain_nothing(library: Library, part: str, encoder: str) -> None:
    library.check_filled()
    heard_by = library.encoders()
    if encoder not in heard_by:
        raise ConfigError(
            f"the styles in {library.path} were heard by encoder {', '.join(sorted(heard_by))}, and this is "
            f"{encoder}; add their songs again"
        )
    raise UsageError(f"no style in {library.path} has {part}; search by another stem, or by the mix")
