"""Strips by ear: pairs of passages through the differentiable console, beside what they should sound like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from styletransfer.converter import mixing, parameters
from styletransfer.converter.console import Stage
from styletransfer.converter.network import STRIPS, by_table
from styletransfer.corpus.folder import RATE
from styletransfer.separation import Separator
from styletransfer.tasks.separating import taken_apart

from .lessons import Lessons
from .passages import CONDITIONS, Passage


class Sounds(NamedTuple):
    """For each row of lessons: the stem as it is given, and as it should become, (rows, 2, time)."""

    given: Tensor
    truth: Tensor


@torch.no_grad()
def sounds(
    lessons: Lessons,
    passages: Sequence[Passage],
    duration_s: float,
    generator: Generator,
    separator: Separator | None = None,
) -> Sounds:
    """Excerpts of each row's input stem, neutral, and through the true settings at the pair's common level.

    separator  takes the inputs of separated rows from their mixes; without one all rows are of true stems.
    """
    frames = round(duration_s * RATE)
    given, neutral = [], []
    for strip, place in zip(lessons.strip.tolist(), lessons.place.tolist(), strict=True):
        stems = passages[place[0]].neutral.stems()
        name = STRIPS[strip]
        mix = torch.stack(list(stems.values())).sum(0)
        stem = mix if name == "master" else stems[name]
        start = int(torch.randint(stem.shape[1] - frames + 1, (), generator=generator))
        cut = slice(start, start + frames)
        neutral.append(stem[:, cut])
        if separator is not None and name != "master" and CONDITIONS[place[3]] == "separated":
            stem = taken_apart(mix, separator)[0][name]
        given.append(stem[:, cut])
    truth = played(torch.stack(neutral), lessons.truth, lessons.strip)
    return Sounds(torch.stack(given), truth * (10 ** (lessons.offset_db / 20))[:, None, None])


def played(given: Tensor, positions: Tensor, strip: Tensor) -> Tensor:
    """Sounds (rows, 2, time) through strips, numbers (rows,) of STRIPS, at positions (rows, knobs)."""
    found = torch.zeros_like(given)
    for table, rows in by_table(strip):
        found[rows] = _played(table, given[rows], positions[rows])
    return found


def _played(table: dict[str, Stage], given: Tensor, positions: Tensor) -> Tensor:
    values = parameters.values_at(table, positions[:, : len(parameters.knobs_of(table))])
    return mixing.process(given, RATE, table, values, mixing.used(table, values))
