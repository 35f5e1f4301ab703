"""Sound in and out of files: what a file holds, reading it, writing one whole or not at all.

libsndfile (through soundfile) reads and writes; what it can't read goes to `codecs`. Nothing here
shifts or resamples: a sound that is written and read again starts and ends where it did.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor

from . import codecs, containers, scratch
from .audio import Audio
from .errors import AudioError
from .formats import BITS, FAMILY, FLOATS, QUALITY, FileInfo, output_format, quantized

__all__ = [
    "RATES",
    "FileInfo",
    "beside",
    "check_usable",
    "copy_frames",
    "inspect",
    "output_format",
    "overs",
    "read",
    "write",
]

RATES = range(8_000, 192_001)
"""Sample rates in Hz that are read."""

SHORTEST_S = 0.5
SILENCE_DB = -80.0

WAV_LIMIT_BYTES = 2**32 - 2**16
"""Sound beyond this makes an RF64 of a WAV."""

_BLOCK = 2**16  # frames; larger Vorbis writes overrun libsndfile's stack
_RELEASE_EVERY = 64  # blocks


def inspect(path: str | Path) -> FileInfo:
    """What a file holds, without decoding it where its header tells.

    AudioError where it is missing, not a file, unreadable, empty, not audio, cut short,
    not mono or stereo, or not at 8 to 192 kHz.
    """
    path = Path(path)
    _check_readable(path)
    try:
        with soundfile.SoundFile(path) as file:
            info = FileInfo(path, file.samplerate, file.channels, file.frames, file.format, file.subtype)
    except (soundfile.LibsndfileError, TypeError):  # TypeError: a name in .raw, which has no header
        info = FileInfo(path, *codecs.inspect(path))
    if info.channels > 2:
        raise AudioError(f"{path} has {info.channels} channels; mix it down to mono or stereo first")
    if info.rate not in RATES:
        raise AudioError(f"{path} has a rate of {info.rate} Hz; resample it to between 8 and 192 kHz")
    missing = containers.missing_share(path, info.format)
    if missing > 0:
        raise AudioError(
            f"{path} is cut short: {missing:.0%} of the sound it announces isn't there; copy it again"
        )
    if info.frames == 0:
        raise AudioError(f"{path} holds no sound; choose another file")
    return info


def read(path: str | Path) -> Audio:
    """The sound of a file as float32, full scale being 1; a long one lies in `scratch` memory.

    AudioError as `inspect` has it, and where the file ends before it should, can't be
    decoded, or holds values that are not numbers.
    """
    info = inspect(path)
    samples = scratch.allocate(info.channels, info.frames)
    position = 0
    for number, block in enumerate(_decoded(info)):
        if not torch.isfinite(block).all():
            raise AudioError(f"{path} holds values that are not numbers (NaN or infinite); export it again")
        end = min(position + block.shape[1], info.frames)
        samples[:, position:end] = block[:, : end - position]
        position = end
        if number % _RELEASE_EVERY == 0:
            scratch.release(samples)
    if position < info.frames:
        raise AudioError(
            f"{path} is cut short: it announces {info.frames / info.rate:.1f} s of sound and "
            f"holds {position / info.rate:.1f} s; copy it again"
        )
    scratch.release(samples)
    return Audio(samples, info.rate)


def check_usable(audio: Audio, name: str | Path) -> None:
    """AudioError where a sound can't take part in a transfer: shorter than 0.5 s, or silent.

    Silent is a peak below −80 dBFS. `name` is what the message calls the sound.
    """
    if audio.duration_s < SHORTEST_S:
        raise AudioError(f"{name} lasts {audio.duration_s:.2f} s; at least {SHORTEST_S} s are needed")
    peak = max(block.abs().max().item() for block in audio.blocks(_BLOCK * _RELEASE_EVERY))
    if peak < 10 ** (SILENCE_DB / 20):
        raise AudioError(f"{name} is silent (its peak is below {SILENCE_DB:.0f} dBFS); choose another file")


def overs(audio: Audio) -> int:
    """How many samples lie beyond full scale: integer formats clip them, float formats keep them."""
    return sum(int((block.abs() > 1).sum()) for block in audio.blocks(_BLOCK * _RELEASE_EVERY))


def write(
    path: str | Path,
    audio: Audio,
    *,
    subtype: str | None = None,
    like: FileInfo | None = None,
    generator: torch.Generator | None = None,
) -> Path:
    """Write a sound to a file whose format its suffix names; the path is returned.

    subtype    libsndfile's name ("PCM_16", "FLOAT"); else the bit depth of `like`, else 24 bit.
    generator  draws the triangular dither of 16 and 8 bit; seed 0 unless given.

    Integer formats clip beyond full scale and never wrap (`overs` counts); float formats
    keep it. A WAV above 4 GB becomes RF64. The file appears when it is whole. UsageError as
    `output_format` has it, AudioError where the folder or disk doesn't let it be written.
    """
    path = Path(path)
    format_, subtype = output_format(path, audio.rate, subtype, like)
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    bits = BITS.get(subtype)
    with beside(path) as partial, _created(partial, path, audio, format_, subtype) as file:
        for block in audio.blocks(_BLOCK):
            file.write((block if bits is None else quantized(block, bits, generator)).numpy().T)
    return path


def copy_frames(source: str | Path, target: str | Path, *, subtype: str | None = None) -> Path:
    """Write a file's own frames to another, to the bit wherever the target can hold them.

    The same suffix, or the same format and subtype, makes a copy of the file, tags included.
    Otherwise integers go to as many or more bits and floats to doubles unchanged; what the
    target can't hold is written as `write` does. Errors are those of `read` and `write`.
    """
    source, target = Path(source), Path(target)
    info = inspect(source)
    same_kind = subtype in (None, info.subtype) and target.suffix.lower() == source.suffix.lower()
    format_, subtype = output_format(target, info.rate, subtype, info)
    same_format = format_ in (info.format, FAMILY.get(info.format))
    if same_format and (same_kind or subtype == info.subtype):
        with beside(target) as partial:
            shutil.copyfile(source, partial)
        return target
    whole = info.bits is not None and (BITS.get(subtype) or 0) >= info.bits
    if not whole and not (info.subtype in FLOATS and subtype == "DOUBLE"):
        return write(target, read(source), subtype=subtype)
    with (
        soundfile.SoundFile(source) as frames,
        beside(target) as partial,
        _created(partial, target, info, format_, subtype) as file,
    ):
        for block in frames.blocks(_BLOCK, dtype="int32" if whole else "float64", always_2d=True):
            file.write(block)
    return target


def make_folder(folder: Path) -> None:
    """Make a folder and those above it. AudioError where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(f"{folder} can't be made a folder ({error.strerror}); choose another") from error


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A hidden path in the same folder to write to; it is renamed to `path` when all went well.

    Otherwise it is removed, whatever the reason, and `path` is untouched. AudioError where
    the folder isn't there or the disk refuses.
    """
    if not path.parent.is_dir():
        raise AudioError(f"{path} can't be written: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise AudioError(f"{path} can't be written: it is a folder; name a file in it")
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise AudioError(f"{path} can't be written ({error.strerror}); choose another place") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _created(partial: Path, path: Path, sound: Audio | FileInfo, format_: str, subtype: str) -> Iterator[Any]:
    """An open file for all frames of a sound; that they arrived is checked at its end."""
    size = sound.frames * sound.channels * {"FLOAT": 4, "DOUBLE": 8}.get(subtype, BITS.get(subtype, 0) // 8)
    if format_ == "WAV" and size > WAV_LIMIT_BYTES:
        format_ = "RF64"
    options = QUALITY.get(subtype, {})
    try:
        with soundfile.SoundFile(
            partial, "w", sound.rate, sound.channels, subtype, format=format_, **options
        ) as file:
            yield file
        with soundfile.SoundFile(partial) as file:
            whole = file.frames >= sound.frames
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path} can't be written ({error.error_string}); choose another place") from error
    if not whole:
        raise AudioError(f"{path} can't be written: the disk is full; make room or choose another place")


def _decoded(info: FileInfo) -> Iterator[Tensor]:
    """The blocks (channels, time) of a file, float32."""
    if info.format not in soundfile.available_formats():
        yield from codecs.blocks(info.path, info.channels)
        return
    try:
        with soundfile.SoundFile(info.path) as file:
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                yield torch.from_numpy(np.ascontiguousarray(block.T))
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{info.path} is damaged ({error.error_string}); copy it again") from error


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise AudioError(f"{path} is empty; choose another file")
    except FileNotFoundError as error:
        raise AudioError(f"{path} does not exist; check its name") from error
    except IsADirectoryError as error:
        raise AudioError(f"{path} is a folder; name a sound file in it") from error
    except OSError as error:
        raise AudioError(f"{path} can't be read ({error.strerror}); check its permissions") from error
