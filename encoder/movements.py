"""How levels move: what compressors, expanders, limiters, saturators and rooms leave behind.

Statistics over time of the front end's fast envelope. Each is a share, a mean or a quantile, so that when
things happen doesn't matter, only how often and how fast.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from .frontend import FAST_MID_BANDS, FAST_SIDE_BANDS, FAST_SIGNALS, decibels

_SOFTEST_DB = -60.0  # re the loudness: below this, how fast levels move says nothing
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_LAGS = (1, 4, 16, 64)
_CREST_SHARES = (0.1, 0.5, 0.9, 0.99)
_MID_ROWS = slice(6, 6 + FAST_MID_BANDS)
_PAIRS = torch.triu_indices(FAST_MID_BANDS, FAST_MID_BANDS, 1)
_BELOW_TOP_DB = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0)
_BELOW_SIGNED_TOP_DB = (0.1, 1.0)
_CHANGES_DB = (-12.0, -5.0, -2.0, -0.7, 0.7, 2.0, 5.0, 12.0)
_LEVELS_DB = (-99.0, -15.0, -7.0, -2.5, 0.0, 2.5, 6.0, 99.0)
_PORTRAIT_LAGS = (8, 32, 128)
_RISE_HOPS, _RISE_DB, _RISE_SHARE = 8, 3.0, 0.93
_AROUND_HOPS = (-64, -24, -8, -3, 0, 3, 6, 12, 24, 48, 96, 192)
_BALANCE_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)

LEAST_HOPS = 512
"""The fewest fast hops that can be read."""


def movements(envelope: Tensor, loudness_db: Tensor) -> Tensor:
    """Statistics (batch, columns) of `Features.envelope` (batch, FAST_SIGNALS, ≥ LEAST_HOPS).

    loudness_db  (batch,), what levels are read relative to.
    """
    levels = (envelope - loudness_db[:, None, None]).clamp(min=_SOFTEST_DB)
    high, low, level = levels[:, :6].unflatten(1, (2, 3)).unbind(2)  # of left and right (batch, 2, hops)
    bands = levels[:, _MID_ROWS]
    power = (10 ** (bands / 10)).unflatten(1, (4, -1)).sum(2)
    groups = decibels(torch.cat((power.sum(1, keepdim=True), power), 1)).clamp(min=_SOFTEST_DB)
    total = groups[:, 0] - groups[:, 0].median(-1, keepdim=True).values
    parts = [
        *_distributions(levels),
        *_crests(high, low, level),
        *_ceilings(high, low),
        *_change_shares(groups),
        *_portrait(total),
        *_crest_by_level(torch.maximum(high, low) - level, level),
        *_onsets(groups),
        *_with_the_total(bands, total),
        (level[:, 1] - level[:, 0]).quantile(level.new_tensor(_BALANCE_SHARES), -1).T,
    ]
    return torch.cat([part.flatten(1) for part in parts], 1)


def quantiles(values: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Quantiles (..., len(shares)) over the last axis, the nearest value each."""
    places = [round(share * (values.shape[-1] - 1)) for share in shares]
    if values.is_cpu and not values.requires_grad and values.dtype == torch.float32:
        ordered = torch.from_numpy(np.sort(values.numpy(), -1))  # many times as fast as torch's
    else:
        ordered = values.sort(-1).values
    return ordered[..., places]


def _distributions(levels: Tensor) -> list[Tensor]:
    """Quantiles, rises, falls and root-mean-square changes of every row; how the bands' changes agree."""
    ordered = quantiles(levels, _SHARES)
    parts = [ordered - ordered[..., 2:3]]
    for lag in _LAGS:
        change = levels[..., lag:] - levels[..., :-lag]
        parts += [change.clamp(min=0).mean(-1), change.clamp(max=0).mean(-1), change.square().mean(-1).sqrt()]
        if lag == _LAGS[2]:
            mids = change[:, _MID_ROWS]
            mids = mids - mids.mean(-1, keepdim=True)
            scaled = mids / mids.square().sum(-1, keepdim=True).sqrt().clamp(min=1e-3)
            parts.append((scaled @ scaled.transpose(1, 2))[:, _PAIRS[0], _PAIRS[1]])
    return parts


