"""How the spectrum goes by: power every 12 ms, from which onsets and decays are read."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_WINDOW_S = 2048 / 44100
_BLOCK_S = 30.0


def hop_frames(rate: int) -> int:
    """Samples from one spectrum to the next: 512 at 44.1 kHz."""
    return _window(rate) // 4


def powers(samples: Tensor, rate: int) -> Tensor:
    """Power spectra (frames, bins) of (1 or 2, time), both channels' sum; frame k is centred on k hops."""
    window, hop = _window(rate), hop_frames(rate)
    taper = torch.hann_window(window)
    whole = torch.nn.functional.pad(samples, (window // 2, window // 2))
    step = hop * max(1, round(_BLOCK_S * rate / hop))
    found = []
    for start in range(0, samples.shape[1] + 1, step):  # by blocks, since the frames of a song are many
        block = whole[:, start : start + step + window - hop]
        if block.shape[1] >= window:
            spectrum = torch.fft.rfft(block.unfold(1, window, hop) * taper)
            found.append((spectrum.real.square() + spectrum.imag.square()).sum(0))
    return torch.cat(found)


def _window(rate: int) -> int:
    return int(2 ** round(math.log2(_WINDOW_S * rate)))
