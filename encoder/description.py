"""A long description of an excerpt: statistics over time of all that the front end hears.

What a chain does to a sound shows in how levels are distributed, how fast they move and how they hang
together, not in when they do. So time is taken out here, by fixed statistics, and what is learned
afterwards is small and fast. The explicit features, which people can read, come first.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .band_loudness import BALANCES, balances, k_weighted, loudness
from .explicit import EXPLICIT_NAMES, explicit
from .frontend import BANDS, FAST_HOP, FAST_SIGNALS, FLOOR_DB, HOP, SIGNALS, Features
from .movements import LEAST_HOPS, movements, quantiles

_POOLED = 32  # bands, three of the spectrum's together
_WIDE = 16
_TONES = 48
_SHARES = (0.1, 0.5, 0.9)
_LOUD_SHARES = (0.5, 0.9, 0.99)
_BALANCE_SHARES = (0.05, 0.5, 0.95)
_LAGS = (1, 4, 16)
_PRECISE = len(EXPLICIT_NAMES)  # where whole loudness and balances begin
_LOUDNESS_MARKS = torch.arange(-36.0, -8.0)
_BALANCE_MARKS = torch.arange(-10.0, 11.0)
_MARKED_BALANCES = (0, 1, 3)  # over all, lowest range, middle range
_MARK_WIDTH = 0.8

MARKS = 2 * len(_LOUDNESS_MARKS) + len(_MARKED_BALANCES) * len(_BALANCE_MARKS)
"""Columns of `marks`."""


def describe(features: Features) -> Tensor:
    """Statistics (batch, DESCRIPTION) of excerpts; silence gives finite values.

    After the explicit features: loudness without gates, in LUFS, and balances (`band_loudness`); mean
    level per band of mid, side to mid, right to left; quantiles over time and mean change at three lags
    of 32 bands of mid and side; how side to mid, right to left and neighbouring bands fluctuate;
    quantiles of all these; `movements`. Levels are relative to the loudness; excerpts that are too short
    for the slowest of it are repeated.
    """
    spectrum, envelope = _long_enough(features)
    weighted = k_weighted(10 ** (spectrum / 10))
    said = explicit(Features(spectrum, envelope), weighted)
    loudness_db = said[:, 0]
    relative = (spectrum - loudness_db[:, None, None, None]).clamp(min=-80)
    mid, side, left, right = relative.unbind(1)  # (batch, bands, frames)
    parts = [said, loudness(weighted)[0][:, None], balances(weighted)]
    parts += [_pool(mid.mean(-1), _TONES), _pool((side - mid).mean(-1), _TONES)]
    parts.append(_pool((right - left).mean(-1), _POOLED))
    both = _pool(torch.stack((mid, side), 1), _POOLED, 2)
    centre = both.mean(-1, keepdim=True)
    parts.append(quantiles(both - centre, _SHARES))
    parts += [(both[..., lag:] - both[..., :-lag]).abs().mean(-1) for lag in _LAGS]
    parts.append(_pool((side - mid).std(-1), _POOLED))
    parts.append(_pool((right - left).std(-1), _POOLED))
    rough = (mid[:, 1:] - mid[:, :-1]).abs().mean(-1)
    parts.append(_pool(torch.cat((rough, rough[:, -1:]), 1), _POOLED))
    wide = _pool(relative, _WIDE, 2)
    parts.append(quantiles(wide[:, 1] - wide[:, 0], _SHARES))
    parts.append(quantiles(wide[:, 3] - wide[:, 2], _BALANCE_SHARES))
    parts.append(quantiles(_pool(mid, _TONES, 1), _LOUD_SHARES))
    parts.append(movements(envelope, loudness_db))
    return torch.cat([part.flatten(1) for part in parts], 1)


def marks(described: Tensor) -> Tensor:
    """Where loudness and balance lie (batch, MARKS), each as a bump on a ruler of 1 dB, up to 2.

    They are known to a fraction of a decibel, which one number each would tell a network too coarsely.
    """
    loudnesses = described[:, [0, _PRECISE]]
    sides = described[:, [_PRECISE + 1 + index for index in _MARKED_BALANCES]]
    return torch.cat([_bumps(loudnesses, _LOUDNESS_MARKS), _bumps(sides, _BALANCE_MARKS)], 1)


def _bumps(values: Tensor, ruler: Tensor) -> Tensor:
    distance = (values[..., None] - ruler.to(values)) / _MARK_WIDTH
    return (2 * torch.exp(-distance.square() / 2)).flatten(1)


def _pool(values: Tensor, bands: int, axis: int = -1) -> Tensor:
    """Neighbouring bands along an axis to their mean, so many remaining."""
    axis = axis % values.ndim
    pooled: Tensor = values.unflatten(axis, (bands, -1)).mean(axis + 1)
    return pooled


def _long_enough(features: Features) -> Features:
    hops = features.envelope.shape[-1]
    times = -(-LEAST_HOPS // hops)
    return Features(*(part.tile(times) for part in features)) if times > 1 else features


def _silence() -> Features:
    frames = LEAST_HOPS * FAST_HOP // HOP
    return Features(
        torch.full((1, len(SIGNALS), BANDS, frames), FLOOR_DB),
        torch.full((1, FAST_SIGNALS, LEAST_HOPS), FLOOR_DB),
    )


def _columns() -> tuple[int, Tensor]:
    silence = _silence()
    count = describe(silence).shape[1]
    spectral = torch.ones(count)
    spectral[EXPLICIT_NAMES.index("crest_db") : len(EXPLICIT_NAMES)] = 0
    spectral[count - movements(silence.envelope, torch.zeros(1)).shape[1] :] = 0
    return count, spectral


with torch.inference_mode():
    DESCRIPTION, _spectral = _columns()
"""Columns of `describe`."""

SPECTRAL: Tensor = _spectral.clone()
"""(DESCRIPTION,) 1 for the columns that come from spectra of 46 ms, 0 for those of the fast envelopes."""

assert max(_MARKED_BALANCES) < BALANCES
