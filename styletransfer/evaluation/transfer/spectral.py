"""How far is a sound's spectrum, moment by moment, from the true one's? The multi-scale spectral distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SIZES = (4096, 2048, 1024, 512)
MAGNITUDE_WEIGHT, LOG_WEIGHT = 0.9, 0.1
FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Spectral:
    """The distance on left and right, and on mid and side; 0 for equal sounds."""

    left_right: float
    mid_side: float


class Truth:
    """A true sound (2, time), ready to be compared with."""

    def __init__(self, samples: Tensor, sizes: Sequence[int] = SIZES) -> None:
        self._sizes = tuple(sizes)
        self._frames = samples.shape[1]
        self._magnitudes = [_magnitudes(samples, size) for size in sizes]
        self._logs = [_log(magnitudes) for magnitudes in self._magnitudes]

    def distance(self, samples: Tensor) -> Spectral:
        """Of (2, time), as long as the truth: 0.9·L1 of magnitudes + 0.1·MSE of their log10, over all sizes.

        Magnitudes are Hann-windowed, divided by the window's sum, and floored at 1e-4 before the logarithm;
        hops are a quarter of the size; mid and side are (L ± R)/2; means are taken over bins, frames and both
        channels, sums over the sizes.
        Source   Koo et al., "Music mixing style transfer", ICASSP 2023, table 2, with normalized magnitudes.
        """
        if samples.shape != (2, self._frames):
            raise ValueError(f"the sound must be (2, {self._frames}), not {tuple(samples.shape)}")
        total = torch.zeros(2, dtype=torch.float64)
        for size, true, true_log in zip(self._sizes, self._magnitudes, self._logs, strict=True):
            found = _magnitudes(samples, size)
            total += MAGNITUDE_WEIGHT * _mean((found - true).abs())
            total += LOG_WEIGHT * _mean((_log(found) - true_log).square())
        return Spectral(*total.tolist())


def _magnitudes(samples: Tensor, size: int) -> Tensor:
    """(left, right, mid, side; bins; frames)."""
    window = torch.hann_window(size)
    spectrum = torch.stft(
        samples, size, size // 4, window=window, pad_mode="constant", return_complex=True
    ) / float(window.sum())
    mid_side = torch.stack((spectrum[0] + spectrum[1], spectrum[0] - spectrum[1])) / 2
    return torch.cat((spectrum, mid_side)).abs()


def _log(magnitudes: Tensor) -> Tensor:
    return magnitudes.clamp(min=FLOOR).log10()


def _mean(values: Tensor) -> Tensor:
    """(2,) over left and right, and over mid and side."""
    return values.mean((1, 2), dtype=torch.float64).reshape(2, 2).mean(1)
