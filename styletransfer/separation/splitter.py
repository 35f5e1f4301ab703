"""Drums, bass and the rest, told apart in an accompaniment without any training."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from scipy.ndimage import median_filter
from torch import Tensor

FFT, HOP = 4096, 1024
MEDIAN = 17
"""Frames (0.4 s) and bins (183 Hz) over which the medians are taken: the values of the first source below."""
CROSSOVER_HZ = 220.0
"""What is sustained below this belongs to the bass; 24 dB per octave."""


class Splitter(Protocol):
    fingerprint: str
    """Names the method and its settings or weights: part of a separator's fingerprint."""

    def split(self, accompaniment: Tensor, rate: int, gain: float = 1.0) -> Tensor:
        """(2, frames) → drums, bass, other as a new (3, 2, frames) whose sum is the accompaniment.

        gain  brings the accompaniment's song to the level that networks expect.
        """


class MedianSplitter:
    """What is smooth over frequency is drums, what is smooth over time is bass or other, by its pitch.

    Source: FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010, with soft
    masks as in Driedger, Müller & Disch, ISMIR 2014.
    """

    fingerprint = f"median-1 {FFT}/{HOP} {MEDIAN} {CROSSOVER_HZ}"

    def split(self, accompaniment: Tensor, rate: int, gain: float = 1.0) -> Tensor:
        window = torch.hann_window(FFT, device=accompaniment.device)
        spectrum = torch.stft(
            accompaniment, FFT, HOP, window=window, pad_mode="constant", return_complex=True
        )
        magnitude = spectrum.abs().square().mean(0).sqrt()  # one for both channels, so no source wanders
        sustained = _median(magnitude).square()
        struck = _median(magnitude.T).T.square()
        drums = struck / (struck + sustained).clamp_min(torch.finfo(torch.float32).tiny)
        frequency_hz = torch.fft.rfftfreq(FFT, 1 / rate, device=accompaniment.device)
        low = 1 / (1 + (frequency_hz[:, None] / CROSSOVER_HZ) ** 4)
        masks = torch.stack((drums, (1 - drums) * low))
        drums, bass = (
            torch.istft(spectrum * mask, FFT, HOP, window=window, length=accompaniment.shape[-1])
            for mask in masks
        )
        return torch.stack((drums, bass, accompaniment - drums - bass))


def _median(x: Tensor) -> Tensor:
    """The median over MEDIAN neighbours along the last axis of (rows, columns), same shape."""
    half = MEDIAN // 2
    padded = F.pad(x[None], (half, half), mode="replicate")[0].contiguous()
    # One long row: scipy's filter in one dimension is eight times as fast as in two.
    flat = median_filter(padded.cpu().numpy().ravel(), MEDIAN)
    return torch.from_numpy(flat).reshape(padded.shape)[:, half:-half].to(x.device)
