"""Lossy codecs, in memory: what a song went through before it reached us. On the CPU, and slow."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

Values = dict[str, Tensor]

_PEAK = 0.9
_VORBIS_KILOBITS = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # at qualities of 0, 0.1, 0.2, …
_MP3_KILOBITS = (80, 320)  # below, the encoder halves the rate
_OPUS_RATE = 48_000

Coder = Callable[[NDArray[np.float32], int, float], NDArray[np.float32]]


def through_codec(samples: Tensor, rate: int, values: Values, seeds: list[int], *, coder: Coder) -> Tensor:
    """Encode and decode each (2, time) by itself, its peak at 0.9 meanwhile; aligned, and as long."""
    output = []
    for sound, kilobits in zip(samples.cpu(), values["kilobits_per_s"].tolist(), strict=True):
        scale = _PEAK / max(float(sound.abs().max()), 1e-6)
        decoded = torch.from_numpy(coder((sound * scale).T.numpy().copy(), rate, kilobits)).T[
            :, : sound.shape[1]
        ]
        missing = sound.shape[1] - decoded.shape[1]
        output.append(torch.nn.functional.pad(decoded, (0, missing)) / scale)
    return torch.stack(output).to(samples)


def vorbis(sound: NDArray[np.float32], rate: int, kilobits: float) -> NDArray[np.float32]:
    """Ogg Vorbis at the quality whose nominal rate is the wanted one."""
    quality = float(np.interp(kilobits, _VORBIS_KILOBITS, np.arange(10) / 10))
    return _there_and_back(sound, rate, "OGG", "VORBIS", 1 - quality)


def mp3(sound: NDArray[np.float32], rate: int, kilobits: float) -> NDArray[np.float32]:
    """MPEG-1 layer III at a constant bit rate from 80 kbit/s."""
    level = (320 - float(np.clip(kilobits, *_MP3_KILOBITS))) / (320 - 32)
    return _there_and_back(sound, rate, "MP3", "MPEG_LAYER_III", level, bitrate_mode="CONSTANT")


def opus(sound: NDArray[np.float32], rate: int, kilobits: float) -> NDArray[np.float32]:
    """Opus, which knows 48 kHz only: resampled on both ways."""
    wide = soxr.resample(sound, rate, _OPUS_RATE)
    decoded = _there_and_back(wide, _OPUS_RATE, "OGG", "OPUS", min(1.0, (510 - kilobits) / 501))
    return np.asarray(soxr.resample(decoded, _OPUS_RATE, rate), dtype=np.float32)


def _there_and_back(
    sound: NDArray[np.float32], rate: int, kind: str, subtype: str, level: float, **options: str
) -> NDArray[np.float32]:
    memory = io.BytesIO()
    with soundfile.SoundFile(
        memory, "w", rate, 2, subtype, format=kind, compression_level=level, **options
    ) as file:
        file.write(sound)
    memory.seek(0)
    decoded, _ = soundfile.read(memory, dtype="float32", always_2d=True)
    return np.asarray(decoded, dtype=np.float32)


CODECS = {
    name: partial(through_codec, coder=coder)
    for name, coder in (("vorbis", vorbis), ("mp3", mp3), ("opus", opus))
}
"""Implementation → codec."""
