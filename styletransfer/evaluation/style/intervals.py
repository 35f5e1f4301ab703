"""How sure is a share or a mean, when the pieces at hand could have been others?

Queries of one piece succeed and fail together, so pieces are what is drawn again, not queries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from styletransfer.evaluation.statistics import Estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 2000


def mean_by_piece(values: Floats, pieces: Ints, seed: int = 0) -> Estimate:
    """The mean of `values` (n,) with a 95 % interval from drawing the pieces (n,) that they belong to again.

    NaNs are left out; NaN throughout where nothing is left.
    """
    known = ~np.isnan(values)
    if not known.any():
        return Estimate(float("nan"), float("nan"), float("nan"))
    return _estimate(values[known], np.ones(int(known.sum())), pieces[known], seed)


def ratio_by_piece(above: Floats, below: Floats, pieces: Ints, seed: int = 0) -> Estimate:
    """Σ above / Σ below (n,) each, with the interval from drawing pieces again."""
    return _estimate(above, below, pieces, seed)


def jackknife(value: float, left_out: Floats) -> Estimate:
    """A figure with the interval that its values with one piece left out (pieces,) suggest.

    Source   Tukey's jackknife standard error, ± 1.96 of it; for figures that duplicates would distort.
    """
    count = len(left_out)
    if count < 2:
        return Estimate(value, float("nan"), float("nan"))
    error = np.sqrt((count - 1) / count * np.square(left_out - left_out.mean()).sum())
    return Estimate(value, float(value - 1.96 * error), float(value + 1.96 * error))


def mean_estimate(each: Sequence[Estimate]) -> Estimate:
    """The mean, and the means of both ends: what shares pieces errs together, so errors don't cancel."""
    columns = np.array([(one.value, one.low, one.high) for one in each]).mean(0)
    return Estimate(*map(float, columns))


def _estimate(above: Floats, below: Floats, pieces: Ints, seed: int) -> Estimate:
    _, number = np.unique(pieces, return_inverse=True)
    sums = np.stack([np.bincount(number, above), np.bincount(number, below)])
    count = sums.shape[1]
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    totals = drawn @ sums.T
    some = totals[:, 1] > 0
    low, high = np.quantile(totals[some, 0] / totals[some, 1], (0.025, 0.975))
    return Estimate(float(above.sum() / below.sum()), float(low), float(high))
