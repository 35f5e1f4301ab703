"""Strips by ear: pairs of passages through the differentiable console, beside what they should sound like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from styletransfer.chains.loudness import k_weighted_energy, matching_factor
from styletransfer.converter import mixing, parameters
from styletransfer.converter.console import Stage
from styletransfer.converter.network import STRIPS, by_table
from styletransfer.corpus.folder import RATE

from .lessons import Lessons
from .passages import CONDITIONS, Passage


class Sounds(NamedTuple):
    """For each row of lessons: the stem as it is given, and as it should become, (rows, 2, time)."""

    given: Tensor
    truth: Tensor


@torch.no_grad()
def sounds(lessons: Lessons, passages: Sequence[Passage], duration_s: float, generator: Generator) -> Sounds:
    """Excerpts of each row's input stem, and of the neutral one through what the reference went through."""
    frames = round(duration_s * RATE)
    given, neutral, settings = [], [], []
    for strip, (ours, theirs, take, condition, state) in zip(
        lessons.strip.tolist(), lessons.place.tolist(), strict=True
    ):
        name, reference = STRIPS[strip], passages[theirs]
        clean = passages[ours].excerpt("true", 0)
        if name == "master":
            stem = plain = torch.stack(list(clean.values())).sum(0)
            settings.append(reference.masters[take])
        else:
            stem, plain = passages[ours].excerpt(CONDITIONS[condition], state)[name], clean[name]
            settings.append(reference.settings[take, strip])
        start = int(torch.randint(stem.shape[1] - frames + 1, (), generator=generator))
        given.append(stem[:, start : start + frames])
        neutral.append(plain[:, start : start + frames])
    wanted = nn.utils.rnn.pad_sequence(settings, batch_first=True)
    return Sounds(torch.stack(given), played(torch.stack(neutral), wanted, lessons.strip))


def answered(given: Tensor, positions: Tensor, strip: Tensor, truth: Tensor) -> Tensor:
    """Sounds (rows, 2, time) through strips, each as loud (K-weighted) as its truth, as a transfer levels
    them."""
    made = played(given, positions, strip)
    factor = matching_factor(k_weighted_energy(made, RATE), k_weighted_energy(truth, RATE))
    return made * factor[:, None, None]


def played(given: Tensor, positions: Tensor, strip: Tensor) -> Tensor:
    """Sounds (rows, 2, time) through strips, numbers (rows,) of STRIPS, at positions (rows, knobs)."""
    found = torch.zeros_like(given)
    for table, rows in by_table(strip):
        found[rows] = _played(table, given[rows], positions[rows])
    return found


def _played(table: dict[str, Stage], given: Tensor, positions: Tensor) -> Tensor:
    values = parameters.values_at(table, positions[:, : len(parameters.knobs_of(table))])
    return mixing.process(given, RATE, table, values, mixing.used(table, values))
