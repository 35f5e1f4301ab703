"""Does the embedding still hear which piece it is? Then neighbours of other styles share the piece.

The *content leak* is the share of excerpts whose nearest neighbour with another style is the same piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from styletransfer.evaluation.statistics import Estimate

from .intervals import Floats, Ints, mean_by_piece
from .retrieval import distances, prepared


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """The leak with its interval, and what an embedding that knows nothing of pieces would show.

    leaks   (excerpts,) 1 where an excerpt of `pieces` (excerpts,) leaks, else 0.
    """

    leak: Estimate
    chance: float
    leaks: Floats
    pieces: Ints

    def lead_over(self, other: Leak) -> Estimate:
        """How far the leak is below another system's on the same excerpts; pieces drawn again."""
        return mean_by_piece(other.leaks - self.leaks, self.pieces)


def content_leak(vectors: Floats, styles: Ints, pieces: Ints, scaled: bool = False) -> Leak:
    """The leak of embeddings (n, D) of excerpts with known style and piece (n,) each.

    ValueError where an excerpt has no neighbour of another style.
    """
    ready = prepared(vectors, scaled)
    other = styles[:, None] != styles
    if not other.any(1).all():
        raise ValueError("all excerpts share one style: there is no neighbour of another")
    apart = np.where(other, distances(ready, ready), np.inf)
    same = pieces[:, None] == pieces
    chance = (other & same).sum(1) / other.sum(1)
    leaks = same[np.arange(len(ready)), apart.argmin(1)].astype(np.float64)
    return Leak(mean_by_piece(leaks, pieces), float(chance.mean()), leaks, pieces)
