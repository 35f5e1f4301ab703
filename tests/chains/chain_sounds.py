"""Sounds and settings that the tests of the chains share."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from styletransfer.chains.effects import IMPLEMENTATIONS
from styletransfer.chains.parameters import PARAMETERS

RATE = 44_100

SETTINGS: dict[str, dict[str, float]] = {
    "eq": {
        **dict.fromkeys(("low_gain_db", "middle_gain_db"), 9.0),
        **dict.fromkeys(("low_mid_gain_db", "high_mid_gain_db", "high_gain_db"), -9.0),
    },
    "mid_side_eq": {"mid_low_gain_db": -9.0, "mid_high_gain_db": 9.0, "side_high_gain_db": -12.0},
    "compressor": {
        "threshold_db": -40.0,
        "ratio": 8.0,
        "knee_db": 3.0,
        "attack_ms": 5.0,
        "release_ms": 120.0,
    },
    "expander": {
        "threshold_db": -22.0,
        "ratio": 4.0,
        "range_db": 30.0,
        "attack_ms": 5.0,
        "release_ms": 120.0,
    },
    "limiter": {"ceiling_db": -28.0, "release_ms": 100.0},
    "saturation": {"drive_db": 24.0},
    "pan": {"position": 0.2},
    "width": {"width": 2.5},
    "reverb": {"decay_s": 1.0, "damping": 0.4, "predelay_ms": 10.0, "wet": 0.5, "low_cut_hz": 20.0},
    "gain": {"gain_db": 6.0},
    "codec": {"kilobits_per_s": 96.0},
}
"""A clear setting of every stage; what isn't named rests in the middle of its limits."""


@functools.lru_cache(maxsize=2)
def music(seconds: float = 2.0) -> Tensor:
    """(3, 2, time) float32 near −23 LUFS: plucked notes over a bass and hits, a wide image, up to 15 kHz."""
    generator = torch.Generator().manual_seed(7)
    frames = round(seconds * RATE)
    time_s = torch.arange(frames, dtype=torch.float64) / RATE
    examples = []
    for root_hz in (55.0, 73.4, 98.0):
        sound = torch.zeros(2, frames, dtype=torch.float64)
        for beat in range(math.ceil(seconds * 4)):
            since = (time_s - beat / 4).clamp(min=0)
            playing = (time_s >= beat / 4) * torch.exp(-5 * since)
            side = 0.2 + 0.6 * float(torch.rand((), generator=generator))
            for overtone in (1, 2, 4, 6, 9, 14):
                wave = playing * torch.sin(2 * math.pi * root_hz * overtone * since) / overtone
                sound += torch.tensor([[1 - side], [side]]) * wave
            noise = torch.randn(2, frames, generator=generator, dtype=torch.float64)
            sound += 0.5 * (beat % 2) * noise * (time_s >= beat / 4) * torch.exp(-60 * since)
        spectrum = torch.fft.rfft(sound)
        spectrum[:, torch.fft.rfftfreq(frames, 1 / RATE) > 15_000] = 0
        sound = torch.fft.irfft(spectrum, frames)
        examples.append(sound * (0.07 / sound.square().mean().sqrt()))
    return torch.stack(examples).float()


def settings(stage: str, batch: int, **changed: float) -> dict[str, Tensor]:
    """The values that a stage's implementations take, all examples alike."""
    limits = PARAMETERS[stage]
    middle = {
        name: math.sqrt(each.low * each.high) if each.scale == "log" else (each.low + each.high) / 2
        for name, each in limits.items()
    }
    chosen = middle | SETTINGS[stage] | changed
    return {name: torch.full((batch,), float(chosen[name])) for name in limits}


def through(stage: str, implementation: str, samples: Tensor, **changed: float) -> Tensor:
    """A sound through one implementation of a stage, without loudness matching."""
    batch = len(samples)
    values = settings(stage, batch, **changed)
    return IMPLEMENTATIONS[stage][implementation](samples, RATE, values, list(range(11, 11 + batch)))


def difference_db(sound: Tensor, other: Tensor) -> float:
    """Energy of the difference over that of `other`, in dB."""
    ratio = float((sound - other).double().square().sum() / other.double().square().sum())
    return 10 * math.log10(ratio + 1e-30)


def tone(frequency_hz: float, seconds: float = 1.0, amplitude: float = 0.1) -> Tensor:
    """(1, 2, time) float32, the same on both sides."""
    time_s = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    return (amplitude * torch.sin(2 * math.pi * frequency_hz * time_s)).expand(1, 2, -1).float().clone()
