"""Building the corpus: recipes to songs in several processes, sung at once or later; what is done is kept."""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import shutil
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from styletransfer.errors import AudioError, ResourceError, UsageError

from . import arrangement, fluidsynth, melodies, openmpt, packages, plan, rendering
from .folder import RATE, Corpus, CorpusSong, read_song
from .plan import Recipe

_BYTES_PER_HOUR = 0.6e9
_ALL_HOURS = 28.0

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left behind: its songs, and the pieces that gave none, with the reason."""

    songs: tuple[CorpusSong, ...]
    skipped: tuple[str, ...]

    @property
    def hours(self) -> float:
        return sum(song.duration_s for song in self.songs) / 3600


def build(
    destination: Path,
    *,
    hours: float | None = None,
    seed: int = 0,
    jobs: int = 2,
    voices: bool = True,
    cache: Path | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> Built:
    """Make a corpus, or go on with one, until it holds so many hours (all that can be made without).

    voices    whether songs are sung; they wait for a later call otherwise.
    cache     where packages are unpacked.
    The same seed and hours give the same songs. ResourceError where a library, a package or disk space is
    missing; UsageError where the destination is a file or was built with another seed.
    """
    cache = cache or packages.default_cache()
    _check(destination, hours, seed, jobs)
    progress("packages", 0.0)
    recipes = plan.recipes(cache, seed, lambda share: progress("packages", share))
    wanted = _beginning(recipes, hours)
    failed: dict[str, str] = {}
    while True:
        _render(wanted, destination, cache, jobs, voices, failed, progress)
        done_s = sum(
            read_song(_folder(destination, recipe)).duration_s for recipe in wanted if recipe.id not in failed
        )
        if hours is None or done_s >= 3600 * hours or len(wanted) == len(recipes):
            break
        missing = 1.1 * (3600 * hours - done_s) / plan.LONGEST_S
        wanted = recipes[: len(wanted) + math.ceil(missing) + 1]
    if voices:
        _sing(
            [_folder(destination, recipe) for recipe in wanted if recipe.id not in failed],
            cache,
            jobs,
            progress,
        )
    songs = tuple(Corpus(destination).songs())
    return Built(songs, tuple(f"{name}: {why}" for name, why in failed.items()))


def _check(destination: Path, hours: float | None, seed: int, jobs: int) -> None:
    if destination.exists() and not destination.is_dir():
        raise UsageError(f"{destination} is a file; give a folder for the corpus")
    if hours is not None and hours <= 0:
        raise UsageError(f"a corpus of {hours:g} hours can't be built; give --hours more than 0")
    if jobs < 1:
        raise UsageError(f"{jobs} jobs can't build anything; give --jobs 1 or more")
    fluidsynth.check_library()
    openmpt.check_library()
    try:
        (destination / "songs").mkdir(parents=True, exist_ok=True)
        _check_seed(destination / "corpus.json", seed)
        for left in (destination / "songs").glob(".*.part"):
            shutil.rmtree(left, ignore_errors=True)
        there = sum(1 for _ in (destination / "songs").iterdir()) / 60
        free = shutil.disk_usage(destination).free
    except OSError as error:
        raise ResourceError(f"{destination} can't be written ({error}); choose another folder") from error
    needed = _BYTES_PER_HOUR * max((hours or _ALL_HOURS) - there, 0.0)
    if free < needed:
        raise ResourceError(
            f"{destination} has {free / 1e9:.0f} GB left, and some {needed / 1e9:.0f} GB are needed; "
            "free some disk space, or ask for fewer --hours"
        )


def _check_seed(record: Path, seed: int) -> None:
    """Hold the seed against that of an earlier build, or note it for the next."""
    try:
        earlier = json.loads(record.read_text(encoding="utf-8"))["seed"]
    except FileNotFoundError:
        record.write_text(json.dumps({"format": 1, "seed": seed}) + "\n", encoding="utf-8")
        return
    except (ValueError, KeyError, TypeError) as error:
        raise AudioError(f"{record} is damaged; remove it, or build into another folder") from error
    if earlier != seed:
        raise UsageError(
            f"the corpus in {record.parent} was built with seed {earlier}; "
            f"give --seed {earlier}, or build into another folder"
        )


def _beginning(recipes: Sequence[Recipe], hours: float | None) -> list[Recipe]:
    """The first recipes that make so many hours, with every split among them."""
    splits = {recipe.split for recipe in recipes}
    taken: list[Recipe] = []
    expected_s = 0.0
    for recipe in recipes:
        enough = hours is not None and expected_s >= 3600 * hours
        if enough and {one.split for one in taken} == splits:
            break
        taken.append(recipe)
        expected_s += recipe.expected_s
    return taken


def _folder(destination: Path, recipe: Recipe) -> Path:
    return destination / "songs" / recipe.id


def _render(
    wanted: Sequence[Recipe],
    destination: Path,
    cache: Path,
    jobs: int,
    voices: bool,
    failed: dict[str, str],
    progress: Progress,
) -> None:
    todo = [
        recipe
        for recipe in wanted
        if recipe.id not in failed and not (_folder(destination, recipe) / "meta.json").is_file()
    ]
    packages.fetch_all(sorted({package for recipe in todo for package in recipe.needs}), cache)
    tasks = [(recipe, destination, cache, voices) for recipe in todo]
    for recipe, why in zip(todo, _shared(_render_one, tasks, jobs, "rendering", progress), strict=True):
        if why:
            failed[recipe.id] = why


def _sing(folders: Sequence[Path], cache: Path, jobs: int, progress: Progress) -> None:
    todo = [folder for folder in folders if "vocals" in read_song(folder).pending]
    tasks = [(folder, cache) for folder in todo]
    _shared(_sing_one, tasks, jobs, "singing", progress)


def _shared(
    work: Callable[..., str], tasks: Sequence[tuple[Any, ...]], jobs: int, stage: str, progress: Progress
) -> list[str]:
    """Each task's answer; several jobs are so many processes."""
    answers: list[str] = []

    def count(given: Iterable[str]) -> list[str]:
        for answer in given:
            answers.append(answer)
            progress(stage, len(answers) / len(tasks))
        return answers

    if not tasks:
        return answers
    progress(stage, 0.0)
    if jobs == 1:
        return count(itertools.starmap(work, tasks))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, _start) as pool:
        try:
            return count(pool.map(work, *zip(*tasks, strict=True)))
        except BrokenProcessPool as error:
            raise ResourceError(
                "a process of the build was ended from outside, perhaps for want of memory; "
                "run it again with --jobs 1: finished songs are kept"
            ) from error


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _render_one(recipe: Recipe, destination: Path, cache: Path, voices: bool) -> str:
    """Why there is no song, or ""."""
    try:
        sing = _singer(recipe.seed, recipe.split, cache) if voices else None
        rendering.render_song(recipe, destination, cache, sing)
    except AudioError as error:
        return str(error)
    return ""


@remembered
def _singers(cache: Path, split: str) -> Any:
    from .voices import Singers

    return Singers(cache, split)


def _sing_one(folder: Path, cache: Path) -> str:
    song = read_song(folder)
    rendering.add_vocals(song, folder.parent.parent, _singer(song.seed, song.split, cache))
    return ""


def _singer(seed: int, split: str, cache: Path) -> rendering.Sing:
    """What sings a song of that seed with the voices of its split."""

    def sing(
        stems: dict[str, Tensor], melody: arrangement.MelodyNotes
    ) -> tuple[Tensor, list[rendering.Credit]]:
        generator = torch.Generator().manual_seed(seed + 2)
        singers = _singers(cache, split)
        notes = [
            (float(start), float(length), float(pitch))
            for start, length, pitch in melody or melodies.invent(stems, generator)
        ]
        duration_s = next(iter(stems.values())).shape[1] / RATE
        vocals, sources = singers.sing(notes, duration_s, generator)
        credits = singers.credits(sources)
        return vocals, [(name, *credit) for name, credit in zip(sources, credits, strict=True)]

    return sing
