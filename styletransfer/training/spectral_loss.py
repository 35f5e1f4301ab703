"""What is minimized: how far a stem is from the true one, moment by moment and on the whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

SIZES = (4096, 2048, 1024, 512)
"""FFT sizes of the multi-scale spectral distance; hops are a quarter."""

_FLOOR = 1e-8  # of a bin's power: magnitudes of 1e-4 and below are silence
_LOG_WEIGHT, _MAGNITUDE_WEIGHT = 0.1, 0.9
_EDGES = tuple(round(2 ** (octave / 2)) for octave in range(1, 23))


def spectral_losses(estimate: Tensor, truth: Tensor, sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Mean distances over some FFT sizes: by moment and bin, and of long-term spectra.

    estimate, truth   (batch, 2, time).
    Returns  0.9 · L1 of magnitudes + 0.1 · MSE of their log10, with a soft floor at −80 dB, over left,
             right, mid and side, windows' sums taken out (Koo et al., ICASSP 2023, as `evaluation` has it
             with a hard floor); and the L1 of log10 magnitudes of half octaves' mean powers.
    """
    moments, tones = [], []
    for size in sizes:
        ours, theirs = _powers(estimate, size), _powers(truth, size)
        far = mse_loss(torch.log10(ours + _FLOOR) / 2, torch.log10(theirs + _FLOOR) / 2)
        off = l1_loss((ours + _FLOOR).sqrt(), (theirs + _FLOOR).sqrt())
        moments.append(_LOG_WEIGHT * far + _MAGNITUDE_WEIGHT * off)
        tones.append(l1_loss(_tone(ours), _tone(theirs)))
    return torch.stack(moments).mean(), torch.stack(tones).mean()


def _powers(samples: Tensor, size: int) -> Tensor:
    """(batch, 4, bins, frames) of left, right, mid and side."""
    window = torch.hann_window(size, device=samples.device)
    flat = torch.stft(
        samples.flatten(0, 1), size, size // 4, window=window, pad_mode="constant", return_complex=True
    )
    left, right = (flat / window.sum()).unflatten(0, (-1, 2)).unbind(1)
    four = torch.stack((left, right, (left + right) / 2, (left - right) / 2), 1)
    return four.real.square() + four.imag.square()


def _tone(powers: Tensor) -> Tensor:
    """(batch, 4, bands) log10 magnitudes of half octaves' mean powers over time."""
    mean = powers.mean(-1)
    edges = [edge for edge in dict.fromkeys(_EDGES) if edge < mean.shape[-1]]
    parts = torch.tensor_split(mean[..., 1:], [edge - 1 for edge in edges[1:]], dim=-1)
    return torch.log10(torch.stack([part.mean(-1) for part in parts], -1) + _FLOOR) / 2
