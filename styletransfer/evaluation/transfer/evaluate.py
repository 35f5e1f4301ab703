"""What is a transfer worth? Both tables, every baseline and every converter in the same run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from styletransfer import converters, encoders, weights
from styletransfer.converters import Converter as Network
from styletransfer.converters import LoadedTCN
from styletransfer.corpus.folder import Corpus
from styletransfer.corpus.split import piece_mark
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import AudioError, CheckpointError, UsageError
from styletransfer.evaluation.matchering import Matchering
from styletransfer.evaluation.songs import SET_NAMES, default_folder
from styletransfer.separation import choose
from styletransfer.stem_cache import StemCache

from . import finished, with_truth
from .answers import (
    CLOSED,
    LEAKY,
    RAW,
    REFINED,
    TCN,
    Competitor,
    Constant,
    Converter,
    Levelled,
    Oracle,
    Raw,
    Summed,
    System,
)
from .finished import Finished, FinishedPlan, matchering_if_here
from .mixes import UNGATED, Automix
from .preset import PATH, Preset, drawn_preset, load_preset
from .spreading import Kept
from .with_truth import OTHERWISE, SEPARATED, TRUE, Table, TruthPlan

SPLITS = ("test", "validation")
UNMASTERED = ", master locked"
"""Beside each converter where the truth is known, which no master had a part in."""
DEFAULT = "console"
"""The converter that is measured where none is named: what transfers take."""

Progress = Callable[[str, float], None]
Options = dict[str, dict[str, Any]]
"""Name in tables → what `styletransfer.transfer` is asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of both is judged."""

    name: str
    truth: TruthPlan
    finished: FinishedPlan

    def of(self, tasks: int | None, pairs: int | None, stems: bool, speed: bool) -> Plan:
        """The same with other counts of tasks with a truth and of pairs, or without the pairs' stems or the
        time and memory of a transfer."""
        truth = (
            self.truth
            if tasks is None
            else replace(self.truth, tasks=tasks, others=tasks // 2, foreign=tasks // 2)
        )
        finished = replace(
            self.finished,
            pairs=self.finished.pairs if pairs is None else pairs,
            stems=self.finished.stems and stems,
            speed=self.finished.speed and speed,
        )
        return replace(self, truth=truth, finished=finished)


FULL = Plan("full", TruthPlan(tasks=40, others=20, takes=1, per_piece=2, foreign=20), FinishedPlan())
QUICK = Plan(
    "quick",
    TruthPlan(tasks=3, others=1, takes=1, per_piece=1, pieces=5),
    FinishedPlan(pairs=2, stems=False, nulls=False, speed=False),
)


@dataclass(frozen=True, slots=True)
class TransferConfig:
    """What is judged, and on what.

    corpus          for the table with a truth, left out where None; `split` test, or validation.
    songs           the folder of finished songs and of Matchering; `finished` whether they are judged.
    converters      the first one's goals are told; the closed form is judged beside them, and tcn where
                    its network is shipped. `refine` steps: each that sets knobs also refined;
                    `ablate_confidence`: each also without holding leaky stems back.
    encoder         that measures embedding distances; `second_encoder` another, that nothing was tuned by.
    other_separator another to compare it with, where the truth is known.
    preset          a constant preset for finished music; the shipped one without.
    cache           where neutral passages are kept, and what was judged so far: asked again after it was
                    stopped, by the same code, it goes on where it was.
    """

    corpus: Path | None
    split: str = "test"
    songs: Path = field(default_factory=default_folder)
    finished: bool = True
    set_name: str = "bench"
    converters: tuple[str, ...] = (DEFAULT,)
    refine: int = 0
    ablate_confidence: bool = False
    encoder: str | None = None
    second_encoder: Path | None = None
    separator: str = "builtin"
    other_separator: str | None = None
    preset: Path | None = None
    plan: Plan = FULL
    seed: int = 0
    cache: Path = field(default_factory=lambda: default_cache())


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of it; `main` is the converter whose goals count."""

    main: str
    converters: tuple[str, ...]
    encoders: tuple[str, ...]
    truth: Table
    finished: Finished | None
    notes: list[str]


def default_cache() -> Path:
    """Where neutral passages are kept unless said otherwise: $TASKS_CACHE, else in the user's cache."""
    return Path(os.environ.get("TASKS_CACHE") or Path.home() / ".cache" / "automix-tasks")


def evaluate(config: TransferConfig, progress: Progress = lambda stage, fraction: None) -> Findings:
    """Measure all that is asked for.

    UsageError for an unknown split or converter; AudioError without a corpus; CheckpointError where the
    second encoder, or a converter, was trained on a piece of the split.
    """
    if config.split not in SPLITS:
        raise UsageError(f"figures come from {' or '.join(SPLITS)}, not from {config.split!r}")
    if config.finished and config.set_name not in SET_NAMES:
        raise UsageError(f"the sets of finished songs are {' and '.join(SET_NAMES)}, not {config.set_name!r}")
    if config.corpus is None and not config.finished:
        raise UsageError("with neither --truth nor --finished there is nothing to measure")
    if not config.converters:
        raise UsageError("there is no converter to measure; name one with --converter")
    marks = _marks(config)
    options: Options = {}
    varied: Options = {}
    for converter in config.converters:
        network = converters.choose(converter)
        _refuse_seen(converter, _trained_on(network), marks)
        name = Path(converter).name
        options[name] = {"converter": converter}
        if config.refine and not isinstance(network, LoadedTCN):
            varied[name + REFINED] = {"converter": converter, "refine": config.refine}
        if config.ablate_confidence:
            varied[name + LEAKY] = {"converter": converter, "confident": False}
    options |= varied
    heard = [encoders.load(config.encoder or encoders.SHIPPED)]
    if config.second_encoder is not None:
        heard.append(encoders.load(config.second_encoder))
    for encoder in heard:
        _refuse_seen(f"encoder {encoder.fingerprint}", encoder.facts.get("trained_on", ()), marks)
    program, why = matchering_if_here(config.songs)
    notes = [why] if why else []
    beside = _beside(options, marks, notes)
    truth = (
        {} if config.corpus is None else _with_truth(config, options, beside, program, heard, progress, notes)
    )
    judged = _finished(config, options | beside, program, heard, progress, notes) if config.finished else None
    fingerprints = tuple(encoder.fingerprint for encoder in heard)
    return Findings(next(iter(options)), tuple(options), fingerprints, truth, judged, notes)


