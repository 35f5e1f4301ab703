"""Filtering whole excerpts by one transform, with responses that are computed where they bend."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
from scipy.fft import next_fast_len
from torch import Tensor

_RINGING_S = 0.25
_SEGMENTS = ((300.0, 0.75), (2400.0, 6.0), (math.inf, 40.0))
"""Up to a frequency in Hz, one point of the response at most so many Hz after another."""


def fast_size(frames: int) -> int:
    """The next size at which transforms are quick."""
    return 64 * int(next_fast_len(-(-frames // 64), real=True))


class Grid(NamedTuple):
    """Frequencies at which a response is computed, and how it spreads over all bins of a transform."""

    frequencies_hz: Tensor  # (points,)
    below: Tensor  # (bins,) the point at or below each bin
    share: Tensor  # (bins,) how far towards the next point

    def spread(self, response: Tensor) -> Tensor:
        """(..., points), real or complex, to (..., bins) along straight lines."""
        start = response[..., self.below]
        step = torch.cat(
            (response[..., 1:] - response[..., :-1], torch.zeros_like(response[..., :1])), dim=-1
        )
        return start + step[..., self.below] * self.share


def grid(frames: int, rate: int, device: torch.device) -> Grid:
    """The grid for excerpts of so many frames, with room for a quarter of a second of ringing."""
    return _grid(ring_size(frames, rate), rate, str(device))


def ring_size(frames: int, rate: int) -> int:
    """The size of the transform for `filtered`."""
    return fast_size(frames + round(_RINGING_S * rate))


def filtered(samples: Tensor, rate: int, response: Tensor) -> Tensor:
    """Filter (batch, channels, time) with a response (batch, 1 or channels, points) on `grid`.

    Surprise   what rings longer than a quarter of a second returns, faintly, at the beginning.
    """
    frames = samples.shape[-1]
    size = ring_size(frames, rate)
    spectrum = torch.fft.rfft(samples, size)
    spectrum = spectrum * grid(frames, rate, samples.device).spread(response)
    output: Tensor = torch.fft.irfft(spectrum, size)
    return output[..., :frames]


@functools.lru_cache(maxsize=16)
@torch.inference_mode(False)
def _grid(size: int, rate: int, device: str) -> Grid:
    last = size // 2
    points, start = [], 0
    for highest_hz, spacing_hz in _SEGMENTS:
        end = min(last, math.floor(highest_hz * size / rate)) if math.isfinite(highest_hz) else last
        if end > start:
            count = max(1, math.ceil((end - start) * rate / size / spacing_hz))
            points.append(torch.linspace(start, end, count + 1, dtype=torch.float64)[:-1])
            start = end
    at = torch.cat((*points, torch.tensor([last], dtype=torch.float64)))
    bins = torch.arange(last + 1, dtype=torch.float64)
    below = (torch.searchsorted(at, bins, right=True) - 1).clamp(max=len(at) - 2)
    share = (bins - at[below]) / (at[below + 1] - at[below])
    return Grid((at * (rate / size)).float().to(device), below.to(device), share.float().to(device))
