"""How close does each system come to the truth? On held-out pieces, with true and with separated stems."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.corpus.folder import RATE, CorpusSong
from styletransfer.encoders import LoadedEncoder
from styletransfer.separation import Separator
from styletransfer.style import Style, style_of
from styletransfer.tasks import (
    PASSAGE_S,
    Neutral,
    StemSamples,
    Task,
    console_task,
    draw_pairs,
    foreign_task,
    gather,
    separated,
)

from .answers import Answer, System
from .blame import blame
from .settings import settings_error
from .spectral import Spectral, Truth
from .spreading import Kept, in_turn

TRUE, SEPARATED = "true stems", "separated stems"
OTHERWISE = "separated stems, otherwise"
"""By another separator, to compare with."""
NEUTRAL, OTHER = "neutral input", "input through another chain"
FOREIGN = "neutral input, chains of several makes"
MIX = "mix"

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Score:
    """One system on one task.

    spectral   "mix" and each stem of the truth → distance to the truth; None for stems that it doesn't give.
    embedding  encoder → part → (cosine distance to the reference, to the truth).
    settings   stem → what `settings_error` found.
    blame      stem → what `blame` found, of the systems that were asked about.
    """

    spectral: dict[str, Spectral]
    embedding: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    settings: dict[str, dict[str, float]] = field(default_factory=dict)
    blame: dict[str, dict[str, float]] = field(default_factory=dict)
    gated: bool = False

    def figures(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Judged:
    """One task: its pieces, and system → score. `shuffled` is the mix's distance with a wrong reference."""

    pieces: tuple[str, str]
    scores: dict[str, Score]
    shuffled: float | None = None


@dataclass(frozen=True, slots=True)
class TruthPlan:
    """How much is judged.

    tasks       per condition; `others` those whose input went through another chain; `foreign` those whose
                chains are random ones of all effects, a third of them of another make than the console's.
    takes       passages per song; per_piece: songs per piece; pieces: at most so many, all without.
    """

    tasks: int
    others: int
    takes: int
    per_piece: int
    pieces: int | None = None
    passage_s: float = PASSAGE_S
    foreign: int = 0


Table = dict[tuple[str, str], list[Judged]]
"""(condition, kind of input) → the tasks."""


