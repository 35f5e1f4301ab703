"""Levels and the gains that follow them, on a control grid of about 0.7 ms: coarser than the console's,
and several times as quick.

All followers take control values (batch, steps) that are 0 or more, begin at 0, and return as many.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional

from .spectra import fast_size

STEP_S = 32 / 44_100
FLOOR_DB = -120.0
_BLOCK = 16
_CELLS = 4
_MARGIN = 256
_ROUNDS = 6
_TIE = 1e-6
_QUICKEST_MS = 0.2  # sums within a block stay far from the largest float
_LEAST = 1e-9


def step_frames(rate: int) -> int:
    """Samples per control value: 32 at 44.1 kHz."""
    return max(1, round(rate * STEP_S))


def envelope_db(samples: Tensor, rate: int) -> Tensor:
    """The largest amplitude in each step, in dB, without the ripple of low tones.

    samples  (..., time); Returns (..., steps). A tone of amplitude 1 reads within about 1 dB of 0 throughout.
    Source   amplitude of the analytic signal, D. Gabor 1946; its quadrature is formed from what lies
             below about 1 kHz, whose waves are longer than a step.
    """
    cell = max(1, step_frames(rate) // _CELLS)
    cells = _framed(samples, rate)
    cells = cells.reshape(*cells.shape[:-1], -1, cell)
    slow = cells.mean(-1).flatten(-2)
    size = fast_size(slow.shape[-1] + _MARGIN)
    spectrum = torch.fft.rfft(slow, size) * _quadrature(size, rate / cell, str(samples.device))
    quadrature = torch.fft.irfft(spectrum, size)[..., : slow.shape[-1]]
    highest = cells.abs().amax(-1)
    power = highest.square() + quadrature.square().view_as(highest)
    return 10 * torch.log10(power.amax(-1).clamp(min=10 ** (FLOOR_DB / 10)))


def peak_db(samples: Tensor, rate: int) -> Tensor:
    """The largest sample of each step (..., steps) in dB: what a rectifier sees, ripple included."""
    return 20 * torch.log10(_highest(samples.abs(), rate, 10 ** (FLOOR_DB / 20)))


def mean_db(samples: Tensor, rate: int, window_ms: Tensor) -> Tensor:
    """The level of the running mean square, 3 dB up so that tones read their amplitude.

    samples    (batch, channels, time); Returns (batch, channels, steps).
    window_ms  (batch,): the time constant of the mean.
    """
    power = _framed(samples, rate).square().mean(-1)
    smoothed = lag(power.flatten(0, 1), rate, window_ms.repeat_interleave(samples.shape[1]))
    return 10 * torch.log10((2 * smoothed.view_as(power)).clamp(min=10 ** (FLOOR_DB / 10)))


def gains(samples: Tensor, rate: int, change_db: Tensor) -> Tensor:
    """Apply gains (batch, 1 or channels, steps) in dB to (batch, channels, time), along straight lines."""
    factor = torch.exp(change_db * (math.log(10) / 20))
    step, frames = step_frames(rate), samples.shape[-1]
    before = torch.cat((factor[..., :1], factor[..., :-1]), dim=-1)
    fraction = torch.arange(step, dtype=samples.dtype, device=samples.device) / step
    lines = torch.addcmul(before.unsqueeze(-1), (factor - before).unsqueeze(-1), fraction)
    return samples * lines.flatten(-2)[..., :frames]


def branching(targets: Tensor, rate: int, rise_ms: Tensor, fall_ms: Tensor) -> Tensor:
    """One time constant up and another down, the console's law.

    rise_ms, fall_ms  (batch,).
    Source   smooth branching detector, Giannoulis, Massberg & Reiss, JAES 60(6), 2012; solved by policy
             iteration (`fx.ballistics`), cut off after six rounds.
    """
    rise, fall = _decay(rise_ms, rate), _decay(fall_ms, rate)
    values = released(targets, rate, torch.maximum(rise_ms, fall_ms))
    previous = None
    for _ in range(_ROUNDS):
        rising = targets > functional.pad(values[:, :-1], (1, 0)) + _TIE
        if previous is not None and torch.equal(rising, previous):
            break
        previous = rising
        decay = torch.where(rising, rise[:, None], fall[:, None])
        values = _recursion(decay, (1 - decay) * targets)
    return values


def released(targets: Tensor, rate: int, fall_ms: Tensor) -> Tensor:
    """Up at once, down towards 0 with a time constant: y[n] = max(x[n], a·y[n−1])."""
    slope = _steps(targets) * (STEP_S * 1000 / fall_ms.clamp(min=1e-2))[:, None]
    return torch.exp((targets.clamp(min=_LEAST).log() + slope).cummax(1).values - slope)


def dropped(targets: Tensor, rate: int, db_per_s: Tensor) -> Tensor:
    """Up at once, down by so many dB per second (batch,), as gates and some limiters do."""
    slope = _steps(targets) * (STEP_S * db_per_s)[:, None]
    return (targets + slope).cummax(1).values.sub(slope).clamp(min=0)


def lag(targets: Tensor, rate: int, time_ms: Tensor) -> Tensor:
    """One time constant (batch,) for both ways."""
    decay = _decay(time_ms, rate)[:, None].expand_as(targets)
    return _recursion(decay, (1 - decay) * targets)


def held(targets: Tensor, steps: int) -> Tensor:
    """The largest of each value and those up to `steps` later."""
    return functional.max_pool1d(functional.pad(targets, (0, steps)).unsqueeze(1), steps + 1, 1).squeeze(1)


def averaged(targets: Tensor, steps: int) -> Tensor:
    """The mean of each value and the `steps` before, the first value standing before all."""
    before = targets[:, :1].expand(-1, steps)
    return functional.avg_pool1d(torch.cat((before, targets), dim=1).unsqueeze(1), steps + 1, 1).squeeze(1)


def _highest(sound: Tensor, rate: int, floor: float = 10 ** (FLOOR_DB / 10)) -> Tensor:
    return _framed(sound, rate).amax(-1).clamp(min=floor)


@functools.lru_cache(maxsize=16)
@torch.inference_mode(False)
def _quadrature(size: int, slow_rate: float, device: str) -> Tensor:
    """(bins,) −j where the quadrature is wanted, falling to 0 from 0.8 to 1.6 kHz."""
    octaves = torch.log2(torch.fft.rfftfreq(size, 1 / slow_rate).clamp(min=1.0) / 800).clamp(0, 1)
    share = torch.cos(octaves * (math.pi / 2)).square()
    share[0] = 0
    return torch.complex(torch.zeros_like(share), -share).to(device)


def _framed(sound: Tensor, rate: int) -> Tensor:
    step = step_frames(rate)
    whole = functional.pad(sound, (0, -sound.shape[-1] % step))
    return whole.reshape(*whole.shape[:-1], -1, step)


def _steps(values: Tensor) -> Tensor:
    return torch.arange(values.shape[1], dtype=values.dtype, device=values.device)


def _decay(time_ms: Tensor, rate: int) -> Tensor:
    return torch.exp(-1000 * step_frames(rate) / rate / time_ms.clamp(min=_QUICKEST_MS))


def _recursion(decay: Tensor, inputs: Tensor) -> Tensor:
    """y[n] = decay[n]·y[n−1] + inputs[n] from rest: within blocks by sums, from block to block by a scan."""
    batch, steps = inputs.shape
    padding = (0, -steps % _BLOCK)
    logs = functional.pad(decay, padding, value=1.0).log().reshape(batch, -1, _BLOCK).cumsum(2)
    growth = torch.exp(logs)
    within = growth * (functional.pad(inputs, padding).reshape(batch, -1, _BLOCK) / growth).cumsum(2)
    carried, reach = within[..., -1], 1
    shrink = growth[..., -1]
    while reach < carried.shape[1]:
        carried = torch.cat(
            (carried[:, :reach], carried[:, reach:] + shrink[:, reach:] * carried[:, :-reach]), dim=1
        )
        shrink = torch.cat((shrink[:, :reach], shrink[:, reach:] * shrink[:, :-reach]), dim=1)
        reach *= 2
    start = functional.pad(carried[:, :-1], (1, 0)).unsqueeze(-1)
    values: Tensor = within + growth * start
    return values.flatten(1)[:, :steps]
