"""What does a straight line read out of the embedding? Effect parameters, and the name of a style.

Ridge regression and logistic regression on standardized embeddings; whoever is asked about a piece has
not been fitted to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from styletransfer.evaluation.statistics import Estimate

from .intervals import Floats, Ints, mean_by_piece, ratio_by_piece

_FOLDS = 5
_PENALTIES = np.logspace(-1, 7, 17)
_LEAST = 40  # excerpts, below which no line is fitted


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """R² of one parameter, 1 perfect, 0 no better than its mean.

    left, spread   (excerpts,) squared errors of the line, and of the mean, on the excerpts of `pieces`
                   (excerpts,).
    """

    r2: Estimate
    left: Floats
    spread: Floats
    pieces: Ints

    @property
    def excerpts(self) -> int:
        """So many have the parameter."""
        return len(self.left)

    def lead_over(self, other: Probe) -> Estimate:
        """How far R² is above another system's on the same excerpts; the interval draws pieces again."""
        return ratio_by_piece(other.left - self.left, self.spread, self.pieces)


def linear_r2(vectors: Floats, values: Floats, pieces: Ints) -> list[Probe | None]:
    """How well a line reads parameters (n, m) off embeddings (n, D), held out by piece.

    values  on scales on which equal steps sound alike.
    The penalty of each line is chosen on the pieces that it is fitted to, held out by piece again. None for
    a parameter that never changes, and for all where excerpts or pieces are too few.
    """
    folds = min(_FOLDS, len(np.unique(pieces)))
    if len(values) < _LEAST or folds < 3:
        return [None] * values.shape[1]
    left, spread = np.zeros_like(values), np.zeros_like(values)
    for seen, asked in GroupKFold(folds).split(vectors, groups=pieces):
        inside = np.zeros((len(_PENALTIES), values.shape[1]))
        for fitted, held in GroupKFold(folds - 1).split(vectors[seen], groups=pieces[seen]):
            guesses = _ridge(vectors[seen][fitted], values[seen][fitted], vectors[seen][held])
            inside += np.square(guesses - values[seen][held]).sum(1)
        chosen = inside.argmin(0)
        guesses = _ridge(vectors[seen], values[seen], vectors[asked])
        best = guesses[chosen, :, np.arange(values.shape[1])].T
        left[asked] = np.square(values[asked] - best)
        spread[asked] = np.square(values[asked] - values[seen].mean(0))
    return [
        _probe(left[:, column], spread[:, column], pieces) if values[:, column].std() > 1e-9 else None
        for column in range(values.shape[1])
    ]


def _ridge(vectors: Floats, values: Floats, asked: Floats) -> Floats:
    """What ridge lines of every penalty guess: (penalties, asked, m). Standardized, by one decomposition."""
    centre, scale = vectors.mean(0), vectors.std(0)
    scale = np.where(scale > 1e-9, scale, np.inf)  # a dimension that never changes says nothing
    left, sizes, right = np.linalg.svd((vectors - centre) / scale, full_matrices=False)
    along = left.T @ (values - values.mean(0))
    shrunk = sizes / (np.square(sizes) + _PENALTIES[:, None])  # (penalties, rank)
    heard = (asked - centre) / scale @ right.T
    return np.asarray(values.mean(0) + np.einsum("ar,pr,rm->pam", heard, shrunk, along, optimize=True))


def _probe(left: Floats, spread: Floats, pieces: Ints) -> Probe:
    lost = ratio_by_piece(left, spread, pieces)
    return Probe(Estimate(1 - lost.value, 1 - lost.high, 1 - lost.low), left, spread, pieces)


def naming_accuracy(
    vectors: Floats, styles: Ints, pieces: Ints, examples: Sequence[int], seed: int = 0, repeats: int = 10
) -> dict[int, Estimate]:
    """Share of excerpts whose named style is told right from so many `examples` of each style.

    vectors  (n, D); `styles` and `pieces` (n,). Examples are drawn `repeats` times from one half of the
    pieces, the other half is asked. A number of examples that a half doesn't have is left out.
    """
    generator = np.random.default_rng(seed)
    names = np.unique(pieces)
    right: dict[int, list[Floats]] = {count: [] for count in examples}
    asked: dict[int, list[Ints]] = {count: [] for count in examples}
    for _ in range(repeats):
        half = generator.permutation(names)[: len(names) // 2]
        seen = np.isin(pieces, half)
        for count in examples:
            pools = [np.flatnonzero(seen & (styles == style)) for style in np.unique(styles)]
            if min(map(len, pools)) < count:
                continue
            drawn = np.concatenate([generator.choice(pool, count, replace=False) for pool in pools])
            line = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
            line.fit(vectors[drawn], styles[drawn])
            right[count].append((line.predict(vectors[~seen]) == styles[~seen]).astype(np.float64))
            asked[count].append(pieces[~seen])
    return {
        count: mean_by_piece(np.concatenate(right[count]), np.concatenate(asked[count]))
        for count in examples
        if right[count]
    }
