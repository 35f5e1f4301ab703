"""Is it still the same music? Onsets and harmony of a sound against what it was made from."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .magnitude import magnitude
from .measures import active_frames

FFT = 4096
HOP_S = 0.01
LOWEST_HZ, HIGHEST_HZ = 65.4, 2093.0
"""The octaves whose pitches count, C2 to C7."""


class Content:
    """Onsets and harmony over time of (channels, time) at a rate, read from the mean of the channels.

    onsets  (frames − 1,) spectral flux: what all magnitudes rose by within HOP_S.
    chroma  (frames, 12) shares of the pitch classes in each frame's magnitude; sounding: (frames,) whether
            they count, as `measures` has it.
    Source  spectral flux: Bello et al., IEEE Trans. Speech Audio Process. 13, 2005; chroma: Fujishima,
            ICMC 1999.
    """

    def __init__(self, samples: Tensor, rate: int) -> None:
        window = torch.hann_window(FFT)
        hop = round(HOP_S * rate)
        spectrum = torch.stft(
            samples.mean(0), FFT, hop, window=window, pad_mode="constant", return_complex=True
        )
        magnitudes = magnitude(spectrum).T
        self.onsets = magnitudes.diff(dim=0).clamp(min=0).sum(-1)
        energy = magnitudes.square().sum(-1) / (FFT * window.square().sum())
        self.sounding = active_frames(energy)
        chroma = magnitudes[:, 1:] @ _pitch_classes(rate)
        self.chroma = chroma / chroma.sum(-1, keepdim=True).clamp(min=1e-6)

    def onsets_kept(self, source: Content) -> float:
        """Correlation with the source's onsets, in [-1, 1]; NaN where one side has none at all."""
        return _correlation(self.onsets, source.onsets)

    def chroma_kept(self, source: Content) -> float:
        """Correlation with the source's chroma where that sounds, in [-1, 1]; NaN where one side is silent.

        In a pause whatever rings is the whole harmony, however soft.
        """
        return _correlation(self.chroma[source.sounding], source.chroma[source.sounding])


def _pitch_classes(rate: int) -> Tensor:
    """(bins without the lowest, 12): 1 where a bin's nearest pitch is of a class."""
    hertz = torch.arange(1, FFT // 2 + 1) * rate / FFT
    pitch = torch.round(12 * torch.log2(hertz / 440)).long() % 12
    heard = (hertz >= LOWEST_HZ) & (hertz <= HIGHEST_HZ)
    return torch.nn.functional.one_hot(pitch, 12).float() * heard[:, None]


def _correlation(first: Tensor, second: Tensor) -> float:
    if not first.numel():
        return math.nan
    return float(torch.corrcoef(torch.stack((first.flatten(), second.flatten())))[0, 1])
