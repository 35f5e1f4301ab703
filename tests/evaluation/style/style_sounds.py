"""A corpus of made songs: each piece has a spectrum and a rhythm of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from styletransfer.corpus.folder import write_song

RATE = 44_100


def burst_noise(seed: int, duration_s: float = 8.0, slope: float | None = None) -> Tensor:
    """Stereo noise (2, time) of a colour, beating at a rate, both drawn by the seed."""
    generator = np.random.default_rng(seed)
    frames = round(duration_s * RATE)
    spectrum = np.fft.rfft(generator.normal(size=(2, frames)))
    frequencies = np.fft.rfftfreq(frames, 1 / RATE).clip(20)
    spectrum *= (frequencies / 1000) ** (generator.uniform(-1.5, 0) if slope is None else slope)
    sound = np.fft.irfft(spectrum, frames)
    sound[1] = 0.7 * sound[0] + 0.3 * sound[1]
    beat = np.arange(frames) / RATE * generator.uniform(1, 4) % 1
    sound *= np.exp(-generator.uniform(1, 5) * beat)
    return torch.from_numpy(0.2 * sound / np.abs(sound).max()).float()


def write_corpus(
    folder: Path, pieces: int, split: str = "test", stems: tuple[str, ...] = ("drums", "other")
) -> Path:
    """`pieces` songs, each a piece of its own, in one split."""
    for number in range(pieces):
        meta = {
            "id": f"{split}-{number:02d}",
            "title": f"song {number}",
            "piece": f"{split} piece {number}",
            "sources": [],
            "packages": [],
            "licences": ["CC0-1.0"],
            "split": split,
            "seed": number,
            "kind": "rendered",
        }
        sounds = {stem: burst_noise(100 * number + place) for place, stem in enumerate(stems)}
        write_song(folder, sounds, meta)
    return folder
