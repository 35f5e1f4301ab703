"""What do scores on tasks with a truth say? Columns of figures, and each system beside the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import torch

from styletransfer.audio import STEMS
from styletransfer.evaluation.statistics import Paired, paired

from .answers import LEVELLED, NOTHING, RAW
from .with_truth import MIX, Judged, Score

Side = Literal["left_right", "mid_side"]
ALL_STEMS = "stems"
"""The mean over a task's stems."""

OURS, OTHERS = "ours", "others"

PARTS = (MIX, ALL_STEMS, *STEMS)
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Column:
    """One figure per system and task: the spectral distance of one part on one pair of channels."""

    judged: Sequence[Judged]
    part: str
    side: Side = "left_right"

    def value(self, score: Score) -> float | None:
        """Of one score; None where the system gives no such part."""
        stems = [name for name in score.spectral if name != MIX] if self.part == ALL_STEMS else [self.part]
        values = [float(getattr(score.spectral[name], self.side)) for name in stems if name in score.spectral]
        return fmean(values) if values else None

    def values(self, system: str) -> dict[int, float]:
        """Task number → figure; NOTHING is the better of both ways to do nothing, on the mean."""
        name = self.nothing if system == NOTHING else system
        found = {}
        for number, task in enumerate(self.judged):
            value = self.value(task.scores[name]) if name in task.scores else None
            if value is not None:
                found[number] = value
        return found

    def all(self) -> dict[str, list[float]]:
        """Every system's values, of those that answered all tasks."""
        names = dict.fromkeys(name for task in self.judged for name in task.scores)
        found = {name: list(self.values(name).values()) for name in names}
        return {
            name: [max(value, _LEAST) for value in values]
            for name, values in found.items()
            if len(values) == len(self.judged)
        }

    @property
    def nothing(self) -> str:
        """The name of the better way to do nothing."""
        means = {name: self.values(name) for name in (RAW, LEVELLED)}
        known = {name: fmean(values.values()) for name, values in means.items() if values}
        return min(known, key=lambda name: known[name]) if known else RAW

    def mean(self, system: str) -> float | None:
        values = self.values(system)
        return fmean(values.values()) if values else None

    def against(self, system: str, baseline: str, seed: int) -> Paired | None:
        """A system beside a baseline on the tasks that both answered; None where there are none."""
        ours, theirs = self.values(system), self.values(baseline)
        both = sorted(ours.keys() & theirs.keys())
        if not both:
            return None
        return paired(
            [max(ours[number], _LEAST) for number in both],
            [max(theirs[number], _LEAST) for number in both],
            torch.Generator().manual_seed(seed),
        )


def between(ours: Sequence[Judged], others: Sequence[Judged], system: str) -> list[Judged]:
    """The same tasks under two conditions, as two systems: OURS and OTHERS, what `system` came to in each."""
    return [
        Judged(one.pieces, {OURS: one.scores[system], OTHERS: other.scores[system]})
        for one, other in zip(ours, others, strict=True)
        if system in one.scores and system in other.scores
    ]


def systems_of(judged: Sequence[Judged]) -> list[str]:
    """All systems in the order in which they answered, NOTHING in place of both its ways."""
    names = dict.fromkeys(name for task in judged for name in task.scores)
    return [NOTHING, *(name for name in names if name not in (RAW, LEVELLED))] if names else []


def embedding_distances(judged: Sequence[Judged], encoder: str) -> dict[str, dict[str, tuple[float, float]]]:
    """System → "mix" or "stems" → mean distance to the reference, and to the truth; both RAW and LEVELLED."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for name in dict.fromkeys(name for task in judged for name in task.scores):
        heard = [task.scores[name].embedding.get(encoder, {}) for task in judged if name in task.scores]
        found[name] = {}
        for label in (MIX, ALL_STEMS):
            pairs = [pair for one in heard for part, pair in one.items() if (part == MIX) == (label == MIX)]
            if pairs:
                found[name][label] = (fmean(pair[0] for pair in pairs), fmean(pair[1] for pair in pairs))
    return found


def settings_errors(judged: Sequence[Judged], system: str, stem: str | None = None) -> dict[str, float]:
    """Mean error of each parameter, of one stem or of all; what never applied is left out."""
    gathered: dict[str, list[float]] = {}
    for task in judged:
        if system in task.scores:
            for name, errors in task.scores[system].settings.items():
                for parameter, error in errors.items() if stem in (None, name) else ():
                    gathered.setdefault(parameter, []).append(error)
    return {parameter: fmean(values) for parameter, values in gathered.items()}


def settings_lead(
    judged: Sequence[Judged], system: str, baseline: str, parameter: str, seed: int
) -> Paired | None:
    """A parameter's mean errors per task beside a baseline's; None where no task has both."""
    errors = [
        [settings_errors([task], name).get(parameter) for name in (system, baseline)] for task in judged
    ]
    both = [(ours, theirs) for ours, theirs in errors if ours is not None and theirs is not None]
    if not both:
        return None
    ours, theirs = zip(*both, strict=True)
    return paired(ours, theirs, torch.Generator().manual_seed(seed))


def blamed_on(judged: Sequence[Judged], system: str, stem: str | None = None) -> dict[str, float]:
    """Mean distance that each effect alone would leave, on one stem or on all; empty where nobody asked."""
    gathered: dict[str, list[float]] = {}
    for task in judged:
        if system in task.scores:
            for name, effects in task.scores[system].blame.items():
                for effect, distance in effects.items() if stem in (None, name) else ():
                    gathered.setdefault(effect, []).append(distance)
    return {effect: fmean(values) for effect, values in gathered.items()}


def share_right(judged: Sequence[Judged], system: str) -> float | None:
    """Share of tasks whose mix came closer to the truth with the right reference than with another's."""
    won = [
        task.scores[system].spectral[MIX].left_right < task.shuffled
        for task in judged
        if task.shuffled is not None and system in task.scores
    ]
    return sum(won) / len(won) if won else None
