"""Which baseline comes closest, and how far is a system from it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median

import torch

from styletransfer.evaluation.report import interval
from styletransfer.evaluation.statistics import Estimate, paired

from .answers import CLOSED, CONSTANT, LEAKY, LEVELLED, MATCHERING, NOTHING, RAW, REFINED, SUMMED

BASELINES = (NOTHING, RAW, LEVELLED, CONSTANT, CLOSED, MATCHERING)
"""Whatever a system has to be ahead of; an oracle knows the answer and is none."""

VARIANTS = (REFINED, LEAKY, SUMMED)
"""What the name of a system has that does something else than by default."""


def beside_best(distances: Mapping[str, Sequence[float]], system: str, seed: int, scale: float = 1.0) -> str:
    """One sentence: the best baseline by its mean, and the paired difference to it; empty without any.

    distances   system → its distance on each of the same pairs, all above 0; `scale` is for what is printed.
    """
    baselines = [name for name in BASELINES if name in distances and name != system]
    if not baselines or system not in distances:
        return ""
    best = min(baselines, key=lambda name: fmean(distances[name]))
    return f"best baseline: {best}; {_apart(distances, system, best, seed, scale)}"


def beside_plain(distances: Mapping[str, Sequence[float]], seed: int, scale: float = 1.0) -> list[str]:
    """A sentence for each variant of a system: the paired difference to the system as it is by default."""
    return [
        _apart(distances, system, system.replace(variant, ""), seed, scale)
        for variant in VARIANTS
        for system in distances
        if variant in system and system.replace(variant, "") in distances
    ]


def _apart(distances: Mapping[str, Sequence[float]], system: str, other: str, seed: int, scale: float) -> str:
    ours, theirs = distances[system], distances[other]
    apart = paired(ours, theirs, torch.Generator().manual_seed(seed))
    mean = apart.mean_difference
    scaled = Estimate(scale * mean.value, scale * mean.low, scale * mean.high)
    middle = scale * median(one - another for one, another in zip(ours, theirs, strict=True))
    return (
        f"{system} − {other}: mean {interval(scaled, 4 if scale == 1 else 2)}, "
        f"median {middle:.4g}, further away on {100 * apart.share_worse:.0f} % of pairs"
    )
