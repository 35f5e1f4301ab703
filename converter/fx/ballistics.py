"""How loud the sound is from moment to moment, and how fast a gain may follow.

Everything that follows the level does so on a control rate: one value per hop of about
0.36 ms, on a grid that starts with the song, so that no block size can shift it.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from .arguments import Parameter
from .fir import convolve

FLOOR_DB = -120.0
"""Levels are never read below this."""

_HOP_S = 16 / 44_100
_DETECTOR_S = 0.04
_TIE_DB = 1e-8
_MOST_ROUNDS = 12


def hop_frames(rate: int) -> int:
    """Samples per control value: 16 at 44.1 kHz."""
    return max(1, round(rate * _HOP_S))


def detector_reach(rate: int) -> int:
    """Samples that the level detector reads before and after the one it measures: 40 ms, in whole hops.

    So a stage lags by whole hops, and what follows it reads the level at the same instants as without it.
    """
    hop = hop_frames(rate)
    return math.ceil(round(rate * _DETECTOR_S) / hop) * hop


def levels_db(samples: Tensor, rate: int) -> Tensor:
    """The peak level of each hop, the louder channel's, in dB.

    samples  (batch, 2, reach + hops·hop + reach), with the detector's reach before and after.
    Returns  (batch, hops), at least FLOOR_DB. A tone of amplitude 1 reads 0 dB throughout,
             from about 50 Hz to 50 Hz below the Nyquist frequency.
    Source   amplitude of the analytic signal, D. Gabor 1946, by a windowed Hilbert transformer.
    """
    reach, hop = detector_reach(rate), hop_frames(rate)
    quadrature = convolve(samples, _hilbert(reach).to(samples))
    power = samples[..., reach : samples.shape[-1] - reach].square() + quadrature.square()
    hops = power.amax(1).reshape(len(samples), -1, hop).amax(-1)
    return 10 * torch.log10(hops.clamp(min=10 ** (FLOOR_DB / 10)))


def smooth(
    targets: Tensor, rate: int, *, rise_ms: Tensor | float, fall_ms: Tensor | float, start: Tensor
) -> Tensor:
    """Follow control values with one time constant up and another down, exactly.

    targets          (batch, hops).
    rise_ms, fall_ms time to cover 63 % of a step; a number or (batch, 1); 0 follows at once.
    start            (batch, 1): the value just before the first hop.
    Returns          (batch, hops) with y[n] = a·y[n-1] + (1-a)·x[n], a for rising where x[n] > y[n-1].
    Source           smooth branching peak detector, Giannoulis, Massberg & Reiss, JAES 60(6), 2012.
    """
    dtype = targets.dtype
    targets, start = targets.double(), start.double()  # long time constants need the digits
    rise, fall = (_decay_per_hop(value, rate, targets) for value in (rise_ms, fall_ms))
    if targets.is_cpu:  # hop by hop is quickest there; elsewhere all hops at once are
        values = _walked(targets, rise, fall, start)
        if not torch.is_grad_enabled() or not any(x.requires_grad for x in (targets, rise, fall, start)):
            return values.to(dtype)
        rising = targets > _before(values, start)
    else:
        rising = _rising(targets, rise, fall, start)
    return _recursion(torch.where(rising, rise, fall), targets, start).to(dtype)


def interpolate(values: Tensor, rate: int, start: Tensor) -> Tensor:
    """Straight lines through control values, each reached at the end of its hop: (batch, hops·hop)."""
    hop = hop_frames(rate)
    previous = _before(values, start)
    fraction = torch.arange(hop, dtype=values.dtype, device=values.device) / hop
    return (previous.unsqueeze(-1) + (values - previous).unsqueeze(-1) * fraction).flatten(1)


def _before(values: Tensor, start: Tensor) -> Tensor:
    """The value before each hop: (batch, hops)."""
    return torch.cat((start, values[:, :-1]), dim=1)


def _decay_per_hop(time_ms: Parameter, rate: int, like: Tensor) -> Tensor:
    hop_ms = 1000 * hop_frames(rate) / rate
    time = torch.as_tensor(time_ms, dtype=like.dtype, device=like.device).reshape(-1, 1)
    return torch.exp(-hop_ms / time.clamp(min=1e-3))


@torch.no_grad()
def _rising(targets: Tensor, rise: Tensor, fall: Tensor, start: Tensor) -> Tensor:
    """Which hops rise (batch, hops).

    The quicker branch is the one that gives the larger y (with signs flipped where falling is
    quicker), so y solves a recursion of maxima: by policy iteration (R. Howard 1960), which assumes
    the branches, solves the linear recursion and corrects the branches until they hold. Music takes
    a few rounds; what takes more (ripple that only just follows the slow branch, not-a-number) is
    walked hop by hop.
    """
    sign = torch.where(rise <= fall, 1.0, -1.0).to(targets)
    quick, slow = torch.minimum(rise, fall), torch.maximum(rise, fall)
    goals, first = sign * targets, sign * start
    values = _instant_rise(slow, goals, first)  # the answer if the quick branch took no time
    for _ in range(_MOST_ROUNDS):
        # where both branches nearly meet, the slow one says more about what came before
        quickly = goals > _before(values, first) + _TIE_DB
        previous, values = values, _recursion(torch.where(quickly, quick, slow), goals, first)
        if bool((values - previous).abs().amax() <= _TIE_DB):
            return quickly == (rise <= fall)
    values = _walked(targets, rise, fall, start)
    return targets > _before(values, start)


@torch.no_grad()
def _walked(targets: Tensor, rise: Tensor, fall: Tensor, start: Tensor) -> Tensor:
    """The values (batch, hops), one hop after the other."""
    settings = (value.broadcast_to(start.shape).flatten().tolist() for value in (rise, fall, start))
    walked = [_walk(*example) for example in zip(targets.tolist(), *settings, strict=True)]
    return torch.tensor(walked, dtype=targets.dtype, device=targets.device).reshape(targets.shape)


def _walk(targets: list[float], rise: float, fall: float, value: float) -> list[float]:
    values = []
    for target in targets:
        value = target + (rise if target > value else fall) * (value - target)
        values.append(value)
    return values


def _recursion(decay: Tensor, targets: Tensor, start: Tensor) -> Tensor:
    """y[n] = decay[n]·y[n-1] + (1-decay[n])·targets[n] by a scan whose reach doubles each round."""
    values = (1 - decay) * targets
    values = torch.cat((values[:, :1] + decay[:, :1] * start, values[:, 1:]), dim=1)
    reach, hops = 1, targets.shape[1]
    while reach < hops:
        values = torch.cat(
            (values[:, :reach], values[:, reach:] + decay[:, reach:] * values[:, :-reach]), dim=1
        )
        decay = torch.cat((decay[:, :reach], decay[:, reach:] * decay[:, :-reach]), dim=1)
        reach *= 2
    return values


def _instant_rise(decay: Tensor, targets: Tensor, start: Tensor) -> Tensor:
    """y[n] = max(x[n], decay·y[n-1] + (1-decay)·x[n]): such maps compose, so one scan solves it."""
    least, offset, slope = targets, (1 - decay) * targets, decay.expand_as(targets)
    reach, hops = 1, targets.shape[1]
    while reach < hops:
        head, tail = slice(None, reach), slice(reach, None)
        least, offset, slope = (
            torch.cat((old[:, head], new), dim=1)
            for old, new in (
                (least, torch.maximum(least[:, tail], slope[:, tail] * least[:, :-reach] + offset[:, tail])),
                (offset, offset[:, tail] + slope[:, tail] * offset[:, :-reach]),
                (slope, slope[:, tail] * slope[:, :-reach]),
            )
        )
        reach *= 2
    return torch.maximum(least, slope * start + offset)


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # or what rendering leaves here could never be trained with
def _hilbert(reach: int) -> Tensor:
    """Taps (2·reach + 1,) of a Hilbert transformer under a Kaiser window."""
    position = torch.arange(-reach, reach + 1, dtype=torch.float64)
    odd = position.long() % 2 != 0
    ideal = torch.where(odd, 2 / (math.pi * torch.where(odd, position, 1.0)), 0.0)
    return ideal * torch.kaiser_window(2 * reach + 1, periodic=False, beta=6.0, dtype=torch.float64)
