"""What a sound file of some format can hold: subtypes, rates, bits, and samples made to fit them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile
import torch
from torch import Tensor

from .errors import UsageError

_FORMATS = {  # suffix → what libsndfile calls the format, and the subtype that it gets unless told
    ".wav": ("WAV", "PCM_24"),
    ".rf64": ("RF64", "PCM_24"),
    ".flac": ("FLAC", "PCM_24"),
    ".aif": ("AIFF", "PCM_24"),
    ".aiff": ("AIFF", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".oga": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""Bits per sample of the integer subtypes."""

FLOATS = ("FLOAT", "DOUBLE")
"""The subtypes that keep what lies beyond full scale."""

_LEGAL_RATES = {
    "OPUS": (8_000, 12_000, 16_000, 24_000, 48_000),
    "MPEG_LAYER_III": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
}
QUALITY: dict[str, dict[str, Any]] = {
    "VORBIS": {"compression_level": 0.1},
    "OPUS": {"compression_level": 0.25},
    "MPEG_LAYER_III": {"compression_level": 0.0, "bitrate_mode": "CONSTANT"},
}
"""How lossy subtypes are written: libsndfile's compression levels, where 0 is best and 1 smallest."""

FAMILY = {"WAVEX": "WAV", "RF64": "WAV"}
"""Formats that go under another's suffix."""


@dataclass(frozen=True)
class FileInfo:
    """What a sound file holds: enough to write a result like it.

    `format` and `subtype` are libsndfile's names ("WAV", "PCM_24"), or for what PyAV
    reads the container's and the codec's ("MOV", "AAC").
    """

    path: Path
    rate: int
    channels: int
    frames: int
    format: str
    subtype: str

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate

    @property
    def bits(self) -> int | None:
        """Bits per sample of integer PCM; None for floats and lossy codecs."""
        return BITS.get(self.subtype)


def output_format(
    path: str | Path, rate: int, subtype: str | None = None, like: FileInfo | None = None
) -> tuple[str, str]:
    """Format and subtype in libsndfile's names that `write` gives a file; ask before long work.

    UsageError where the suffix names no format that can be written, or one that can't
    hold this subtype or rate.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise UsageError(f"{path.name} has no suffix that can be written; choose one of {known}")
    format_, default = _FORMATS[path.suffix.lower()]
    kept = like.subtype if like is not None and like.subtype in (*BITS, *FLOATS) else default
    chosen = subtype or (kept if soundfile.check_format(format_, kept) else default)
    if not soundfile.check_format(format_, chosen):
        raise UsageError(f"{path.suffix} files can't hold {chosen}; leave it out, or write to .wav")
    legal = _LEGAL_RATES.get(chosen)
    if legal is not None and rate not in legal:
        raise UsageError(
            f"{path.name} can't be written at {rate} Hz, since {path.suffix} takes "
            f"{', '.join(map(str, legal))} Hz only; write to .wav or .flac"
        )
    return format_, chosen


def quantized(samples: Tensor, bits: int, generator: torch.Generator) -> Tensor:
    """Integers of so many bits in the high bits of int32, clipped, with triangular dither up to 16 bit.

    Source   Lipshitz, Wannamaker and Vanderkooy, "Quantization and dither", JAES 40 (1992):
             a triangular density of ±1 step makes the error's mean and power signal-independent.
    """
    steps = 2.0 ** (bits - 1)
    scaled = samples.double() * steps
    if bits <= 16:
        uniform = torch.rand(2, *samples.shape, generator=generator)
        scaled += uniform[0] - uniform[1]
    return (scaled.round().clamp(-steps, steps - 1) * 2.0 ** (32 - bits)).to(torch.int32)
