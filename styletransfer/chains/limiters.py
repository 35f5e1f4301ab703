"""Limiters: whatever rises above the ceiling is turned down to it before it gets there."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .ballistics import averaged, branching, dropped, gains, held, lag, peak_db, released, step_frames
from .seeding import uniform

Values = dict[str, Tensor]


def console_limiter(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """As the console's, on a coarser grid and by samples, not true peaks: 4 ms of look-ahead."""
    ahead = _steps(4.0, rate)
    needed = held(_needed_db(samples, rate, values), ahead + 1)
    down = branching(needed, rate, torch.zeros_like(values["release_ms"]), values["release_ms"])
    return gains(samples, rate, -averaged(down, ahead).unsqueeze(1))


def slow_limiter(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """12 ms of look-ahead, a hold of as long, and a release by constant dB per second."""
    ahead = _steps(12.0, rate)
    needed = held(functional.pad(_needed_db(samples, rate, values), (ahead, 0)), 2 * ahead + 1)[:, :-ahead]
    down = dropped(needed, rate, 6_000 / values["release_ms"])
    return gains(samples, rate, -averaged(down, ahead).unsqueeze(1))


def two_stage_limiter(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """A quick release on top of one eight times as slow that carries most of the reduction, per channel."""
    both = {name: value.repeat_interleave(2) for name, value in values.items()}
    single = samples.flatten(0, 1).unsqueeze(1)
    ahead = _steps(2.0, rate)
    needed = held(_needed_db(single, rate, both), ahead + 1)
    slow = torch.minimum(
        lag(released(needed, rate, 8 * both["release_ms"]), rate, both["release_ms"]), needed
    )
    quick = released(needed - slow, rate, both["release_ms"])
    return gains(single, rate, -averaged(quick + slow, ahead).unsqueeze(1)).view_as(samples)


def clipping_limiter(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """No look-ahead: an attack of 1 to 4 ms lets transients through, and those are clipped at the ceiling."""
    attack_ms = 4 ** uniform(seeds, 1, samples)[:, 0]
    down = branching(_needed_db(samples, rate, values), rate, attack_ms, values["release_ms"])
    ceiling = 10 ** (values["ceiling_db"] / 20)[:, None, None]
    return torch.minimum(torch.maximum(gains(samples, rate, -down.unsqueeze(1)), -ceiling), ceiling)


def _needed_db(samples: Tensor, rate: int, values: Values) -> Tensor:
    """By how many dB each step (batch, steps) exceeds the ceiling; a step's gain is reached at its end."""
    level_db = peak_db(samples.abs().amax(1), rate)
    return (level_db - values["ceiling_db"][:, None]).clamp(min=0)


def _steps(time_ms: float, rate: int) -> int:
    return max(1, round(time_ms / 1000 * rate / step_frames(rate)))


LIMITERS = {
    "console": console_limiter,
    "slow": slow_limiter,
    "two_stage": two_stage_limiter,
    "clipping": clipping_limiter,
}
"""Implementation → limiter; the console's comes first."""
