"""Loudness read from the front end's bands: as effects keep it, as the standard gates it, left and right.

Every effect but gain is matched in K-weighted loudness, so what an excerpt's loudness says of its gain is
exact to a tenth of a decibel, if only it is weighted alike.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from scipy.signal import sosfreqz
from torch import Tensor
from torch.nn import functional

from .frontend import BANDS, HOP, RATE, WINDOW, band_matrix, decibels
from .loudness import k_weighting

BALANCES = 6
"""Columns of `balances`."""

_BLOCK, _STEP = round(0.4 * RATE / HOP), round(0.1 * RATE / HOP)
_GATE_LU = 10.0
_TONES = 600
_RIDGE = 1e-3
_RANGES = (range(0, 12), range(12, 24), range(24, 48), range(48, 72), range(72, BANDS))


def k_weighted(power: Tensor) -> Tensor:
    """Power (batch, 4, BANDS, frames) of the front end's signals, weighted as ITU-R BS.1770-4 hears."""
    weighted: Tensor = power * _weights(str(power.device))[:, None]
    return weighted


def loudness(weighted: Tensor) -> tuple[Tensor, Tensor]:
    """Loudness (batch,) in LUFS without the standard's gates, and with them, of what `k_weighted` gives.

    Within .1 LU of `loudness.integrated_lufs` for sounds of some seconds: blocks of 395 ms, by frames.
    """
    energy = weighted[:, 2:].sum((1, 2))  # left and right (batch, frames)
    size = min(_BLOCK, energy.shape[-1])
    blocks = functional.avg_pool1d(energy[:, None], size, _STEP)[:, 0]
    audible = decibels(blocks) - 0.691 > -70
    mean = (blocks * audible).sum(-1) / audible.sum(-1).clamp(min=1)
    loud = audible & (decibels(blocks) > (decibels(mean) - _GATE_LU)[:, None])
    gated = (blocks * loud).sum(-1) / loud.sum(-1).clamp(min=1)
    return decibels(energy.mean(-1)) - 0.691, decibels(gated) - 0.691


def balances(weighted: Tensor) -> Tensor:
    """Right over left (batch, BALANCES) in dB, within ±60: over all, then in five ranges from low to high."""
    over_time = weighted[:, 2:].sum(-1)  # (batch, 2, bands)
    totals = torch.stack([over_time.sum(-1), *(over_time[..., list(cut)].sum(-1) for cut in _RANGES)], -1)
    left, right = decibels(totals).unbind(1)
    return (right - left).clamp(-60, 60)


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)
def _weights(device: str) -> Tensor:
    """(BANDS,): weights with which the bands of tones of any pitch sum to what the standard gives them.

    Least squares over tones, drawn towards the weight at each band's centre: low bands overlap by more
    than half, so that these weights alone would count bass too much by 2 dB.
    """
    tones_hz = np.geomspace(25, 20_000, _TONES)
    angle = 2 * np.pi / RATE * tones_hz[:, None] * np.arange(WINDOW)
    power = np.abs(np.fft.fft(np.hanning(WINDOW + 1)[:-1] * np.exp(1j * angle))) ** 2 / 4
    heard = power[:, : WINDOW // 2 + 1] @ band_matrix(WINDOW, BANDS).double().numpy()
    _, response = sosfreqz(k_weighting(RATE), tones_hz, fs=RATE)
    wanted = np.abs(response) ** 2
    near = wanted[heard.argmax(0)]
    scaled = heard / (0.5 * wanted[:, None]) * near  # of weights re those at the bands' centres
    ridge = _RIDGE * _TONES / BANDS
    solved = np.linalg.solve(scaled.T @ scaled + ridge * np.eye(BANDS), scaled.sum(0) + ridge)
    return torch.from_numpy(solved * near).float().to(device)
