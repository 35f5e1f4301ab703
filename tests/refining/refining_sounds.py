"""Sounds to refine: four stems of decaying noise, each in a range of its own, with something to each side."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from styletransfer.audio import STEMS
from styletransfer.converter import fx
from styletransfer.converter.console import STRIP, Settings, neutral
from styletransfer.converter.rendering import stages_of

RATE = 44100
_RANGES_HZ = ((60, 9000), (40, 400), (200, 6000), (300, 10000))


def stems_of(seed: int, duration_s: float = 9.0) -> Tensor:
    """(4, 2, time) stems at about −26 dBFS each."""
    chance = Generator().manual_seed(seed)
    frames = round(duration_s * RATE)
    found = []
    for number, (low, high) in enumerate(_RANGES_HZ):
        noise = torch.randn(3, frames, generator=chance)
        spectrum = torch.fft.rfft(noise)
        hertz = torch.fft.rfftfreq(frames, 1 / RATE)
        shape = ((hertz > low) & (hertz < high)) / (hertz.clamp(min=20) / 100).sqrt()
        middle, left, right = torch.fft.irfft(spectrum * shape, n=frames)
        beat = round(RATE * (0.25 + 0.1 * number))
        decay = torch.exp(-(torch.arange(frames) % beat) / (0.15 * RATE))
        sound = (torch.stack((middle, middle)) + 0.4 * torch.stack((left, right))) * decay
        found.append(sound * 0.05 / sound.square().mean().sqrt())
    return torch.stack(found)


def processed(stems: Tensor, strips: dict[str, Settings]) -> Tensor:
    """Stems through their strips."""
    return torch.stack(
        [
            fx.render(stem, stages_of(STRIP, strips[name], RATE))
            for name, stem in zip(STEMS, stems, strict=True)
        ]
    )


def strips_with(**changes: dict[str, dict[str, float]]) -> dict[str, Settings]:
    """Neutral strips of all stems, with some stems' stages set: drums={"gain": {"gain_db": 3}}."""
    strips = {}
    for name in STEMS:
        settings = neutral(STRIP)
        for stage, knobs in changes.get(name, {}).items():
            settings[stage] |= knobs
        strips[name] = settings
    return strips
