"""How loud is each excerpt of a batch? Quickly, for matching: no gate, and a spectrum in short frames."""

from __future__ import annotations

import functools

import numpy as np
import torch
from scipy.signal import sosfreqz
from torch import Tensor

from styletransfer.encoder.loudness import k_weighting

_FRAME = 4096
_SILENT = 1e-12
_MOST_DB = 80.0


def k_weighted_energy(samples: Tensor, rate: int) -> Tensor:
    """The K-weighted energy (batch,) of (batch, 2, time): mean square, summed over the channels.

    −0.691 + 10·log10 of it is the loudness in LUFS without the gate, within 0.1 LU for music
    (frames are cut without overlap, which smears the weighting of single low tones).
    Source   ITU-R BS.1770-4, by Parseval's theorem on frames of about 93 ms.
    """
    frames = samples.shape[-1]
    framed = torch.nn.functional.pad(samples, (0, -frames % _FRAME)).unflatten(-1, (-1, _FRAME))
    spectrum = torch.view_as_real(torch.fft.rfft(framed))
    power = spectrum.square().sum((1, 2, 4))
    return power @ _weights(rate).to(power) / max(1, frames)


def matching_factor(energy: Tensor, wanted: Tensor) -> Tensor:
    """The factor (batch,) on samples of such K-weighted energy that brings them to the wanted one.

    1 where either is silent; never more than 80 dB either way.
    """
    audible = (energy > _SILENT) & (wanted > _SILENT)
    ratio = torch.where(audible, wanted, 1.0) / torch.where(audible, energy, 1.0)
    return ratio.sqrt().clamp(10 ** (-_MOST_DB / 20), 10 ** (_MOST_DB / 20))


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)
def _weights(rate: int) -> Tensor:
    """(bins,): how much each bin's power counts towards the energy of a frame."""
    bins = np.arange(_FRAME // 2 + 1)
    _, response = sosfreqz(k_weighting(rate), bins * (rate / _FRAME), fs=rate)
    weights = np.abs(response) ** 2 * np.where((bins == 0) | (bins == _FRAME // 2), 1.0, 2.0) / _FRAME
    return torch.from_numpy(weights).float()
