"""How a mix is taken apart: `separate(mix, choose())`. The only room that knows demucs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from torch import Tensor

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.scratch import allocate, release

from .stem_files import SUFFIXES, read_stems, rest_in

__all__ = ["SUFFIXES", "Progress", "Separator", "choose", "read_stems", "rest_in", "rest_of", "separate"]

_BLOCK = 2**20

Progress = Callable[[float], None]
"""Told the fraction done, 0 to 1."""


class Separator(Protocol):
    name: str
    """As a user would ask for it: "builtin", "htdemucs", …"""
    rate: int
    """The rate at which it works and answers, in Hz."""
    fingerprint: str
    """Names the separator, its weights and its settings: equal fingerprints give equal stems."""

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        """Consecutive float32 blocks (4 stems in the order of STEMS, 2 channels, frames) at `rate`.

        Together they are as long as the mix made stereo at that rate.
        """


def choose(name: str = "auto", *, repo: Path | None = None, device: str = "cpu") -> Separator:
    """The separator of that name, ready to work.

    name   "builtin"; "builtin-median", its first version, whose splitter was never trained; a `.safetensors`
           file that `automix train separator` wrote, for builtin with that splitter; a model that demucs
           knows ("htdemucs", "htdemucs_ft", …), from `repo`, this machine's caches, or the hub; or "auto":
           htdemucs if its weights are on this machine, else builtin.
    repo   a folder with demucs' weights, looked at instead of the caches and the hub.
    SeparationError if there is no such model or its weights can't be had.
    """
    from .builtin import Builtin

    if name == "builtin":
        return Builtin(device)
    if name == "builtin-median":
        from .splitter import MedianSplitter

        return Builtin(device, MedianSplitter(), name)
    if name.endswith(".safetensors"):
        from . import splitters

        return Builtin(device, splitters.LearnedSplitter(splitters.load(name, device), device), name)
    from . import htdemucs

    if name == "auto" and not htdemucs.is_here("htdemucs", repo):
        return Builtin(device)
    return htdemucs.Demucs("htdemucs" if name == "auto" else name, repo, device)


def separate(mix: Audio, separator: Separator, progress: Progress | None = None) -> Stems:
    """All four stems of a mix, stereo, at the separator's rate; long ones lie in `scratch` memory."""
    whole = mix.at_rate(separator.rate).with_channels(2)
    stems = {name: Audio(allocate(2, whole.frames), whole.rate) for name in STEMS}
    done = 0
    for block in separator.blocks(whole):
        end = done + block.shape[-1]
        for stem, samples in zip(stems.values(), block, strict=True):
            stem.samples[:, done:end] = samples
            release(stem.samples)
        release(whole.samples)
        done = end
        if progress:
            progress(done / whole.frames)
    return stems


def rest_of(mix: Audio, stems: Stems) -> Audio:
    """What no stem claims, mix − Σ stems, in the stems' channels and at their rate.

    A long one lies in `scratch` memory. ValueError where the stems are not as long as their mix.
    """
    first = next(iter(stems.values()))
    whole = mix.at_rate(first.rate).with_channels(first.channels)
    if whole.frames != first.frames:
        raise ValueError(f"the stems are {first.frames} frames long, their mix is {whole.frames}")
    left = allocate(whole.channels, whole.frames)
    for start in range(0, whole.frames, _BLOCK):
        part = slice(start, start + _BLOCK)
        left[:, part] = whole.samples[:, part]
        for stem in stems.values():
            left[:, part] -= stem.samples[:, part]
        for sound in (left, whole.samples, *(stem.samples for stem in stems.values())):
            release(sound)
    return Audio(left, whole.rate)
