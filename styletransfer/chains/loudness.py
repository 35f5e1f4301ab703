"""How loud is each excerpt of a batch? Quickly, for matching: no gate, and little arithmetic.

The K-weighted energy is a quadratic form of the samples. Its treble shelf, being smooth, needs the
correlation of samples up to 23 apart, which one matrix product of short blocks yields; its bass roll-off
and whatever the blocks can't tell apart are taken from the spectrum of a decimated copy.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import sosfreqz
from torch import Tensor

from styletransfer.encoder.loudness import k_weighting

from .spectra import fast_size

_BLOCK = 32
_LAGS = 24
_DECIMATION = _BLOCK
_CORRECTED_HZ = 550.0
_SILENT = 1e-12
_MOST_DB = 80.0


def k_weighted_energy(samples: Tensor, rate: int) -> Tensor:
    """The K-weighted energy (batch,) of (batch, 2, time): mean square, summed over the channels.

    −0.691 + 10·log10 of it is the loudness in LUFS without the gate, within 0.2 LU.
    Source   ITU-R BS.1770-4; Wiener-Khinchin theorem.
    """
    batch, _, frames = samples.shape
    blocks = torch.nn.functional.pad(samples, (0, -frames % _BLOCK)).reshape(batch, -1, _BLOCK)
    if samples.device.type == "cpu":  # one by one is quicker there
        products = torch.stack([block.T @ block for block in blocks])
    else:
        products = blocks.transpose(1, 2) @ blocks
    energy = (products * _kernel(rate, str(samples.device))).sum((1, 2))
    slow = blocks.view(batch, 2, -1, _DECIMATION).mean(-1)
    size = fast_size(slow.shape[-1])
    weights = _bass_weights(rate, size, str(samples.device))
    spectrum = torch.view_as_real(torch.fft.rfft(slow, size)[..., : len(weights)])
    energy = energy + spectrum.square().sum((1, 3)) @ weights
    return energy.clamp(min=0) / max(1, frames)


def matching_factor(energy: Tensor, wanted: Tensor) -> Tensor:
    """The factor (batch,) on samples of such K-weighted energy that brings them to the wanted one.

    1 where either is silent; never more than 80 dB either way.
    """
    audible = (energy > _SILENT) & (wanted > _SILENT)
    ratio = torch.where(audible, wanted, 1.0) / torch.where(audible, energy, 1.0)
    return ratio.sqrt().clamp(10 ** (-_MOST_DB / 20), 10 ** (_MOST_DB / 20))


def _power(rate: int, frequencies_hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    _, response = sosfreqz(k_weighting(rate), frequencies_hz, fs=rate)
    return np.asarray(np.abs(response) ** 2)


@functools.lru_cache(maxsize=4)
def _shelf(rate: int) -> NDArray[np.float64]:
    """Weights (lags,) of a cosine series that follows the K-weighting above the corrected bass."""
    frequencies_hz = np.linspace(_CORRECTED_HZ / 2, rate / 2, 2000)
    wanted = _power(rate, frequencies_hz)
    cosines = np.cos(2 * np.pi / rate * frequencies_hz[:, None] * np.arange(_LAGS))
    ridge = 1e-3 * np.diag(np.arange(_LAGS) ** 2 / _LAGS**2)
    scaled = cosines / wanted[:, None]
    return np.asarray(np.linalg.solve(scaled.T @ scaled + ridge, scaled.sum(0)))


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)
def _kernel(rate: int, device: str) -> Tensor:
    """(block, block): what each product of two samples of a block counts.

    A block holds fewer pairs the farther they are apart, so that far ones count for more.
    """
    apart = np.abs(np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK)))
    weights = np.concatenate((_shelf(rate), np.zeros(_BLOCK - _LAGS)))
    weights[1:] /= 2  # each pair appears twice
    weights *= _BLOCK / (_BLOCK - np.arange(_BLOCK))
    return torch.from_numpy(weights[apart]).float().to(device)


@functools.lru_cache(maxsize=16)
@torch.inference_mode(False)
def _bass_weights(rate: int, size: int, device: str) -> Tensor:
    """(bins,): what the decimated copy's power counts, on top of the blocks'."""
    slow_rate = rate / _DECIMATION
    frequencies_hz = np.arange(size // 2) * (slow_rate / size)
    frequencies_hz = frequencies_hz[frequencies_hz < _CORRECTED_HZ]
    series = np.cos(2 * np.pi / rate * frequencies_hz[:, None] * np.arange(_LAGS)) @ _shelf(rate)
    angle = np.pi * frequencies_hz / rate
    with np.errstate(invalid="ignore"):
        averaging = np.where(angle > 0, np.sin(_DECIMATION * angle) / (_DECIMATION * np.sin(angle)), 1.0)
    weights = (_power(rate, frequencies_hz) - series) / averaging**2
    weights *= np.where(frequencies_hz > 0, 2.0, 1.0) * (_DECIMATION / size)
    return torch.from_numpy(weights).float().to(device)
