"""The true-peak limiter: no sample, and nothing between samples, rises above the ceiling."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional

from .arguments import Parameter, amplitude, check_stereo, per_example
from .ballistics import hop_frames, interpolate, smooth
from .fir import convolve
from .streaming import GainStage

LOOK_AHEAD_MS = 4.0
"""How long before a peak the gain begins to move."""

_OVERSAMPLING = 4
_REACH = 6
"""Samples before and after that the interpolation between samples reads."""


def limit(samples: Tensor, rate: int, *, ceiling_db: Parameter, release_ms: Parameter) -> Tensor:
    """Keep the true peak at or below the ceiling, with as little gain change as that takes.

    samples     (batch, 2, time).
    ceiling_db  true peak in dBTP, as BS.1770-4 measures it, that the output keeps to within 0.1 dB.
    release_ms  time for 63 % of the way back in dB after a peak; attack is a smooth move within
                the 4 ms before it.
    Returns     (batch, 2, time): untouched wherever nothing within reach nears the ceiling.
    """
    check_stereo(samples)
    hop, ahead = hop_frames(rate), look_ahead_hops(rate)
    frames = samples.shape[-1]
    context = functional.pad(
        samples, (_REACH + (ahead + 1) * hop, _REACH + (ahead + 1) * hop + -frames % hop)
    )
    needed = needed_reduction_db(context, rate, per_example(ceiling_db, samples))
    start = torch.zeros_like(needed[:, :1])
    held = _hold(needed, ahead)
    released = smooth(held, rate, rise_ms=0.0, fall_ms=per_example(release_ms, samples), start=start)
    reduction = _average(functional.pad(released, (ahead, 0)), ahead)
    change_db = interpolate(-reduction, rate, start)[:, (ahead + 1) * hop :][:, :frames]
    return samples * amplitude(change_db).unsqueeze(1)


class Limiter(GainStage):
    """Renders `limit` block by block; numbers only. `largest_reduction_db` grows as it works."""

    def __init__(self, rate: int, *, ceiling_db: float, release_ms: float) -> None:
        self._ahead = look_ahead_hops(rate)
        super().__init__(rate, reach=_REACH, lag=self._ahead + 1)
        self._ceiling_db, self._release_ms = torch.tensor(float(ceiling_db)), release_ms
        self._needed = torch.zeros(1, self._ahead + 1)
        self._released = torch.zeros(1, self._ahead)
        self._reduction = torch.zeros(1, 1)
        self.largest_reduction_db = 0.0

    def control(self, context: Tensor) -> Tensor:
        new = needed_reduction_db(context, self.rate, self._ceiling_db)
        needed = torch.cat((self._needed, new), dim=1)
        self._needed = needed[:, -self._ahead - 1 :]
        released = smooth(
            _hold(needed, self._ahead),
            self.rate,
            rise_ms=0.0,
            fall_ms=self._release_ms,
            start=self._released[:, -1:],
        )
        released = torch.cat((self._released, released), dim=1)
        self._released = released[:, -self._ahead :]
        reduction = _average(released, self._ahead)
        start, self._reduction = self._reduction, reduction[:, -1:]
        self.largest_reduction_db = max(self.largest_reduction_db, float(reduction.amax()))
        return interpolate(-reduction, self.rate, -start)


def look_ahead_hops(rate: int) -> int:
    """The look-ahead in hops of the control grid."""
    return max(1, round(LOOK_AHEAD_MS / 1000 * rate / hop_frames(rate)))


def needed_reduction_db(context: Tensor, rate: int, ceiling_db: Tensor) -> Tensor:
    """How many dB each hop's true peak is above the ceiling, 0 where it is not.

    context  (batch, 2, reach + hops·hop + reach).
    Returns  (batch, hops).
    """
    hop = hop_frames(rate)
    taps = _interpolators().to(context)
    ceiling = amplitude(ceiling_db)
    hops = (context.shape[-1] - 2 * _REACH) // hop
    # no interpolated sample can exceed the largest sample times the sum of the taps' magnitudes
    if bool((context.abs().amax() * taps.abs().sum(1).amax() < ceiling).all()):
        return torch.zeros(context.shape[0], hops, dtype=context.dtype, device=context.device)
    between = convolve(context, taps).abs().amax((1, 2))  # from just before the first hop's first sample
    peaks = torch.maximum(between[:, :-1], between[:, 1:])
    peaks = torch.maximum(peaks, context[..., _REACH : context.shape[-1] - _REACH].abs().amax(1))
    peaks = peaks.reshape(-1, hops, hop).amax(-1)
    return 20 * torch.log10(peaks.clamp(min=1e-9) / ceiling).clamp(min=0)


def _hold(needed: Tensor, ahead: int) -> Tensor:
    """The largest of each hop and the ahead + 1 that follow: (batch, hops - ahead - 1)."""
    return functional.max_pool1d(needed.unsqueeze(1), ahead + 2, stride=1).squeeze(1)


def _average(values: Tensor, ahead: int) -> Tensor:
    """The weighted mean of each hop and the `ahead` before it: (batch, hops - ahead).

    Every value that enters was held over the hop it serves, so the mean never falls short.
    """
    weights = torch.hann_window(ahead + 3, periodic=False, dtype=values.dtype, device=values.device)[1:-1]
    return functional.conv1d(values.unsqueeze(1), (weights / weights.sum())[None, None]).squeeze(1)


@functools.lru_cache(maxsize=1)
@torch.inference_mode(False)
def _interpolators() -> Tensor:
    """Windowed sincs (3, 2·reach) that read 1/4, 1/2 and 3/4 of the way between two samples.

    Twelve taps per phase, as the interpolator in Annex 2 of ITU-R BS.1770-4, so that meters agree.
    """
    phase = torch.arange(1, _OVERSAMPLING, dtype=torch.float64) / _OVERSAMPLING
    offset = torch.arange(2 * _REACH, dtype=torch.float64) - _REACH + phase[:, None]
    window = torch.cos(offset * (torch.pi / (2 * _REACH))).square()
    taps: Tensor = torch.sinc(offset) * window
    return taps / taps.sum(1, keepdim=True)
