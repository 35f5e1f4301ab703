"""Normalize files and folders: which stem a file holds, where its result goes, and a song's new mix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from styletransfer import files
from styletransfer.audio import STEMS, Audio
from styletransfer.errors import AudioError, UsageError
from styletransfer.separation.stem_files import SUFFIXES, stems_in

from .averages import CLASSES, Averages
from .normalizing import normalize_audio

_MIX_NAMES = ("mix", "mixture", "master", "mixdown")
_FLOAT_SUFFIXES = (".wav", ".rf64", ".aif", ".aiff")


@dataclass(frozen=True, slots=True)
class Job:
    """One file to normalize: what it holds, and where the result goes."""

    source: Path
    stem: str
    target: Path


@dataclass(frozen=True, slots=True)
class Done:
    """A file that was written, and how many of its samples were clipped by its format."""

    path: Path
    clipped: int


def stem_of(path: Path) -> str | None:
    """The class of stem that a file's name speaks of: the last one that it names; None if it names none."""
    name = path.stem.lower()
    words = [word for word in re.split(r"[^a-z]+", name) if word]
    found = stems_in(name)
    if len(found) == 1:
        return found[0]
    for word in reversed(words):
        if stems := stems_in(word):
            return stems[0]
    return "mix" if any(word in _MIX_NAMES for word in words) else None


def jobs_for(source: Path, stem: str | None = None, output: Path | None = None) -> list[Job]:
    """What there is to do for a file, or for a folder and those within it.

    stem     of every file; told by the files' names unless given.
    output   a file for a file [SOURCE.normalized.wav], a folder for a folder [SOURCE.normalized].
    Files in a folder that name no stem are left alone. UsageError where a stem can't be told or there is none
    of that name, AudioError where there is no such file, or nothing to do in a folder.
    """
    if stem is not None and stem not in CLASSES:
        raise UsageError(f"there is no stem {stem!r}; choose one of {', '.join(CLASSES)}")
    if not source.is_dir():
        files.inspect(source)
        kind = stem or stem_of(source)
        if kind is None:
            raise UsageError(f"{source.name} names no stem; add --stem drums, bass, other, vocals or mix")
        return [Job(source, kind, output or source.with_name(f"{source.stem}.normalized.wav"))]
    folder = output or source.with_name(f"{source.resolve().name}.normalized")
    jobs = []
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith("."):
            kind = stem or stem_of(path)
            if kind is not None:
                jobs.append(Job(path, kind, (folder / path.relative_to(source)).with_suffix(".wav")))
    if not jobs:
        raise AudioError(
            f"no sound in {source} names a stem; add --stem, or rename the files after their stems"
        )
    return jobs


def mixes_of(jobs: Iterable[Job]) -> list[Path]:
    """Where `normalize_files` puts mixes: a `mix.wav` in each folder with stems."""
    return sorted({job.target.with_name("mix.wav") for job in jobs if job.stem in STEMS})


def normalize_files(
    jobs: list[Job],
    averages: Averages,
    generator: torch.Generator | None = None,
    *,
    mix: bool = False,
    progress: Callable[[float], None] = lambda fraction: None,
) -> list[Done]:
    """Normalize files one after the other; see `normalize`. Folders are made.

    mix   also sum each folder's stems. AudioError where they differ in rate or length.
    """
    done: list[Done] = []
    mixes: dict[Path, Audio] = {}
    for number, job in enumerate(jobs):
        progress(number / len(jobs))
        result = normalize_audio(files.read(job.source), job.stem, averages, generator)
        done.append(_write(job.target, result))
        if mix and job.stem in STEMS:
            target = job.target.with_name("mix.wav")
            mixes[target] = _plus(mixes.get(target), result, job.source)
    done += [_write(target, sound) for target, sound in mixes.items()]
    progress(1.0)
    return done


def _write(path: Path, sound: Audio) -> Done:
    files.make_folder(path.parent)
    if path.suffix.lower() in _FLOAT_SUFFIXES:  # an average loudness may ask for peaks beyond full scale
        return Done(files.write(path, sound, subtype="FLOAT"), 0)
    return Done(files.write(path, sound), files.overs(sound))


def _plus(mix: Audio | None, stem: Audio, source: Path) -> Audio:
    stem = stem.with_channels(2)
    if mix is None:
        return stem
    if (mix.rate, mix.frames) != (stem.rate, stem.frames):
        raise AudioError(
            f"{source} is not as long as the stems beside it, so there is no mix; leave out --mix"
        )
    return Audio(mix.samples + stem.samples, mix.rate)
