"""What bends loud samples: tape, valves, transistors, converters. Quiet sound keeps its level in all.

`drive_db` says how far below full scale the bend lies: 20 dB of drive bend what exceeds about 0.1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .ballistics import averaged
from .seeding import uniform
from .spectra import filtered, grid

Values = dict[str, Tensor]


def console_saturation(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The console's hyperbolic tangent, `fx.saturate`, without its series for vanishing drives."""
    drive = torch.expm1(values["drive_db"] * (math.log(10) / 10)).clamp(min=1e-4).sqrt()[:, None, None]
    return torch.tanh(samples * drive) / drive


def hard_clip(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Straight up to the bend, flat beyond."""
    drive = _drive(values)
    return (samples * drive).clamp(-1, 1) / drive


def cubic(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """x − x³/6.75 up to 1.5, flat beyond: few overtones, then a sudden wall."""
    bent = (samples * _drive(values)).clamp(-1.5, 1.5)
    return (bent - bent * bent * bent / 6.75) / _drive(values)


def square_root(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """x/√(1 + x²): softer than the tangent."""
    bent = samples * _drive(values)
    return samples * torch.rsqrt(1 + bent * bent)


def rational(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """x/(1 + |x|): bends from the start, never flat."""
    return samples / (1 + (samples * _drive(values)).abs())


def asymmetric(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """A tangent off its centre, as a valve's: even overtones; the offset is taken out again."""
    bias = (0.2 + 0.8 * uniform(seeds, 1, samples))[:, :, None]
    drive = _drive(values)
    bent = torch.tanh(samples * drive + bias) - torch.tanh(bias)
    bent = bent / (1 - torch.tanh(bias).square())  # unity for quiet sound
    return (bent - bent.mean(-1, keepdim=True)) / drive


def tape(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Treble is raised 4 to 10 dB before the bend and lowered after, so that it saturates first; a bump in
    the bass and a gentle loss of treble stay."""
    chance = uniform(seeds, 3, samples)
    rise = (10 ** ((4 + 6 * chance[:, :1]) / 10) - 1)[..., None]
    frequencies_hz = grid(samples.shape[-1], rate, samples.device).frequencies_hz
    high = (frequencies_hz / 3000).square()
    emphasis = torch.sqrt(1 + rise * high / (1 + high))
    before = filtered(samples, rate, emphasis)
    after = torch.tanh(before * _drive(values)) / _drive(values)
    octaves = torch.log2(frequencies_hz.clamp(min=5) / 70)
    bump = 1 + 0.25 * chance[:, 1:2, None] * torch.exp(-2 * octaves.square())
    loss = torch.rsqrt(1 + (frequencies_hz / (9000 + 9000 * chance[:, 2:, None])).square())
    return filtered(after, rate, bump * loss / emphasis)


def crushed(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Fewer bits with more drive (10 at 6 dB, 5 at 36 dB, below a full scale of 0.5), and for half of the
    seeds each sample held for two or more."""
    chance = uniform(seeds, 2, samples)
    step = 0.5 * 2 ** -(11 - values["drive_db"] / 6).clamp(3, 16)[:, None, None]
    rounded = torch.round(samples / step) * step
    holds = torch.where(chance[:, 0] < 0.5, 1 + (0.5 + chance[:, 1] * values["drive_db"] / 6).round(), 1.0)
    place = torch.arange(samples.shape[-1], device=samples.device)
    kept = place - place % holds.long()[:, None]
    return rounded.gather(2, kept[:, None].expand_as(samples))


def exciter(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """What lies above 1 to 4 kHz is bent and added to the untouched sound, more with more drive."""
    corner_hz = (1000 * 4 ** uniform(seeds, 1, samples))[..., None]
    frequencies_hz = grid(samples.shape[-1], rate, samples.device).frequencies_hz
    fourth = (frequencies_hz / corner_hz).square().square()
    high = filtered(samples, rate, fourth / (1 + fourth))
    bent = torch.tanh(4 * _drive(values) * high)
    level = high.square().mean((1, 2), keepdim=True) / bent.square().mean((1, 2), keepdim=True).clamp(
        min=1e-9
    )
    return samples + values["drive_db"][:, None, None] / 15 * level.sqrt() * bent


def sagging(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The bend follows the level (a sagging supply): half of it counts against the running mean."""
    level = averaged(samples.abs().amax(1)[:, ::64], 32).repeat_interleave(64, 1)[:, : samples.shape[-1]]
    drive = _drive(values) / (1 + 2 * level.unsqueeze(1) * _drive(values))
    return torch.tanh(samples * drive) / drive


def _drive(values: Values) -> Tensor:
    return (10 ** (values["drive_db"] / 20))[:, None, None]


SATURATORS = {
    "console": console_saturation,
    "hard_clip": hard_clip,
    "cubic": cubic,
    "square_root": square_root,
    "rational": rational,
    "asymmetric": asymmetric,
    "tape": tape,
    "crushed": crushed,
    "exciter": exciter,
    "sagging": sagging,
}
"""Implementation → saturator; the console's comes first."""
