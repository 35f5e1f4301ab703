"""How large is a training step? By now, and out of how many."""

from __future__ import annotations

import math


def learning_rate(peak: float, warm_up_steps: int, step: int, total: int) -> float:
    """A straight rise to the peak over the warm-up, then half a cosine down to a hundredth of it."""
    if step < warm_up_steps:
        return peak * (step + 1) / warm_up_steps
    share = (step - warm_up_steps) / max(1, total - warm_up_steps)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))
