"""Probability scheduling: effects that are learned badly are drawn more often."""

from __future__ import annotations

import math
from collections.abc import Mapping

_LEAST = 0.1


def chances(losses: Mapping[str, float]) -> dict[str, float]:
    """Effect → probability 0.1 to 1, for `draw(..., chances=...)`, from validation losses per single effect.

    p = (L − Lmin)/(Lmax − Lmin)·0.9 + 0.1; where all losses are alike, all get the middle, 0.55.
    ValueError for no losses, or one that is not finite.
    Source   Koo et al., "Music mixing style transfer", ICASSP 2023, probability scheduling.
    """
    if not losses or not all(math.isfinite(loss) for loss in losses.values()):
        raise ValueError(f"losses must be finite and at least one, not {dict(losses)}")
    least, most = min(losses.values()), max(losses.values())
    if most == least:
        return dict.fromkeys(losses, _LEAST + (1 - _LEAST) / 2)
    return {name: _LEAST + (1 - _LEAST) * (loss - least) / (most - least) for name, loss in losses.items()}
