"""How good is a separator? Scores per stem of every song and system, all in one run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch

from styletransfer import weights
from styletransfer.audio import STEMS, Stems
from styletransfer.corpus.split import piece_mark
from styletransfer.errors import AudioError, CheckpointError, UsageError
from styletransfer.evaluation.statistics import Estimate
from styletransfer.evaluation.style.intervals import mean_by_piece
from styletransfer.separation.confidence import Confidence, confidences

from .scores import Scores, audible, score
from .songs import REAL, RENDERED, JudgedSong, corpus_songs, packaged_songs, real_songs
from .systems import HTDEMUCS, MEDIAN, MIX, System, line_up

SPLITS = ("test", "validation")
QUICK_SONGS = 8

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class SeparationConfig:
    """What is judged, on what.

    corpus     none leaves rendered songs out; `real` is a folder of real recordings with their tracks.
    packaged   also the recording that the package stempeg carries, where it is installed.
    songs      of the corpus, at most; pieces first, then further renderings of them.
    """

    corpus: Path | None
    real: Path | None = None
    packaged: bool = True
    split: str = "test"
    separator: str = "builtin"
    repo: Path | None = None
    songs: int | None = None
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What came of one song: system → stem → scores, of stems that are known and audible.

    rest_db   what no stem claims, in dB re the mix, −120 or more; of systems that give four stems.
    """

    song: JudgedSong
    scores: dict[str, dict[str, Scores]]
    seconds: dict[str, float]
    processor_s: dict[str, float]
    confidence: dict[str, dict[str, Confidence]]
    rest_db: dict[str, float]


@dataclass(slots=True, eq=False)
class Findings:
    """All that was measured."""

    systems: tuple[str, ...]
    fingerprints: dict[str, str]
    judged: list[Judged] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Judged]:
        """The songs of a kind."""
        return [judged for judged in self.judged if judged.song.kind == kind]

    def kinds(self) -> list[str]:
        """Real recordings first, then rendered songs, as far as there are any."""
        here = {judged.song.kind for judged in self.judged}
        return [kind for kind in (REAL, RENDERED) if kind in here]

    def estimate(self, kind: str, system: str, stem: str, figure: str, seed: int = 0) -> Estimate:
        """The mean of a figure over a kind's songs, with its interval over pieces."""
        return self._mean(kind, stem, seed, lambda found: getattr(found[system][stem], figure))

    def lead(self, kind: str, system: str, baseline: str, stem: str, seed: int = 0) -> Estimate:
        """How much SDR a system has over a baseline on the same songs."""
        return self._mean(
            kind, stem, seed, lambda found: found[system][stem].sdr_db - found[baseline][stem].sdr_db
        )

    def values(self, kind: str, system: str, stem: str, figure: str = "sdr_db") -> list[float]:
        """A figure, song by song."""
        return [getattr(found[system][stem], figure) for found, _ in self._of(kind, stem)]

    def best_baseline(self, kind: str, stem: str) -> str:
        """Of the two that aren't trained here, the one with the larger mean SDR."""
        there = [name for name in (MIX, MEDIAN) if name in self.systems]
        return max(there, key=lambda name: self.estimate(kind, name, stem, "sdr_db").value)

    def _of(self, kind: str, stem: str) -> list[tuple[dict[str, dict[str, Scores]], str]]:
        return [
            (judged.scores, judged.song.piece)
            for judged in self.of(kind)
            if stem in judged.scores[self.systems[0]]
        ]

    def _mean(
        self, kind: str, stem: str, seed: int, value: Callable[[dict[str, dict[str, Scores]]], float]
    ) -> Estimate:
        found = self._of(kind, stem)
        values = np.array([value(scores) for scores, _ in found], dtype=np.float64)
        _, pieces = (
            np.unique([piece for _, piece in found], return_inverse=True) if found else (0, np.array([]))
        )
        return mean_by_piece(values, np.asarray(pieces, dtype=np.int64), seed)