def judge(
    songs: Sequence[CorpusSong],
    systems: Sequence[System],
    encoders: Sequence[LoadedEncoder],
    separators: Mapping[str, Separator | None],
    plan: TruthPlan,
    folder: Path,
    seed: int = 0,
    shuffled: System | None = None,
    blamed: Sequence[str] = (),
    progress: Progress = lambda stage, fraction: None,
    kept: Kept | None = None,
) -> Table:
    """Judge all systems on tasks from songs of one split.

    separators  condition → what separates both mixes; None for true stems.
    folder    where neutral passages are kept.
    shuffled  also answers the neutral tasks with the next task's reference, where there are several.
    blamed    names of systems of which it is told where their error sits, on neutral tasks.
    kept      where judged tasks lie, or go.
    """
    progress("normalizing pieces", 0.0)
    neutrals = gather(
        _of_pieces(songs, plan.pieces),
        folder,
        takes=plan.takes,
        per_piece=plan.per_piece,
        seed=seed,
        duration_s=plan.passage_s,
        progress=partial(progress, "normalizing pieces"),
    )
    found: Table = {}
    for kind, count in ((NEUTRAL, plan.tasks), (OTHER, plan.others), (FOREIGN, plan.foreign)):
        pairs = draw_pairs(neutrals, count, torch.Generator().manual_seed(seed)) if count else []
        for condition, separator in separators.items() if pairs else ():
            tasks = Tasks(pairs, kind, separator, seed)
            told = partial(progress, f"{kind}, {condition}")
            answering = shuffled if kind == NEUTRAL and len(pairs) > 1 else None
            work = partial(_judge_numbered, tasks, systems, encoders, answering, blamed)
            there = kept.under(f"{kind} {condition}") if kept is not None else None
            found[condition, kind] = in_turn(work, range(count), told, there)
    return found


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of one table, made when they are asked for, always alike."""

    pairs: Sequence[tuple[Neutral, Neutral]]
    kind: str
    separator: Separator | None
    seed: int

    def __getitem__(self, number: int) -> Task:
        number %= len(self.pairs)
        generator = torch.Generator().manual_seed(_seed(self.seed, number))
        pair = self.pairs[number]
        if self.kind == FOREIGN:
            task = foreign_task(*pair, generator)
        else:
            task = console_task(*pair, generator, other=self.kind == OTHER)
        return task if self.separator is None else separated(task, self.separator)


def _judge_numbered(
    tasks: Tasks,
    systems: Sequence[System],
    encoders: Sequence[LoadedEncoder],
    shuffled: System | None,
    blamed: Sequence[str],
    number: int,
) -> Judged:
    task = tasks[number]
    if shuffled is None:
        return judge_task(task, systems, encoders, blamed=blamed)
    other = tasks[number + 1]
    wrong = replace(task, reference=other.reference, reference_rest=other.reference_rest)
    return judge_task(task, systems, encoders, shuffled, wrong, blamed)


def judge_task(
    task: Task,
    systems: Sequence[System],
    encoders: Sequence[LoadedEncoder] = (),
    shuffled: System | None = None,
    wrong: Task | None = None,
    blamed: Sequence[str] = (),
) -> Judged:
    """All systems on one task.

    wrong   the task with another's reference, for `shuffled`.
    blamed  the systems whose error is told by effect.
    """
    truths = {MIX: Truth(task.truth_mix)} | {name: Truth(sound) for name, sound in task.truth.items()}
    styles = [
        (
            encoder,
            _styles(encoder, task.reference_mix, task.reference),
            _styles(encoder, task.truth_mix, task.truth),
        )
        for encoder in encoders
    ]
    scores = {}
    for system in systems:
        answer = system(task)
        if answer is not None:
            scores[system.name] = _score(task, answer, truths, styles, system.name in blamed)
    distance = None
    if shuffled is not None and wrong is not None and (answer := shuffled(wrong)) is not None:
        distance = truths[MIX].distance(answer.mix).left_right
    return Judged(task.pieces, scores, distance)


Heard = tuple[LoadedEncoder, dict[str, Style], dict[str, Style]]


def _score(
    task: Task, answer: Answer, truths: dict[str, Truth], styles: Sequence[Heard], blamed: bool
) -> Score:
    sounds = {MIX: answer.mix} | {n: s for n, s in (answer.stems or {}).items() if n in task.truth}
    embedding = {}
    for encoder, of_reference, of_truth in styles:
        heard = _styles(encoder, answer.mix, {n: s for n, s in sounds.items() if n != MIX})
        embedding[encoder.fingerprint] = {
            part: (_apart(style, of_reference[part]), _apart(style, of_truth[part]))
            for part, style in heard.items()
            if part in of_reference and not style.silent
        }
    settings, to_blame = {}, {}
    if answer.settings is not None and task.settings is not None and task.neutral_input:
        settings = {
            name: settings_error(true, answer.settings[name], answer.master)
            for name, true in task.settings.items()
        }
        if blamed and answer.stems is not None:
            to_blame = blame(
                task.input, task.truth, task.settings, answer.settings, answer.stems, answer.master
            )
    return Score(
        spectral={part: truths[part].distance(sound) for part, sound in sounds.items()},
        embedding=embedding,
        settings=settings,
        blame=to_blame,
        gated=answer.gated,
    )


def _styles(encoder: LoadedEncoder, mix: Tensor, stems: StemSamples) -> dict[str, Style]:
    found = style_of(Audio(mix, RATE), {name: Audio(one, RATE) for name, one in stems.items()}, encoder)
    return {MIX: found.mix, **found.stems}


def _apart(first: Style, second: Style) -> float:
    return 1 - float(first.embedding @ second.embedding)


def _of_pieces(songs: Sequence[CorpusSong], most: int | None) -> list[CorpusSong]:
    """The songs of at most so many pieces, those with the most stems first."""
    stems: dict[str, int] = {}
    for song in songs:
        stems[song.piece] = max(len(song.stems), stems.get(song.piece, 0))
    chosen = set(sorted(stems, key=lambda piece: (-stems[piece], piece))[:most])
    return [song for song in songs if song.piece in chosen]


def _seed(seed: int, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"task {seed} {number}".encode()).digest()[:6], "big")
