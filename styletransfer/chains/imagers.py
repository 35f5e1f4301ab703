"""Where the sound stands: pans from left to right, and widths from mono to wider than it was.

`position` is 0 at the left, 0.5 in the centre, 1 at the right. `width` is 0 for mono, 1 neutral.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from styletransfer.converter import fx

from .equalizers import turned
from .seeding import uniform
from .spectra import filtered, grid

Values = dict[str, Tensor]
_HALF_PI = math.pi / 2


def console_pan(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """One channel up and the other down by the −4.5 dB law.

    Source   the geometric mean of the linear (−6 dB) and the constant-power law (−3 dB at the centre).
    """
    position = values["position"].clamp(0, 1)
    left = ((1 - position) * torch.cos(position * _HALF_PI).clamp(min=0)).sqrt()
    right = (position * torch.sin(position * _HALF_PI).clamp(min=0)).sqrt()
    return samples * torch.stack((left, right), dim=1).unsqueeze(-1)


def constant_power_pan(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The −3 dB law."""
    angle = values["position"].clamp(0, 1) * _HALF_PI
    return samples * torch.stack((torch.cos(angle), torch.sin(angle)), dim=1).unsqueeze(-1).clamp(min=0)


def balance_pan(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The near channel stays, the far one fades along a straight line."""
    position = values["position"]
    faders = torch.stack((2 - 2 * position, 2 * position), dim=1).clamp(0, 1)
    return samples * faders.unsqueeze(-1)


def folding_pan(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The far channel moves over to the near one instead of fading ("true stereo" pan)."""
    away = 2 * values["position"] - 1
    kept = 1 - away.abs()
    angle = kept * _HALF_PI
    stays, moves = torch.sin(angle)[:, None], torch.cos(angle)[:, None]
    left, right = samples.unbind(1)
    to_left, to_right = (away < 0)[:, None], (away > 0)[:, None]
    return torch.stack(
        (
            torch.where(to_left, left + moves * right, torch.where(to_right, stays * left, left)),
            torch.where(to_right, right + moves * left, torch.where(to_left, stays * right, right)),
        ),
        dim=1,
    )


def delay_pan(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The far channel comes up to 0.6 ms later and up to 8 dB softer, as at the far ear."""
    away = 2 * values["position"] - 1
    delay = (0.6e-3 * rate * away.abs()).round().long()
    soft = 10 ** (-0.4 * away.abs())[:, None]
    far = torch.where((away > 0)[:, None], samples[:, 0], samples[:, 1])
    near = torch.where((away > 0)[:, None], samples[:, 1], samples[:, 0])
    far = soft * _delayed(far, delay)
    return torch.where((away > 0)[:, None, None], torch.stack((far, near), 1), torch.stack((near, far), 1))


def console_width(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The side signal scaled, `fx.widen`."""
    return fx.widen(samples, width=values["width"])


def bass_mono_width(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Narrower as a whole; wider only above a corner of 80 to 300 Hz, below which the side is taken out."""
    corner_hz = 80 * 3.75 ** uniform(seeds, 1, samples)
    fourth = (_frequencies_hz(samples, rate) / corner_hz).square().square()
    wide = values["width"][:, None]
    return _with_side(samples, rate, wide * torch.where(wide > 1, fourth / (1 + fourth), 1.0))


def shuffling_width(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The side scaled below a corner of 500 to 1,500 Hz only, with a gentle slope above.

    Source   Blumlein's shuffler; Gerzon, "Applications of Blumlein shuffling to stereo microphone
             techniques", JAES 42(6), 1994.
    """
    corner_hz = 500 * 3 ** uniform(seeds, 1, samples)
    share = 1 / (1 + (_frequencies_hz(samples, rate) / corner_hz).square())
    return _with_side(samples, rate, 1 + (values["width"][:, None] - 1) * share)


def haas_width(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Wider than 1 by a copy of the mid, 8 to 30 ms later, in the side; narrower by less side."""
    delay_ms = 8 + 22 * uniform(seeds, 1, samples)[:, 0]
    mid, side = turned(samples).unbind(1)
    copy = _delayed(mid, (delay_ms / 1000 * rate).round().long())
    return _synthetic(mid, side, copy, values["width"])


def decorrelating_width(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Wider than 1 by the mid through three all-pass combs in the side (a pseudo-stereo)."""
    times_ms = 2 + 18 * uniform(seeds, 3, samples)
    mid, side = turned(samples).unbind(1)
    copy = mid
    for comb in range(3):
        delay = (times_ms[:, comb] / 1000 * rate).round().long()
        first, second = _delayed(copy, delay), _delayed(copy, 2 * delay)
        third = _delayed(copy, 3 * delay)
        copy = -0.6 * copy + 0.64 * (first + 0.6 * second + 0.36 * third)
    return _synthetic(mid, side, copy, values["width"])


def _frequencies_hz(samples: Tensor, rate: int) -> Tensor:
    return grid(samples.shape[-1], rate, samples.device).frequencies_hz


def _with_side(samples: Tensor, rate: int, response: Tensor) -> Tensor:
    """The side through a response (batch, points) on the grid, the mid as it was."""
    mid, side = turned(samples).unbind(1)
    side = filtered(side[:, None], rate, response[:, None])[:, 0]
    return turned(torch.stack((mid, side), dim=1))


def _synthetic(mid: Tensor, side: Tensor, copy: Tensor, width: Tensor) -> Tensor:
    wide = width[:, None]
    more = 0.35 * (wide - 1).clamp(min=0)
    return turned(torch.stack((mid, torch.where(wide < 1, wide * side, side + more * copy)), dim=1))


def _delayed(signal: Tensor, frames: Tensor) -> Tensor:
    """(batch, time) later by so many samples (batch,), silence first."""
    place = torch.arange(signal.shape[-1], device=signal.device) - frames.to(signal.device)[:, None]
    return torch.where(place >= 0, signal.gather(1, place.clamp(min=0)), 0.0)


PANS = {
    "console": console_pan,
    "constant_power": constant_power_pan,
    "balance": balance_pan,
    "folding": folding_pan,
    "delay": delay_pan,
}
"""Implementation → pan; ours comes first."""

WIDTHS = {
    "console": console_width,
    "bass_mono": bass_mono_width,
    "shuffling": shuffling_width,
    "haas": haas_width,
    "decorrelating": decorrelating_width,
}
"""Implementation → imager; the console's comes first."""
