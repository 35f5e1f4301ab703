"""How does the benchmark read, write and line up the sounds that it measures?

It decodes with soundfile itself, so that what is judged never passes through what is being judged.
"""

from __future__ import annotations

from pathlib import Path

import soundfile
import torch

from styletransfer.audio import Audio

RATE = 44_100
"""Everything is measured at this rate."""


def read_excerpt(path: Path) -> Audio:
    """An excerpt, whole in memory."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Audio(torch.from_numpy(samples.T.copy()), rate)


def write_excerpt(path: Path, sound: Audio) -> None:
    """As 24-bit WAV; what is beyond full scale is clipped."""
    soundfile.write(path, sound.samples.T.numpy(), sound.rate, subtype="PCM_24")


def halves(sound: Audio) -> tuple[Audio, Audio]:
    """The first half, which systems may read, and the second, on which closeness is measured."""
    middle_s = sound.duration_s / 2
    return sound.excerpt(0, middle_s), sound.excerpt(middle_s, sound.duration_s)