def evaluate(
    config: SeparationConfig,
    progress: Progress = lambda stage, fraction: None,
    systems: Sequence[System] = (),
) -> Findings:
    """Take every song apart with every system and score what comes.

    systems   in place of those that `config` names.
    UsageError without any songs; CheckpointError where the splitter was trained on a song of the split.
    """
    if config.split not in SPLITS:
        raise UsageError(f"figures come from {' or '.join(SPLITS)}, not from {config.split!r}")
    songs, notes = _songs(config)
    compared = list(systems) or line_up(config.separator, config.repo, config.device)
    _check_unheard(config.separator, songs)
    found = Findings(
        tuple(system.name for system in compared),
        {system.name: system.fingerprint for system in compared},
        notes=notes,
    )
    if HTDEMUCS not in found.systems and not systems:
        found.notes.append(f"{HTDEMUCS} is left out: its weights aren't here.")
    for number, song in enumerate(songs):
        progress("separating", number / len(songs))
        found.judged.append(judge(song, compared))
    progress("separating", 1.0)
    return found


def judge(song: JudgedSong, compared: Sequence[System]) -> Judged:
    """Score all systems on one song."""
    mix, truth = song.read()
    asked = [name for name in STEMS if name in truth and audible(truth[name].samples, mix.samples)]
    judged = Judged(song, {}, {}, {}, {}, {})
    for system in compared:
        began, worked = perf_counter(), process_time()
        stems: Stems = system.separate(mix, truth)
        judged.seconds[system.name] = (perf_counter() - began) / mix.duration_s
        judged.processor_s[system.name] = (process_time() - worked) / mix.duration_s
        judged.scores[system.name] = {
            name: score(stems[name].samples, truth[name].samples, mix.rate) for name in asked
        }
        if set(stems) == set(STEMS) and system.name != MIX:
            judged.confidence[system.name] = confidences(mix, stems)
            rest = mix.samples - torch.stack([stem.samples for stem in stems.values()]).sum(0)
            share = float(rest.square().mean() / mix.samples.square().mean().clamp(min=1e-12))
            judged.rest_db[system.name] = 10 * math.log10(max(share, 1e-12))
    return judged


def _songs(config: SeparationConfig) -> tuple[list[JudgedSong], list[str]]:
    songs: list[JudgedSong] = []
    notes: list[str] = []
    if config.real is not None:
        songs += real_songs(config.real)
    packaged = packaged_songs() if config.packaged else []
    songs += packaged
    if not packaged:
        notes.append("The recording in the package stempeg isn't here (pip install --no-deps stempeg av).")
    if config.corpus is not None:
        try:
            songs += corpus_songs(config.corpus, config.split, config.songs)
        except AudioError as error:
            notes.append(f"Rendered songs are left out, since {error}.")
    if not songs:
        raise UsageError("there is nothing to judge on; give --corpus, or --real with a folder of recordings")
    for kind in (REAL, RENDERED):
        of_kind = [song for song in songs if song.kind == kind]
        minutes = sum(song.duration_s for song in of_kind) / 60
        pieces = len({song.piece for song in of_kind})
        if of_kind:
            notes.append(f"{kind}: {len(of_kind)} songs of {pieces} pieces, {minutes:.1f} minutes.")
    return songs, notes


def _check_unheard(separator: str, songs: Sequence[JudgedSong]) -> None:
    """CheckpointError where builtin's splitter learned from a piece that it is judged on."""
    from styletransfer.separation import splitters

    if separator.endswith(".safetensors"):
        facts = splitters.load(separator).facts
    elif separator == "builtin" and splitters.SHIPPED in weights.manifest():
        facts = splitters.load().facts
    else:
        return
    heard = set(facts.get("trained_on", ())) & {piece_mark(song.piece) for song in songs}
    if heard:
        raise CheckpointError(
            f"{separator} was trained on {len(heard)} of these pieces; judge it on a corpus with other splits"
        )
