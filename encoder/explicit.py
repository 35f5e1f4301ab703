"""What can be said of a style in words: level, tone, width, balance, punch, dynamics and decay, as numbers.

Computed from the front end's features.
Only active frames count, as in `measures`: those within 40 dB of the loudest.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .band_loudness import k_weighted, loudness
from .frontend import BANDS, FAST_MID_BANDS, Features, decibels

_ACTIVE_DB = 40.0
_EMPTY_DB = -60.0  # a band of the side, relative to the mid's, isn't told apart below this
_PER_TONE = 4  # bands of the spectrum per band of tone
_TONES = BANDS // _PER_TONE
_RANGES = (range(0, 30), range(30, 60), range(60, 96))  # below 780 Hz, to 3.7 kHz, above
_RANGE_NAMES = ("low", "mid", "high")
_FAST_RANGES = (
    range(6, 10),
    range(10, 14),
    range(14, 18),
)  # rows of the envelope: below 0.95 kHz, to 4.4, above
_PEAK_QUANTILES = (0.1, 0.5, 0.9, 0.99)
_BLOCK = 138  # fast hops in 400 ms
_SLOPE_HOPS = 16  # decay is read over 46 ms

EXPLICIT_NAMES: tuple[str, ...] = (
    "loudness_lufs",
    *(f"mid_{band}_db" for band in range(_TONES)),
    *(f"side_{band}_db" for band in range(_TONES)),
    "width_db",
    *(f"width_{name}_db" for name in _RANGE_NAMES),
    "balance_db",
    *(f"balance_{name}_db" for name in _RANGE_NAMES),
    "crest_db",
    "punch_db",
    *(f"peak_{round(100 * share)}_db" for share in _PEAK_QUANTILES),
    "asymmetry_db",
    "spread_up_db",
    "spread_down_db",
    *(f"spread_{name}_db" for name in _RANGE_NAMES),
    *(f"decay_{name}_db" for name in _RANGE_NAMES),
    "flux_db",
)
"""What each column of `explicit` is."""


def explicit(features: Features, weighted: Tensor | None = None) -> Tensor:
    """Explicit features (batch, len(EXPLICIT_NAMES)) of excerpts; silence gives finite values.

    weighted   what `k_weighted` gives of the spectrum's power, where it is known.
    loudness   in LUFS, gated as ITU-R BS.1770-4 does; tone 24 bands of mid and side, relative to all power.
    width      side over mid power, balance right over left, over all and in three ranges.
    crest      peak over RMS; punch its median over 400 ms blocks; peak_N N % of hop peaks over RMS.
    asymmetry  99 % quantile of positive over that of negative peaks.
    spread     distance of quantiles of 23 ms levels (95 to 50 %, 50 to 10 %); by range 90 to 10 %.
    decay      median slope of the band level where it falls; flux its mean absolute change per frame.
    """
    spectrum = features.spectrum
    power = 10 ** (spectrum / 10)
    energy = power[:, 2] + power[:, 3]  # left and right (batch, bands, frames)
    active = _active(decibels(energy.sum(1)))
    share = active / active.sum(-1, keepdim=True)
    mean = (power * share[:, None, None]).sum(-1)  # (batch, 4, bands)
    whole = decibels(mean[:, 2:].sum((1, 2)))
    tone = mean.unflatten(-1, (_TONES, _PER_TONE)).sum(-1)
    relative = (decibels(tone[:, :2]) - whole[:, None, None]).clamp(min=_EMPTY_DB)
    totals = torch.stack([mean.sum(-1), *(mean[..., list(cut)].sum(-1) for cut in _RANGES)], -1)
    width = (decibels(totals[:, 1]) - decibels(totals[:, 0])).clamp(min=_EMPTY_DB)
    balance = (decibels(totals[:, 3]) - decibels(totals[:, 2])).clamp(_EMPTY_DB, -_EMPTY_DB)
    gated = loudness(k_weighted(power) if weighted is None else weighted)[1]
    columns = [gated[:, None], *relative.unbind(1), width, balance]
    columns += [_peaks(features.envelope), _dynamics(features, active), _decay(features.envelope)]
    bands_db = spectrum[:, 0]
    change = (bands_db[..., 1:] - bands_db[..., :-1]).abs().mean(1)
    columns.append((change * share[:, 1:]).sum(-1, keepdim=True))
    return torch.cat(columns, 1)


def _active(level_db: Tensor) -> Tensor:
    """(batch, frames) 1 where within 40 dB of the 95th percentile, else 0; all 1 where nothing is active."""
    loud = level_db.quantile(0.95, -1, keepdim=True)
    return (level_db >= loud - _ACTIVE_DB).to(level_db)


def _peaks(envelope: Tensor) -> Tensor:
    high, low, level = envelope[:, 0:6].unflatten(1, (2, 3)).unbind(2)  # (batch, 2, hops) each
    peak = torch.maximum(high, low).amax(1)
    power = (10 ** (level / 10)).mean(1)
    rms = decibels(power.mean(-1, keepdim=True))
    crest = peak.amax(-1, keepdim=True) - rms
    blocks = max(1, peak.shape[-1] // _BLOCK)
    size = min(_BLOCK, peak.shape[-1])
    cut = slice(0, blocks * size)
    block_db = decibels(power[:, cut].unflatten(-1, (blocks, size)).mean(-1))
    block_crest = peak[:, cut].unflatten(-1, (blocks, size)).amax(-1) - block_db
    punch = _masked_quantile(block_crest, _active(block_db), (0.5,))
    heard = _active(decibels(power))
    quantiles = _masked_quantile(peak, heard, _PEAK_QUANTILES) - rms
    upper, lower = (_masked_quantile(side.amax(1), heard, (0.99,)) for side in (high, low))
    return torch.cat((crest, punch, quantiles, (upper - lower).clamp(-30, 30)), 1)


def _dynamics(features: Features, active: Tensor) -> Tensor:
    power = 10 ** (features.spectrum[:, 0] / 10) + 10 ** (features.spectrum[:, 1] / 10)
    low, middle, high = _masked_quantile(decibels(power.sum(1)), active, (0.1, 0.5, 0.95)).unbind(1)
    columns = [high - middle, middle - low]
    for cut in _RANGES:
        soft, loud = _masked_quantile(decibels(power[:, list(cut)].sum(1)), active, (0.1, 0.9)).unbind(1)
        columns.append(loud - soft)
    return torch.stack(columns, 1)


def _decay(envelope: Tensor) -> Tensor:
    """Median slope in dB per 46 ms, at most 0, of three ranges where they fall and are active."""
    columns = []
    for cut in _FAST_RANGES:
        level = decibels((10 ** (envelope[:, list(cut)] / 10)).sum(1))
        blocks = (
            level[:, : level.shape[-1] // _SLOPE_HOPS * _SLOPE_HOPS].unflatten(-1, (-1, _SLOPE_HOPS)).mean(-1)
        )
        slope = blocks[:, 1:] - blocks[:, :-1]
        falling = _active(blocks)[:, :-1] * (slope < 0)
        columns.append(_masked_quantile(slope.clamp(max=0), falling, (0.5,)))
    return torch.cat(columns, 1)


def _masked_quantile(values: Tensor, mask: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Quantiles (batch, len(shares)) of the values (batch, n) where the mask isn't 0; 0 where it is empty."""
    ordered = torch.where(mask > 0, values, math.inf).sort(-1).values
    count = (mask > 0).sum(-1, keepdim=True)
    position = ((count - 1).clamp(min=0) * values.new_tensor(shares)).round().long()
    found = ordered.gather(-1, position)
    return torch.where(count > 0, found, 0.0)


assert _FAST_RANGES[-1].stop == 6 + FAST_MID_BANDS
