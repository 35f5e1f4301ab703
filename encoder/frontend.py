"""What the FXencoder's small preset hears: band spectra of four signals, and fast envelopes.

Nothing is normalized per band or per excerpt: that would erase the equalizer and the level, which
are style. Mid and side stay apart, and short windows keep what compressors and limiters leave.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

RATE = 44100
"""Sample rate in Hz that the front end takes."""

HOP = 1024
"""Samples per frame of `Features.spectrum`."""

FAST_HOP = 128
"""Samples per frame of `Features.envelope`."""

WINDOW = 2048
"""Samples that each frame of `Features.spectrum` hears."""

BANDS = 96
"""Bands of the spectrum, 30 Hz to 20 kHz, equally spaced on the ERB-rate scale."""

FLOOR_DB = -110.0
"""Levels are never read below this."""

MONO = 1e-6
"""The least power of the side re the mid: what lies further below can't be told from rounding."""

SIGNALS = ("mid", "side", "left", "right")
"""The signals of `Features.spectrum`, in order."""

FAST_MID_BANDS, FAST_SIDE_BANDS = 12, 4
FAST_SIGNALS = 6 + FAST_MID_BANDS + FAST_SIDE_BANDS
"""Rows of `Features.envelope`: highest, lowest sample and level of left, then right; mid, side bands."""

_FAST_WINDOW = 256
_CHUNK = 4  # excerpts that are heard at a time: more don't fit a cache
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 20000.0


class Features(NamedTuple):
    """What was heard of excerpts, levels in dB re full scale (a full-scale sine in its band: −3).

    spectrum  (batch, 4, BANDS, frames) power per band of SIGNALS, one frame per HOP.
    envelope  (batch, FAST_SIGNALS, fast frames), one frame per FAST_HOP: 8 for each of the spectrum's.
    """

    spectrum: Tensor
    envelope: Tensor


class Frontend(nn.Module):
    """Samples to `Features`; no learned weights."""

    window: Tensor
    fast_window: Tensor
    bands: Tensor
    fast_bands: Tensor

    def __init__(self) -> None:
        super().__init__()
        # twice each row: a bin's power is the sum of two squares
        buffers = {
            "window": torch.hann_window(WINDOW),
            "fast_window": torch.hann_window(_FAST_WINDOW),
            "bands": band_matrix(WINDOW, BANDS).repeat_interleave(2, 0),
            "fast_bands": band_matrix(_FAST_WINDOW, FAST_MID_BANDS).repeat_interleave(2, 0),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, samples: Tensor) -> Features:
        """Features of (batch, 2, time ≥ 2048) at RATE; time is cut to whole hops. ValueError for less."""
        if samples.ndim != 3 or samples.shape[1] != 2 or samples.shape[2] < WINDOW:
            raise ValueError(f"samples must be (batch, 2, ≥ {WINDOW}), not {tuple(samples.shape)}")
        samples = samples[..., : samples.shape[-1] // HOP * HOP]
        parts = [self._hear(chunk) for chunk in samples.split(_CHUNK)]
        return Features(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def _hear(self, samples: Tensor) -> Features:
        spectrum = decibels(_powers(samples, self.window, HOP, self.bands))
        mid, side, *_ = _powers(samples, self.fast_window, FAST_HOP, self.fast_bands).unbind(1)
        side = side.unflatten(1, (FAST_SIDE_BANDS, -1)).sum(2)
        hops = samples.unflatten(-1, (-1, FAST_HOP))
        extremes = torch.stack(
            (
                decibels(hops.amax(-1).clamp(min=0).square()),
                decibels(hops.amin(-1).clamp(max=0).square()),
                decibels(hops.square().mean(-1)),
            ),
            2,
        )  # (batch, 2, 3, hops)
        envelope = torch.cat(
            (
                extremes.flatten(1, 2),
                decibels(mid),
                decibels(side),
            ),
            1,
        )
        return Features(spectrum, envelope)


def band_matrix(window: int, bands: int) -> Tensor:
    """(bins, bands): power spectrum to power per band by triangles that overlap by half and sum to one.

    Source   ERB-rate scale, Glasberg and Moore, Hearing Research 47, 1990. Where bins are wider than
             bands, a triangle is at least one bin wide to each side.
    """
    low, high = _erb_rate(_LOWEST_HZ), _erb_rate(_HIGHEST_HZ)
    edges = _hertz(torch.linspace(low, high, bands + 2, dtype=torch.float64))
    bins = torch.arange(window // 2 + 1, dtype=torch.float64) * RATE / window
    centre = edges[1:-1]
    below = torch.maximum(centre - edges[:-2], torch.tensor(RATE / window, dtype=torch.float64))
    above = torch.maximum(edges[2:] - centre, torch.tensor(RATE / window, dtype=torch.float64))
    distance = bins[:, None] - centre
    weight = (1 - torch.where(distance < 0, -distance / below, distance / above)).clamp(min=0)
    energy = torch.hann_window(window, dtype=torch.float64).square().sum() * window
    return (weight * 2 / energy).float()


def _powers(samples: Tensor, window: Tensor, hop: int, bands: Tensor) -> Tensor:
    """(batch, 2, time) → (batch, 4, bands, time // hop): power of SIGNALS, one frame centred on each hop."""
    length = len(window)
    before = (length - hop) // 2
    padded = nn.functional.pad(samples.flatten(0, 1), (before, length - hop - before))
    spectrum = torch.stft(padded, length, hop, window=window, center=False, return_complex=True)
    parts = torch.view_as_real(spectrum.transpose(1, 2)).flatten(2).unflatten(0, (-1, 2))
    one, other = parts.unbind(1)  # (batch, frames, 2 · bins), as torch.stft lays it out
    left, right, common = (
        (product @ bands).transpose(1, 2) for product in (one.square(), other.square(), one * other)
    )
    mean = (left + right) / 4
    mid = mean + common / 2
    side = torch.maximum(mean - common / 2, mid * MONO)
    return torch.stack((mid, side, left, right), 1)


def decibels(power: Tensor) -> Tensor:
    """Power in dB, at least FLOOR_DB."""
    return 10 * torch.log10(power.clamp(min=10 ** (FLOOR_DB / 10)))


def _erb_rate(frequency_hz: float) -> float:
    return 21.4 * math.log10(1 + 0.00437 * frequency_hz)


def _hertz(erb_rate: Tensor) -> Tensor:
    return (10 ** (erb_rate / 21.4) - 1) / 0.00437
