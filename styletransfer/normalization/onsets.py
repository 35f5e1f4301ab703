"""Where do notes begin, and how high do their peaks stand?"""

from __future__ import annotations

import torch
from torch import Tensor

from .spectrogram import hop_frames

FEWEST = 3
"""Fewer onsets than these tell nothing of a stem's dynamics."""

_REACH = 3  # hops on either side that an onset's flux must top
_AROUND = 12  # hops on either side whose mean it must clearly exceed
_TIMES_MEAN = 1.5
_LEAST_SHARE = 0.1  # of the largest flux (its 98th percentile)
_BEFORE_HOPS, _AFTER_HOPS = 1, 5  # where an onset's peak is looked for: 12 ms before to 58 ms after


def onset_hops(power: Tensor) -> Tensor:
    """The hops (onsets,) at which notes begin, from power spectra (frames, bins).

    Source   spectral flux with a moving threshold; Dixon, "Onset detection revisited", DAFx 2006.
    """
    flux = power.sqrt().diff(dim=0).clamp(min=0).sum(1)
    if len(flux) < 2:
        return torch.zeros(0, dtype=torch.long)
    row = flux[None, None]
    highest = torch.nn.functional.max_pool1d(row, 2 * _REACH + 1, 1, _REACH)[0, 0]
    mean = torch.nn.functional.avg_pool1d(row, 2 * _AROUND + 1, 1, _AROUND, count_include_pad=False)[0, 0]
    least = _LEAST_SHARE * flux.sort().values[int(0.98 * (len(flux) - 1))]
    chosen = (flux == highest) & (flux > _TIMES_MEAN * mean) & (flux > least)
    return chosen.nonzero()[:, 0] + 1


def onset_peak_db(samples: Tensor, rate: int, hops: Tensor) -> float:
    """Mean over onsets of the sample peak, in dBFS, of the louder channel of (1 or 2, time) around each.

    hops     from `onset_hops`.
    Source   the onset peak level of Martínez-Ramírez et al., ISMIR 2022.
    """
    hop = hop_frames(rate)
    peaks = torch.nn.functional.pad(samples.abs().amax(0), (0, -samples.shape[1] % hop))
    per_hop = torch.nn.functional.pad(peaks.unflatten(0, (-1, hop)).amax(1), (_BEFORE_HOPS, _AFTER_HOPS))
    width = _BEFORE_HOPS + _AFTER_HOPS
    highest = per_hop.unfold(0, width, 1).amax(1)[hops.clamp(max=len(per_hop) - width)]
    return float(20 * torch.log10(highest.clamp(min=1e-6)).mean())