def _crests(high: Tensor, low: Tensor, level: Tensor) -> list[Tensor]:
    """Peak over level per hop, and positive over negative peaks."""
    return [quantiles(each, _CREST_SHARES) for each in (torch.maximum(high, low) - level, high - low)]


def _ceilings(high: Tensor, low: Tensor) -> list[Tensor]:
    """Logarithms of the shares of hops whose peak comes that close to the highest: a limiter's ceiling."""
    parts = []
    for peak, below in (
        (torch.maximum(high, low), _BELOW_TOP_DB),
        (high, _BELOW_SIGNED_TOP_DB),
        (low, _BELOW_SIGNED_TOP_DB),
    ):
        distance = peak.amax(-1, keepdim=True) - peak
        share = torch.stack([(distance < most).to(peak).mean(-1) for most in below], -1)
        parts.append((share + 1e-3).log())
    return parts


def _change_shares(groups: Tensor) -> list[Tensor]:
    """How many changes over a lag stay below a number of decibels: of the total and of four ranges."""
    parts = []
    for lag in _LAGS:
        change = groups[..., lag:] - groups[..., :-lag]
        parts += [(change < most).to(change).mean(-1) for most in _CHANGES_DB]
    return parts


def _portrait(total: Tensor) -> list[Tensor]:
    """Where the level goes next from where it is: mean change and mean size of it, by level and lag."""
    parts = []
    for lag in _PORTRAIT_LAGS:
        change, now = total[:, lag:] - total[:, :-lag], total[:, :-lag]
        for here in _bins(now):
            count = here.sum(-1) + 5
            parts += [
                (here * change).sum(-1, keepdim=True) / count[:, None],
                (here * change.abs()).sum(-1, keepdim=True) / count[:, None],
            ]
    return parts


def _crest_by_level(crest: Tensor, level: Tensor) -> list[Tensor]:
    """Mean peak over level of the hops that are so loud: what a limiter or saturator flattens."""
    around = level - level.median(-1, keepdim=True).values
    return [(here * crest).sum(-1) / (here.sum(-1) + 5) for here in _bins(around)]


def _onsets(groups: Tensor) -> list[Tensor]:
    """The mean course of levels around steep rises, and how many there are."""
    rise = groups[..., _RISE_HOPS:] - groups[..., :-_RISE_HOPS]
    after = groups[..., _RISE_HOPS:]
    steep = (rise >= rise.quantile(_RISE_SHARE, -1, keepdim=True)) & (rise > _RISE_DB)
    steep &= after > after.median(-1, keepdim=True).values
    here = torch.nn.functional.pad(steep.to(groups), (_RISE_HOPS, 0))
    before, behind = -_AROUND_HOPS[0], _AROUND_HOPS[-1]
    hops = groups.shape[-1]
    here, now = here[..., before : hops - behind], groups[..., before : hops - behind]
    count = here.sum(-1)
    parts = [
        ((groups[..., before + shift : hops - behind + shift] - now) * here).sum(-1) / (count + 3)
        for shift in _AROUND_HOPS
    ]
    return [*parts, (count + 1).log()]


def _with_the_total(bands: Tensor, total: Tensor) -> list[Tensor]:
    """How far each band moves when the total does, and how closely."""
    total = (total - total.mean(-1, keepdim=True))[:, None]
    bands = bands - bands.mean(-1, keepdim=True)
    common = (bands * total).mean(-1)
    spread = total.square().mean(-1)
    return [common / (spread + 1), common / (bands.std(-1) * spread.sqrt() + 1)]


def _bins(level_db: Tensor) -> list[Tensor]:
    """Which hops lie in each range of levels, 1 or 0."""
    return [
        ((level_db >= low) & (level_db < high)).to(level_db) for low, high in itertools.pairwise(_LEVELS_DB)
    ]


assert 6 + FAST_MID_BANDS + FAST_SIDE_BANDS == FAST_SIGNALS
