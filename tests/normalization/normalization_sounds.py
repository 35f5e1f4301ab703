"""Sounds of known make: bursts of noise, and the same through a heavy hand."""

from __future__ import annotations

import torch
from torch import Tensor

from styletransfer.converter import fx

RATE = 44_100


def music(seed: int, duration_s: float = 8.0, width: float = 0.4, level: float = 0.1) -> Tensor:
    """Pink noise in bursts of random level (2, time): something with a spectrum, a rhythm and a width."""
    generator = torch.Generator().manual_seed(seed)
    frames = round(duration_s * RATE)
    spectrum = torch.fft.rfft(torch.randn(2, frames, generator=generator))
    spectrum = spectrum / torch.arange(1, spectrum.shape[1] + 1).sqrt()
    spectrum[:, : round(30 * duration_s)] = 0
    mid, side = torch.fft.irfft(spectrum, frames)
    every = RATE // 2
    hits = 0.4 + 0.6 * torch.rand(frames // every + 1, generator=generator)
    position = torch.arange(frames)
    envelope = 0.05 + hits[position // every] * torch.exp(-(position % every) / 5000)
    sound = torch.stack([mid + width * side, mid - width * side]) * envelope
    return level * sound / sound.std()


def effected(samples: Tensor) -> Tensor:
    """The same stem (2, time) through a heavy hand: tone, squash, width, place and level."""
    sound = fx.equalize(
        samples[None],
        RATE,
        gain_db=[-8.0, 7.0, -6.0, 8.0],
        frequency_hz=[120.0, 500.0, 2000.0, 7000.0],
        q=[0.7, 0.8, 0.8, 0.7],
    )
    sound = fx.compress(
        sound,
        RATE,
        threshold_db=-30.0,
        ratio=3.0,
        knee_db=6.0,
        attack_ms=2.0,
        release_ms=80.0,
        makeup_db=0.0,
    )
    return 0.2 * fx.balance(fx.widen(sound, width=1.8), balance=0.3)[0]
