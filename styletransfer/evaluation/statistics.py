"""What can be said about a system from a few dozen pairs? Paired figures with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % bootstrap interval, pairs being what is drawn again."""

    value: float
    low: float
    high: float

    def figures(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Paired:
    """A system's distances against a baseline's on the same pairs; below 1 or 0 the system is closer.

    ratio_of_means    mean over mean.
    median_log_ratio  median of ln(system / baseline).
    mean_difference   mean of system − baseline.
    share_worse       of the pairs that the system left further away than the baseline did.
    """

    ratio_of_means: Estimate
    median_log_ratio: Estimate
    mean_difference: Estimate
    share_worse: float


def paired(system: Sequence[float], baseline: Sequence[float], generator: torch.Generator) -> Paired:
    """Compare distances (at least one pair, all positive) on the same pairs."""
    ours, theirs = (torch.tensor(values, dtype=torch.float64) for values in (system, baseline))
    if ours.shape != theirs.shape or len(ours) == 0:
        raise ValueError(f"{len(ours)} and {len(theirs)} distances are no pairs")
    draws = torch.randint(len(ours), (DRAWS, len(ours)), generator=generator)

    def estimate(figure: Callable[[Tensor, Tensor], Tensor]) -> Estimate:
        low, high = figure(ours[draws], theirs[draws]).quantile(
            torch.tensor([0.025, 0.975], dtype=torch.float64)
        )
        return Estimate(float(figure(ours, theirs)), float(low), float(high))

    return Paired(
        ratio_of_means=estimate(lambda a, b: a.mean(-1) / b.mean(-1).clamp(min=1e-12)),
        median_log_ratio=estimate(lambda a, b: (a / b).clamp(min=1e-12).log().quantile(0.5, -1)),
        mean_difference=estimate(lambda a, b: (a - b).mean(-1)),
        share_worse=float((ours > theirs).double().mean()),
    )
