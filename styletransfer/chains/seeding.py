"""What an implementation draws beyond its parameters: always the same from an example's seed."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def uniform(seeds: list[int], count: int, like: Tensor) -> Tensor:
    """(batch, count) values between 0 and 1, a row per seed, in dtype and on the device of `like`."""
    rows = [torch.rand(count, generator=Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(rows).to(like)