def _with_truth(
    config: TransferConfig,
    options: Options,
    beside: Options,
    program: Matchering | None,
    heard: list[LoadedEncoder],
    progress: Progress,
    notes: list[str],
) -> Table:
    assert config.corpus is not None
    songs = Corpus(config.corpus).songs(config.split)
    if not songs:
        raise AudioError(f"{config.corpus} has no {config.split} songs; build more of the corpus")
    systems: list[System] = [Raw(), Levelled(), Constant(drawn_preset(config.seed))]
    if program is not None:
        systems.append(Competitor(program))
    ours, others = (
        [Converter(name, {"seed": config.seed, **asked}) for name, asked in some.items()]
        for some in (options | _unmastered(options), beside | _unmastered(beside))
    )
    main, asked = next(iter(options.items()))
    ours.append(Converter(main + UNGATED, {"seed": config.seed, **asked, "gate": False}))
    summed = [Summed(one) for one in (*others, *ours) if one.name == TCN + UNMASTERED]
    systems += [*others, *ours, *summed, Oracle()]
    separators = {TRUE: None, SEPARATED: choose(config.separator)}
    if config.other_separator is not None:
        separators[OTHERWISE] = choose(config.other_separator)
    pieces = {song.piece for song in songs}
    notes.append(f"With a truth: the {config.split} split, {len(songs)} songs of {len(pieces)} pieces.")
    return with_truth.judge(
        songs,
        systems,
        heard,
        separators,
        config.plan.truth,
        config.cache,
        config.seed,
        ours[0],
        (RAW, CLOSED, ours[0].name, ours[0].name + UNMASTERED),
        progress,
        _kept(config, [system.name for system in systems], [song.id for song in songs], heard),
    )


def _finished(
    config: TransferConfig,
    options: Options,
    program: Matchering | None,
    heard: list[LoadedEncoder],
    progress: Progress,
    notes: list[str],
) -> Finished:
    preset: Preset | None = None
    if config.preset is not None or PATH.is_file():
        preset = load_preset(config.preset)
    else:
        notes.append("The constant preset of finished music is left out: none was measured.")
    cache = StemCache(config.songs / "stems")
    mixers = {
        name: Automix(cache, config.seed, separator=config.separator, options=asked)
        for name, asked in options.items()
    }
    plan = replace(config.plan.finished, set_name=config.set_name)
    torch.set_num_threads(min(2, torch.get_num_threads()))
    kept = _kept(config, [*options, program is not None], plan, heard)
    return finished.judge(plan, config.songs, mixers, program, preset, heard, progress, kept)


def _kept(
    config: TransferConfig, systems: Sequence[object], songs: object, heard: list[LoadedEncoder]
) -> Kept:
    """Where results of these systems on these songs are kept; whatever could change them is told apart."""
    separators = [choose(name).fingerprint for name in (config.separator, config.other_separator) if name]
    files = [path for path in (config.preset, *map(Path, config.converters)) if path and path.is_file()]
    told = (
        replace(config, corpus=None, cache=Path(), songs=Path()),
        (systems, songs, separators, [encoder.fingerprint for encoder in heard]),
        (weights.manifest(), [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]),
    )
    return Kept.of(config.cache, told)


def _marks(config: TransferConfig) -> set[str]:
    """Of the pieces that are judged; what judges and what is judged must not have learned from them."""
    if config.corpus is None:
        return set()
    return {piece_mark(song.piece) for song in Corpus(config.corpus).songs(config.split)}


def _trained_on(network: Network | None) -> Iterable[str]:
    return () if network is None else network.facts.get("trained_on", ())


def _beside(options: Options, marks: set[str], notes: list[str]) -> Options:
    """What else is judged in every run: the closed form, and tcn where its network is shipped."""
    found: Options = {} if CLOSED in options else {CLOSED: {"converter": CLOSED}}
    if TCN not in options and not converters.shipped(TCN):
        notes.append("The tcn converter is left out: no network of it comes with this version.")
    elif TCN not in options:
        if marks & set(_trained_on(converters.choose(TCN))):
            notes.append("The tcn converter is left out: it was trained on pieces that are judged.")
        else:
            found[TCN] = {"converter": TCN}
    return found


def _unmastered(options: Options) -> Options:
    """The same with the master locked, but for refined ones: each task would take a minute more."""
    return {
        name + UNMASTERED: {**asked, "lock": ["master"]}
        for name, asked in options.items()
        if not name.endswith(REFINED)
    }


def _refuse_seen(what: str, trained_on: Iterable[str], marks: set[str]) -> None:
    shared = marks & set(trained_on)
    if shared:
        raise CheckpointError(
            f"{what} was trained on {len(shared)} of the pieces that are judged; measure on another split, "
            "or with weights that left them out"
        )
