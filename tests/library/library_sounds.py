"""Sounds, a quick separator and an untrained encoder for libraries of styles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from styletransfer import encoders, files
from styletransfer.audio import Audio
from styletransfer.encoder.network import EncoderConfig, FXEncoder
from styletransfer.encoders import LoadedEncoder
from styletransfer.library import Listener, SavedStyle

RATE = 44_100


def noise(seed: int, duration_s: float = 2.0, tilt: float = 0.0, width: float = 0.3) -> Audio:
    """Stereo noise whose power falls by `tilt` in powers of frequency."""
    frames = round(duration_s * RATE)
    white = torch.randn(2, frames, generator=torch.Generator().manual_seed(seed))
    white = torch.stack([white[0] + width * white[1], white[0] - width * white[1]])
    spectrum = torch.fft.rfft(white)
    frequency_hz = torch.fft.rfftfreq(frames, 1 / RATE).clamp(min=20)
    shaped = torch.fft.irfft(spectrum * (frequency_hz / 1000) ** (-tilt / 2), n=frames)
    return Audio(0.1 * shaped / shaped.square().mean().sqrt(), RATE)


class Shares:
    """A separator that gives every stem its share of the mix."""

    name, rate = "builtin", RATE

    def __init__(self, shares: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)) -> None:
        self.shares, self.fingerprint = shares, f"shares {shares}"
        self.heard = 0

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        self.heard += 1
        for block in mix.with_channels(2).blocks(2**16):
            yield torch.stack([share * block for share in self.shares])


def encoder(seed: int = 0) -> LoadedEncoder:
    torch.manual_seed(seed)
    network = FXEncoder(EncoderConfig(dimensions=16, hidden=16)).eval()
    return LoadedEncoder(network, f"{seed:08x}", {})


def encoder_file(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    return encoders.save(folder, "tiny", FXEncoder(EncoderConfig(dimensions=16, hidden=16)), {})[0]


def listener(seed: int = 0) -> Listener:
    return Listener(encoder(seed), Shares(), None)


def style(seed: int = 0, title: str | None = None, **of: float) -> SavedStyle:
    return listener().hear(noise(seed, **of), title=title or f"song {seed}")


def sound_file(path: Path, seed: int = 0, **of: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return files.write(path, noise(seed, **of), subtype="FLOAT" if path.suffix == ".wav" else None)
