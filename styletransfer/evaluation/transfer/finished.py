"""How close does a transfer come where no truth exists? Finished songs that nothing was tuned on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from styletransfer.audio import Audio, Stems
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import AutomixError
from styletransfer.evaluation.matchering import Matchering
from styletransfer.evaluation.songs import SongSet, fetch, song_set
from styletransfer.evaluation.sound import read_excerpt
from styletransfer.separation import choose, separate

from .judging import Pair, embedded, judge_pair
from .kad import kad
from .mixes import Automix, mixers
from .null_tests import NullTests, null_tests
from .preset import Preset
from .speed import SONG_S, Speed, in_a_row, peak_bytes, speed
from .spreading import Kept, in_turn

_LONG_SONGS = 10  # are sung in a row for the memory's figure

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class FinishedPlan:
    """What is judged on finished music.

    pairs   only the first so many; all where None.
    stems   AF per stem, too, which separates every result.
    nulls   null tests of the first converter; `speed` its memory and its time, of an excerpt and a song.
    """

    set_name: str = "bench"
    pairs: int | None = None
    stems: bool = True
    nulls: bool = True
    speed: bool = True


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of it.

    judged  per pair of `songs.pairs`: system → judgement.
    kad     encoder → system → distance between its mixes and the references' second halves, as sets.
    speed   on an excerpt, then on a song; none where it wasn't measured.
    """

    songs: SongSet
    judged: list[Pair]
    kad: dict[str, dict[str, float]] = field(default_factory=dict)
    nulls: NullTests | None = None
    speed: tuple[Speed, ...] = ()
    peak_bytes: int | None = None

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        return self.songs.pairs[: len(self.judged)]

    @property
    def unseen(self) -> list[Pair]:
        """What was judged of pairs that nobody looked at when a rule was made."""
        seen = self.songs.seen
        return [one for pair, one in zip(self.pairs, self.judged, strict=True) if pair not in seen]


def judge(
    plan: FinishedPlan,
    folder: Path,
    converters: Mapping[str, Automix],
    program: Matchering | None,
    preset: Preset | None,
    encoders: Sequence[LoadedEncoder] = (),
    progress: Progress = lambda stage, fraction: None,
    kept: Kept | None = None,
) -> Finished:
    """Judge the baselines and all converters on a set of songs, which are fetched where they aren't here.

    folder      where the songs lie.
    converters  name → converter; null tests and times are the first one's.
    kept        where judged pairs lie, or go.
    SongsError where a song can't be had.
    """
    songs = song_set(plan.set_name)
    paths = {path.stem: path for path in fetch(songs, folder)}
    systems = mixers(converters, program, preset)
    separated = _builtin() if plan.stems else None
    pairs = songs.pairs[: plan.pairs]
    main = next(iter(converters.values()))

    def judged_pair(pair: tuple[str, str]) -> Pair:
        source, reference = (read_excerpt(paths[name]) for name in pair)
        return judge_pair(source, reference, systems, separated, encoders)

    judged = in_turn(judged_pair, pairs, partial(progress, "finished music"), kept)
    references = [embedded(read_excerpt(paths[reference]), encoders) for _, reference in pairs]
    nulls = peak = None
    timed: tuple[Speed, ...] = ()
    if plan.nulls and len(pairs) > 1:
        progress("null tests", 0.0)
        sounds_of = [tuple(read_excerpt(paths[name]) for name in pair) for pair in pairs]
        right = [pair[next(iter(converters))].mix.total for pair in judged]
        nulls = null_tests([(pair[0], pair[1]) for pair in sounds_of], main, right)
        progress("null tests", 1.0)
    if plan.speed:
        some = [read_excerpt(path) for path in list(paths.values())[:_LONG_SONGS]]
        first, second = (read_excerpt(paths[name]) for name in pairs[0])
        wholes = [in_a_row([one, *some], SONG_S) for one in (first, second)]
        timed = tuple(
            speed(source, reference, program, lambda stage: progress(stage, 0.0), main.options)
            for source, reference in ((first, second), wholes)
        )
        progress("peak memory", 0.0)
        peak = peak_bytes(some, second, main.options)
    return Finished(songs, judged, _kads(judged, references, encoders), nulls, timed, peak)


def matchering_if_here(folder: Path) -> tuple[Matchering | None, str]:
    """Matchering in its environment under a folder, made where it can be; else None and a sentence why."""
    program = Matchering(folder)
    try:
        program.install()
    except AutomixError as error:
        return None, f"Matchering is left out: {error}."
    return program, ""


def _kads(
    judged: Sequence[Pair],
    references: Sequence[Mapping[str, torch.Tensor]],
    encoders: Sequence[LoadedEncoder],
) -> dict[str, dict[str, float]]:
    if len(judged) < 2:
        return {}
    found: dict[str, dict[str, float]] = {}
    for encoder in encoders:
        mark = encoder.fingerprint
        theirs = torch.stack([heard[mark] for heard in references])
        found[mark] = {
            name: kad(torch.stack([pair[name].heard[mark] for pair in judged]), theirs) for name in judged[0]
        }
    return found


def _builtin() -> Callable[[Audio], Stems]:
    separator = choose("builtin")

    def take_apart(mix: Audio) -> Stems:
        return separate(mix, separator)

    return take_apart
