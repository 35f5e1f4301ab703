"""Which baseline comes closest, and how far is a system from it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median

import torch

from styletransfer.evaluation.report import interval
from styletransfer.evaluation.statistics import Estimate, paired

from .answers import CLOSED, CONSTANT, LEVELLED, MATCHERING, NOTHING, RAW

BASELINES = (NOTHING, RAW, LEVELLED, CONSTANT, CLOSED, MATCHERING)
"""Whatever a system has to be ahead of; an oracle knows the answer and is none."""


def beside_best(distances: Mapping[str, Sequence[float]], system: str, seed: int, scale: float = 1.0) -> str:
    """One sentence: the best baseline by its mean, and the paired difference to it; empty without any.

    distances   system → its distance on each of the same pairs, all above 0; `scale` is for what is printed.
    """
    baselines = [name for name in BASELINES if name in distances and name != system]
    if not baselines or system not in distances:
        return ""
    best = min(baselines, key=lambda name: fmean(distances[name]))
    ours, theirs = distances[system], distances[best]
    apart = paired(ours, theirs, torch.Generator().manual_seed(seed))
    mean = apart.mean_difference
    scaled = Estimate(scale * mean.value, scale * mean.low, scale * mean.high)
    middle = scale * median(one - other for one, other in zip(ours, theirs, strict=True))
    return (
        f"best baseline: {best}; {system} − {best}: mean {interval(scaled, 4 if scale == 1 else 2)}, "
        f"median {middle:.4g}, further away on {100 * apart.share_worse:.0f} % of pairs"
    )
