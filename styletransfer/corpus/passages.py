"""Which passages of a song are worth listening to, and all equally loud."""

from __future__ import annotations

from torch import Tensor

from styletransfer.encoder.loudness import integrated_lufs

from .folder import RATE

LOUDNESS_LUFS = -23.0
"""How loud every passage is before its effects, by ITU-R BS.1770-4 with its gates."""

LEAST_LUFS = -55.0
"""What is softer would be noise at LOUDNESS_LUFS."""

LEAST_ACTIVE = 0.6
"""The least share of active blocks with which a passage serves."""

_BLOCK_S = 0.4
_ACTIVE_DB = 40.0


def levelled(samples: Tensor) -> tuple[Tensor, float]:
    """A passage (2, time) at LOUDNESS_LUFS, and the factor it took; what is below LEAST_LUFS stays, at 1."""
    lufs = integrated_lufs(samples, RATE)
    if lufs <= LEAST_LUFS:
        return samples, 1.0
    factor = 10 ** ((LOUDNESS_LUFS - lufs) / 20)
    return samples * factor, factor


def active_share(samples: Tensor) -> float:
    """Share of 400 ms blocks of (2, time) within 40 dB of their 95th percentile; 0 for silence."""
    block = min(round(_BLOCK_S * RATE), samples.shape[1])
    if block == 0:
        return 0.0
    energy = samples[:, : samples.shape[1] // block * block].reshape(2, -1, block).square().mean((0, 2))
    if energy.max() < 1e-10:
        return 0.0
    return float((energy > energy.quantile(0.95) * 10 ** (-_ACTIVE_DB / 10)).double().mean())
