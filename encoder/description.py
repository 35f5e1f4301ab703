"""A long description of an excerpt: statistics over time of all that the front end hears.

What a chain does to a sound shows in how levels are distributed, how fast they move and how they hang
together, not in when they do. So time is taken out here, by fixed statistics, and what is learned
afterwards is small and fast. The explicit features, which people can read, come first.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .explicit import EXPLICIT_NAMES, explicit
from .frontend import BANDS, FAST_MID_BANDS, FAST_SIDE_BANDS, FAST_SIGNALS, Features

_POOLED = 32  # bands, three of the spectrum's together
_TONES = 48
_SHARES = (0.1, 0.5, 0.9)
_LAGS = (1, 4, 16)
_FAST_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_FAST_LAGS = (1, 4, 16, 64)
_CREST_SHARES = (0.1, 0.5, 0.9, 0.99)
_MID_ROWS = slice(6, 6 + FAST_MID_BANDS)
_PAIRS = torch.triu_indices(FAST_MID_BANDS, FAST_MID_BANDS, 1)
_SOFTEST_DB = -80.0  # of the envelope: below this, how fast levels move says nothing

DESCRIPTION = (
    len(EXPLICIT_NAMES)
    + 2 * _TONES
    + _POOLED
    + 2 * len(_SHARES) * _POOLED
    + 2 * len(_LAGS) * _POOLED
    + 3 * _POOLED
    + FAST_SIGNALS * len(_FAST_SHARES)
    + 3 * FAST_SIGNALS * len(_FAST_LAGS)
    + _PAIRS.shape[1]
    + 4 * len(_CREST_SHARES)
)
"""Columns of `describe`."""


def describe(features: Features) -> Tensor:
    """Statistics (batch, DESCRIPTION) of excerpts; silence gives finite values.

    After the explicit features, in dB or dB per lag, relative to the loudness where levels are meant:
    mean level per band of mid, side to mid, right to left; quantiles over time and mean change at
    three lags of 32 bands of mid and side; how side to mid, right to left and neighbouring bands
    fluctuate; quantiles, rises, falls and root-mean-square changes of each row of the envelope; how
    changes hang together between its bands; quantiles of peak over level per hop and of its asymmetry.
    """
    spectrum, envelope = features
    said = explicit(features)
    loudness = said[:, :1, None]
    mid, side, left, right = (
        (spectrum - loudness[..., None]).clamp(min=-80).unbind(1)
    )  # (batch, bands, frames)
    parts = [said]
    parts += [_pool(mid.mean(-1), _TONES), _pool((side - mid).mean(-1), _TONES)]
    parts.append(_pool((right - left).mean(-1), _POOLED))
    both = torch.stack((mid, side), 1).unflatten(2, (_POOLED, BANDS // _POOLED)).mean(3)
    centre = both.mean(-1, keepdim=True)
    parts.append(_quantiles(both - centre, _SHARES).flatten(1))
    parts += [(both[..., lag:] - both[..., :-lag]).abs().mean(-1).flatten(1) for lag in _LAGS]
    parts.append(_pool((side - mid).std(-1), _POOLED))
    parts.append(_pool((right - left).std(-1), _POOLED))
    rough = (mid[:, 1:] - mid[:, :-1]).abs().mean(-1)
    parts.append(_pool(torch.cat((rough, rough[:, -1:]), 1), _POOLED))
    parts += _movements(envelope)
    return torch.cat(parts, 1)


def _movements(envelope: Tensor) -> list[Tensor]:
    levels = envelope.clamp(min=_SOFTEST_DB)
    ordered = _quantiles(levels, _FAST_SHARES)
    parts = [(ordered - ordered[..., 2:3]).flatten(1)]
    for lag in _FAST_LAGS:
        change = levels[..., lag:] - levels[..., :-lag]
        parts += [change.clamp(min=0).mean(-1), change.clamp(max=0).mean(-1), change.square().mean(-1).sqrt()]
        if lag == _FAST_LAGS[2]:
            mids = change[:, _MID_ROWS]
            mids = mids - mids.mean(-1, keepdim=True)
            scaled = mids / mids.square().sum(-1, keepdim=True).sqrt().clamp(min=1e-3)
            together = scaled @ scaled.transpose(1, 2)
            parts.append(together[:, _PAIRS[0], _PAIRS[1]])
    high, low, level = levels[:, :6].unflatten(1, (2, 3)).unbind(2)  # (batch, 2, hops) each
    peak = torch.maximum(high, low) - level
    parts += [_quantiles(each, _CREST_SHARES).flatten(1) for each in (peak, high - low)]
    return parts


def _pool(values: Tensor, bands: int) -> Tensor:
    pooled: Tensor = values.unflatten(-1, (bands, -1)).mean(-1)
    return pooled


def _quantiles(values: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Quantiles (..., len(shares)) over the last axis."""
    places = [round(share * (values.shape[-1] - 1)) for share in shares]
    found: Tensor = values.sort(-1).values[..., places]
    return found


assert 6 + FAST_MID_BANDS + FAST_SIDE_BANDS == FAST_SIGNALS
