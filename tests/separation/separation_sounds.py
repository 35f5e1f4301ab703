"""A song whose parts are known, made of what the separators tell apart."""

from __future__ import annotations

import torch

from styletransfer.audio import Audio

RATE = 44100


def parts(duration_s: float, rate: int = RATE) -> dict[str, torch.Tensor]:
    """Drums, bass and other of 2 bars a second, each (2, time): bursts of noise, a low tone, a chord."""
    time = torch.arange(round(duration_s * rate), dtype=torch.float64) / rate
    noise = torch.randn(2, len(time), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    drums = 0.4 * noise * torch.exp(-torch.remainder(time, 0.5) * 60)
    bass = 0.2 * torch.sin(2 * torch.pi * 82.4 * time).expand(2, -1)
    chord = torch.stack([torch.sin(2 * torch.pi * f * time + f) for f in (440, 554.4, 659.3, 1318.5)]).sum(0)
    other = 0.05 * torch.stack((chord, 0.5 * chord))
    return {"drums": drums.float(), "bass": bass.float(), "other": other.float()}


def song(duration_s: float, rate: int = RATE) -> Audio:
    return Audio(torch.stack(list(parts(duration_s, rate).values())).sum(0), rate)


def level_db(samples: torch.Tensor) -> float:
    """RMS in dBFS."""
    return float(10 * torch.log10(samples.square().mean() + 1e-30))
