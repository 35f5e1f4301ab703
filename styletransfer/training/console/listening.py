"""Strips by ear: pairs of passages through the differentiable console, beside what they should sound like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from styletransfer.converter import mixing, parameters
from styletransfer.converter.console import STRIP
from styletransfer.converter.network import STRIPS
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
        stem = stems[STRIPS[strip]]
        start = int(torch.randint(stem.shape[1] - frames + 1, (), generator=generator))
        cut = slice(start, start + frames)
        neutral.append(stem[:, cut])
        if separator is not None and CONDITIONS[place[3]] == "separated":
            mix = torch.stack(list(stems.values())).sum(0)
            stem = taken_apart(mix, separator)[0][STRIPS[strip]]
        given.append(stem[:, cut])
    knobs = len(parameters.knobs_of(STRIP))
    values = parameters.values_at(STRIP, lessons.truth[:, :knobs])
    stages = mixing.used(STRIP, values)
    truth = mixing.process(torch.stack(neutral), RATE, STRIP, values, stages)
    return Sounds(torch.stack(given), truth * (10 ** (lessons.offset_db / 20))[:, None, None])


def played(given: Tensor, strips: Tensor) -> Tensor:
    """Stems (rows, 2, time) through strips at positions (rows, knobs)."""
    values = parameters.values_at(STRIP, strips[:, : len(parameters.knobs_of(STRIP))])
    return mixing.process(given, RATE, STRIP, values, mixing.used(STRIP, values))
