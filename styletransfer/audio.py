"""One type for sound at file and pipeline level, and the one place where rate and channels change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import soxr
import torch
from torch import Tensor

from styletransfer import scratch

_RELEASE_EVERY = 2**22
"""Frames walked until `scratch` takes them out of memory."""

STEMS = ("drums", "bass", "other", "vocals")
"""The stems of a mix, in the order that holds everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Sound in memory: float32 `samples` (channels, time) at `rate` Hz, nominally in [-1, 1].

    One or two channels. `samples` may be mapped from a file (see `scratch`), so walk
    through long songs with `blocks`. ValueError for any other shape, type or rate.
    """

    samples: Tensor
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[0] not in (1, 2):
            raise ValueError(f"samples must be (1 or 2 channels, time), not {tuple(self.samples.shape)}")
        if self.samples.dtype != torch.float32:
            raise ValueError(f"samples must be float32, not {self.samples.dtype}")
        if self.rate <= 0:
            raise ValueError(f"rate must be positive, not {self.rate}")

    @property
    def channels(self) -> int:
        return self.samples.shape[0]

    @property
    def frames(self) -> int:
        return self.samples.shape[1]

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate

    @property
    def rms(self) -> float:
        """Root mean square over all channels, linear re full scale; 0 for silence. Walks in blocks."""
        energy = sum(float(block.square().sum()) for block in self.blocks(2**19))
        return math.sqrt(energy / max(self.samples.numel(), 1))

    def blocks(self, frames: int) -> Iterator[Tensor]:
        """Consecutive views (channels, ≤ frames) that cover the sound once; memory behind is let go of."""
        walked = 0
        for start in range(0, self.frames, frames):
            yield self.samples[:, start : start + frames]
            walked += frames
            if walked >= _RELEASE_EVERY or start + frames >= self.frames:
                scratch.release(self.samples)
                walked = 0

    def excerpt(self, start_s: float, end_s: float) -> Audio:
        """The passage between two times, clipped to the sound; a view."""
        start, end = (min(max(round(t * self.rate), 0), self.frames) for t in (start_s, end_s))
        return Audio(self.samples[:, start:end], self.rate)

    def loudest_s(self, duration_s: float) -> tuple[float, float]:
        """From and to, in seconds, of the stretch of that length with the most energy; else all."""
        hop = self.rate // 2
        span = round(2 * duration_s)
        energy = torch.stack([block.square().sum() for block in self.blocks(hop)])
        if span < 1 or len(energy) <= span:
            return 0.0, min(duration_s, self.duration_s)
        start_s = float(energy.unfold(0, span, 1).sum(-1).argmax()) * hop / self.rate
        return start_s, start_s + duration_s

    def with_channels(self, channels: int) -> Audio:
        """Mono as stereo (both sides alike), or stereo as mono (the mean); itself if nothing changes."""
        if channels == self.channels:
            return self
        if channels == 2:
            return Audio(self.samples.expand(2, -1), self.rate)
        return Audio(self.samples.mean(0, keepdim=True), self.rate)

    def at_rate(self, rate: int) -> Audio:
        """Resampled with soxr's high quality, without delay; itself at its own rate."""
        if rate == self.rate:
            return self
        frames = resampled_frames(self.frames, self.rate, rate)
        converted = soxr.resample(self.samples.numpy().T, self.rate, rate)[:frames].T
        samples = torch.zeros(self.channels, frames)
        samples[:, : converted.shape[1]] = torch.from_numpy(converted.copy())
        return Audio(samples, rate)

    def write(self, path: str | Path, subtype: str | None = None) -> Path:
        """Write to a file whose format its suffix names; see `files.write`."""
        from styletransfer.files import write

        return write(path, self, subtype=subtype)


Stems = dict[str, Audio]
"""Stem name → sound, in the order of STEMS; equal rate and length."""


def resampled_frames(frames: int, rate: int, new_rate: int) -> int:
    """Length in frames of a sound after resampling: the duration, rounded up."""
    return -(-frames * new_rate // rate)
