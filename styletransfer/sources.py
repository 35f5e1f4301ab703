"""The two sides of a transfer: a song, where it came from, and its stems, ready-made or separated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from styletransfer import files, scratch
from styletransfer.audio import Audio, Stems
from styletransfer.errors import AudioError, StemsError, UsageError
from styletransfer.separation import read_stems, rest_in
from styletransfer.stem_cache import audio_key
from styletransfer.texts import plain

_BLOCK = 2**20
_ALIKE = 0.9
"""The least correlation of a mix with the sum of the stems that it was made of."""

Sound = str | Path | Audio | tuple[NDArray[np.floating] | torch.Tensor, int]
"""What people may pass as a sound: a path, an Audio, or (samples (time,) or (channels, time), rate)."""

Progress = Callable[[str, float], None]
"""Called with the name of a stage and the fraction of it that is done."""


@dataclass(frozen=True, slots=True, eq=False)
class Song:
    """A sound in a transfer: its `name` for people, the hash of its samples, and how its file was written."""

    audio: Audio
    name: str
    key: str
    info: files.FileInfo | None = None


def load(sound: Sound, role: str) -> Song:
    """Read a sound; `role` ("the input") names one that has no file. AudioError where it can't be used."""
    if isinstance(sound, (str, Path)):
        info = files.inspect(sound)
        audio = files.read(sound)
        files.check_usable(audio, info.path)
        return Song(audio, plain(info.path.name), audio_key(audio), info)
    audio = sound if isinstance(sound, Audio) else _from_array(*sound)
    if not all(torch.isfinite(block).all() for block in audio.blocks(2**20)):
        raise AudioError(f"{role} holds values that are not numbers (NaN or infinite)")
    files.check_usable(audio, role)
    return Song(audio, role, audio_key(audio))


def loudest(song: Song, duration_s: float) -> Song:
    """The song's loudest stretch of that length, as a song of its own."""
    if song.audio.duration_s <= duration_s:
        return song
    excerpt = song.audio.excerpt(*song.audio.loudest_s(duration_s))
    return Song(excerpt, song.name, audio_key(excerpt), song.info)


def opened(input: Sound | None, stems_in: Path | None, preview_s: float | None) -> tuple[Song, Stems | None]:
    """The input, and its ready-made stems where there are some. UsageError where these don't go together."""
    if stems_in is None:
        if input is None:
            raise UsageError("there is no input; give a mix, or a folder of stems")
        song = load(input, "the input")
        return (song if preview_s is None else loudest(song, preview_s)), None
    if preview_s is not None:
        raise UsageError("a preview of ready-made stems isn't possible; leave out one of the two")
    if input is None:
        return from_stems(stems_in)
    song = load(input, "the input")
    return song, read_stems(stems_in, song.audio)


def passage_of(audio: Audio, span_s: tuple[float, float] | None, role: str) -> Audio:
    """The passage that is measured; all of it where no span is given. UsageError outside the sound."""
    if span_s is None:
        return audio
    start_s, end_s = span_s
    if not 0 <= start_s < end_s or start_s >= audio.duration_s:
        raise UsageError(
            f"{role}'s passage {start_s:g}-{end_s:g} s is not within its {audio.duration_s:.1f} s"
        )
    passage = audio.excerpt(start_s, end_s)
    files.check_usable(passage, f"{role}'s passage {start_s:g}-{end_s:g} s")
    return passage


def sum_of(stems: Stems) -> Audio:
    """The mix that stems make, in stereo; a long one lies in `scratch` memory."""
    first = next(iter(stems.values()))
    total = Audio(scratch.allocate(2, first.frames), first.rate)
    for stem in stems.values():
        for sum_so_far, block in zip(total.blocks(_BLOCK), stem.with_channels(2).blocks(_BLOCK), strict=True):
            sum_so_far += block
    return total


def made_of(mix: Audio, stems: Stems) -> bool:
    """Whether a mix is the sum of these stems but for what mastering does: none of them is missing."""
    total = sum_of(stems)
    whole = mix.with_channels(2).at_rate(total.rate)
    both, ours, theirs = 0.0, 0.0, 0.0
    for first, second in zip(total.blocks(_BLOCK), whole.blocks(_BLOCK), strict=False):
        frames = min(first.shape[1], second.shape[1])
        first, second = first[:, :frames].double(), second[:, :frames].double()
        both += float((first * second).sum())
        ours, theirs = ours + float(first.square().sum()), theirs + float(second.square().sum())
    return both >= _ALIKE * math.sqrt(ours * theirs)


def from_stems(directory: Path) -> tuple[Song, Stems]:
    """A song that comes as stems only: the input is their sum, and what a file `…rest` adds to it."""
    stems = read_stems(directory)
    audio = sum_of(stems)
    if path := rest_in(directory):
        rest = files.read(path).with_channels(2)
        if (rest.rate, rest.frames) != (audio.rate, audio.frames):
            raise StemsError(f"{path} is not as long as the stems beside it; export all alike")
        audio = Audio(audio.samples + rest.samples, audio.rate)
    files.check_usable(audio, directory)
    return Song(audio, plain(directory.name), audio_key(audio)), stems


def _from_array(samples: NDArray[np.floating] | torch.Tensor, rate: int) -> Audio:
    tensor = torch.as_tensor(samples).to(torch.float32)
    tensor = tensor[None] if tensor.ndim == 1 else tensor
    if tensor.ndim != 2 or tensor.shape[0] not in (1, 2):
        raise UsageError(
            f"an array of shape {tuple(tensor.shape)} is no sound; pass (time,) or (1 or 2 channels, time)"
        )
    return Audio(tensor.contiguous(), int(rate))
