"""One step of a training: how large it is, and taking it."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn


def learning_rate(peak: float, warm_up_steps: int, step: int, total: int) -> float:
    """A straight rise to the peak over the warm-up, then half a cosine down to a hundredth of it."""
    if step < warm_up_steps:
        return peak * (step + 1) / warm_up_steps
    share = (step - warm_up_steps) / max(1, total - warm_up_steps)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def take_step(
    fabric: Any, model: nn.Module, optimizer: Any, loss: Tensor, rate: float, largest: float = 1.0
) -> None:
    """Go down the gradient of a loss.

    model, optimizer   as `Fabric.setup` gave them; a group's `share` is the part of the rate that it takes.
    largest            norm that the gradient is clipped to.
    """
    fabric.backward(loss)
    fabric.clip_gradients(model, optimizer, max_norm=largest)
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
    optimizer.step()
    optimizer.zero_grad()
