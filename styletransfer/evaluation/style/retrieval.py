"""Does an excerpt find the other excerpt that went through the same effects, among many of other styles?

After Fx-Encoder++ and StemFX. N styles, each applied to exactly two excerpts of different held-out
pieces: one is the query, the other lies in a gallery of N items, which so holds exactly one item of the
query's style, and at least `OWN_PIECE` of the query's own piece under other styles.

Five draws: every style is rendered once on a few pieces (its *slots*), and each draw chooses two of them
anew, so that draws share renderings and differ in who is asked, who answers and who distracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from styletransfer.evaluation.statistics import Estimate

from .intervals import Floats, Ints, mean_by_piece

OWN_PIECE = 5
"""So many items of the query's own piece, at least, lie in the gallery under other styles."""

FIGURES = ("recall_1", "recall_5", "mean_rank", "map_10")
_ATTEMPTS = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Per style (N,): the slot of its query, and that of its item in the gallery."""

    query: Ints
    item: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one system answered: the rank of the right item per query, and the query's piece, draws pooled."""

    ranks: Ints
    pieces: Ints

    def values(self, figure: str) -> Floats:
        """Per query what a figure of FIGURES averages."""
        if figure == "mean_rank":
            return self.ranks.astype(np.float64)
        if figure == "map_10":  # one item is right: its average precision is 1 over its rank
            return np.where(self.ranks <= 10, 1 / self.ranks, 0.0)
        return (self.ranks <= int(figure.removeprefix("recall_"))).astype(np.float64)

    def estimate(self, figure: str) -> Estimate:
        """A figure of FIGURES with its 95 % interval, pieces drawn again."""
        return mean_by_piece(self.values(figure), self.pieces)

    def lead_over(self, other: Answers, figure: str = "recall_1") -> Estimate:
        """The paired difference to another system's answers to the same queries."""
        if not np.array_equal(self.pieces, other.pieces):
            raise ValueError("the systems were not asked the same queries")
        return mean_by_piece(self.values(figure) - other.values(figure), self.pieces)


def most_pieces(styles: int) -> int:
    """So many pieces can share a gallery of that many styles without any becoming rare in it."""
    return max(2, styles // 8)


def assign(styles: int, slots: int, pieces: int, seed: int) -> Ints:
    """Which piece (styles, slots) each style is rendered on: distinct within a style, evenly often overall.

    ValueError with fewer pieces than slots.
    """
    if pieces < slots:
        raise ValueError(f"{slots} different pieces per style can't be chosen from {pieces}")
    generator = np.random.default_rng(seed)
    chosen = np.zeros((styles, slots), dtype=np.int64)
    often = np.zeros(pieces)
    for style in range(styles):
        chosen[style] = np.argsort(often + generator.uniform(0, 0.9, pieces))[:slots]
        often[chosen[style]] += 1
        generator.shuffle(chosen[style])
    return chosen


def draws(pieces: Ints, count: int, seed: int) -> list[Draw]:
    """Choose query and item of each style `count` times, given the pieces (styles, slots) it was rendered on.

    ValueError where the gallery can't hold OWN_PIECE items of every piece that asks.
    """
    generator = np.random.default_rng(seed)
    return [_draw(pieces, generator) for _ in range(count)]


def _draw(pieces: Ints, generator: np.random.Generator) -> Draw:
    styles = np.arange(len(pieces))
    for _ in range(_ATTEMPTS):
        order = np.argsort(generator.random(pieces.shape), 1)
        query, item = order[:, 0], order[:, 1]
        often = np.bincount(pieces[styles, item], minlength=int(pieces.max()) + 1)
        # the query's own item is of another piece, so all of these are distractors
        if often[pieces[styles, query]].min() >= OWN_PIECE:
            return Draw(query, item)
    raise ValueError(
        f"{len(pieces)} styles are too few to have {OWN_PIECE} distractors of each of "
        f"{len(np.unique(pieces))} pieces"
    )


def answer(vectors: Floats, pieces: Ints, chosen: Sequence[Draw], scaled: bool = False) -> Answers:
    """Ask every query of every draw.

    vectors  (styles, slots, D) embeddings, ordered as `pieces` (styles, slots).
    scaled   compare by Euclidean distance after scaling each dimension to unit deviation (what suits raw
             statistics), instead of by cosine.
    An item exactly as close as the right one ranks before it, so that a constant embedding finds nothing.
    """
    ready = prepared(vectors, scaled)
    styles = np.arange(len(pieces))
    ranks, asked = [], []
    for draw in chosen:
        closeness = -distances(ready[styles, draw.query], ready[styles, draw.item])
        right = np.diagonal(closeness)[:, None]
        ranks.append((closeness >= right).sum(1))  # counts itself: the best rank is 1
        asked.append(pieces[styles, draw.query])
    return Answers(np.concatenate(ranks), np.concatenate(asked))


def prepared(vectors: Floats, scaled: bool) -> Floats:
    """Vectors (..., D) that Euclidean distance may compare: scaled per dimension, or of unit length."""
    flat = np.asarray(vectors, dtype=np.float64)
    if scaled:
        deviation = flat.reshape(-1, flat.shape[-1]).std(0)
        return np.asarray(flat / np.where(deviation > 1e-12, deviation, 1.0))
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-12))


def distances(queries: Floats, items: Floats) -> Floats:
    """Squared Euclidean distances (queries, items) of (n, D) and (m, D)."""
    squares = np.square(queries).sum(1)[:, None] + np.square(items).sum(1) - 2 * queries @ items.T
    return np.asarray(squares.round(12))  # equal vectors tie despite rounding
