"""What does a straight line read out of the embedding? Effect parameters, and the name of a style.

Ridge regression and logistic regression on standardized embeddings; whoever is asked about a piece has
not been fitted to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from styletransfer.evaluation.statistics import Estimate

from .intervals import Floats, Ints, mean_by_piece, ratio_by_piece

_FOLDS = 5
_PENALTIES = np.logspace(-1, 5, 13)
_LEAST = 40  # excerpts, below which no line is fitted


@dataclass(frozen=True, slots=True)
class Probe:
    """R² of one parameter, 1 perfect, 0 no better than its mean; `excerpts` that have it."""

    r2: Estimate
    excerpts: int


def linear_r2(vectors: Floats, values: Floats, pieces: Ints) -> Probe | None:
    """How well a line reads a parameter off embeddings (n, D), held out by piece.

    values  (n,) the parameter on the scale on which equal steps sound alike; NaN where the excerpt lacks it.
    None where too few excerpts or pieces have it, or it never changes.
    """
    known = ~np.isnan(values)
    vectors, values, pieces = vectors[known], values[known], pieces[known]
    folds = min(_FOLDS, len(np.unique(pieces)))
    if len(values) < _LEAST or folds < 2 or values.std() < 1e-9:
        return None
    left, spread = np.zeros(len(values)), np.zeros(len(values))
    for seen, asked in GroupKFold(folds).split(vectors, groups=pieces):
        line = make_pipeline(StandardScaler(), RidgeCV(_PENALTIES))
        line.fit(vectors[seen], values[seen])
        left[asked] = np.square(values[asked] - line.predict(vectors[asked]))
        spread[asked] = np.square(values[asked] - values[seen].mean())
    lost = ratio_by_piece(left, spread, pieces)
    return Probe(Estimate(1 - lost.value, 1 - lost.high, 1 - lost.low), len(values))


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
