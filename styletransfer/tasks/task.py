"""One transfer with a truth: what is given, and what the answer should sound like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from styletransfer.chains import GENTLE, Chain, Recipe, draw
from styletransfer.converter.console import Settings
from styletransfer.errors import AudioError

from .drawing import draw_settings
from .neutral import Neutral
from .rendering import StemSamples, apply_chains, apply_settings


class Effects(Protocol):
    """What was done to some stems: it does the same to others."""

    def __call__(self, stems: Mapping[str, Tensor]) -> StemSamples: ...


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A transfer whose answer is known.

    input, truth    the same passage before the transfer and as it should be, stem → (2, time) at 44.1 kHz.
    reference       another piece, to which was done what was done to the truth.
    settings        the console settings that make the truth of the neutral state; None for foreign chains.
    neutral_input   whether the input is in the neutral state, so that `settings` are the answer.
    pieces          the input's and the reference's.
    input_rest, reference_rest  what no separated stem claims of its mix (2, time); None for true stems.
    """

    input: StemSamples
    truth: StemSamples
    reference: StemSamples
    settings: dict[str, Settings] | None
    neutral_input: bool = True
    pieces: tuple[str, str] = ("", "")
    input_rest: Tensor | None = None
    reference_rest: Tensor | None = None

    @property
    def input_mix(self) -> Tensor:
        """(2, time)"""
        return _sum(self.input, self.input_rest)

    @property
    def truth_mix(self) -> Tensor:
        """(2, time)"""
        return _sum(self.truth, None)

    @property
    def reference_mix(self) -> Tensor:
        """(2, time)"""
        return _sum(self.reference, self.reference_rest)


def console_task(first: Neutral, second: Neutral, generator: torch.Generator, *, other: bool = False) -> Task:
    """A task from two neutral passages: random console settings for each stem that both have.

    other   the input went through other settings of its own instead of being neutral.
    """
    names = shared(first, second)
    settings = {name: draw_settings(generator, name) for name in names}
    before = {name: draw_settings(generator, name) for name in names} if other else None
    return task_of(first, second, lambda stems: apply_settings(stems, settings), settings, before)


def foreign_task(
    first: Neutral,
    second: Neutral,
    generator: torch.Generator,
    recipe: Recipe = GENTLE,
    *,
    other: bool = False,
) -> Task:
    """The same with chains of `styletransfer.chains`, which the console need not be able to do."""
    names = shared(first, second)
    chains: dict[str, Chain] = {name: draw(generator, 1, name, recipe) for name in names}
    before = {name: draw_settings(generator, name) for name in names} if other else None
    return task_of(first, second, lambda stems: apply_chains(stems, chains), None, before)


def task_of(
    first: Neutral,
    second: Neutral,
    effects: Effects,
    settings: dict[str, Settings] | None,
    before: dict[str, Settings] | None = None,
) -> Task:
    """A task from two neutral passages and what is done to both.

    before   settings that the input goes through from the neutral state; None leaves it there.
    """
    names = shared(first, second)
    ours, theirs = ({name: stems[name] for name in names} for stems in (first.stems(), second.stems()))
    return Task(
        input=ours if before is None else apply_settings(ours, before),
        truth=effects(ours),
        reference=effects(theirs),
        settings=settings,
        neutral_input=before is None,
        pieces=(first.piece, second.piece),
    )


def shared(first: Neutral, second: Neutral) -> tuple[str, ...]:
    """The stems that both have, in order."""
    return tuple(name for name in first.names if name in second.names)


def draw_pairs(
    neutrals: Sequence[Neutral], count: int, generator: torch.Generator
) -> list[tuple[Neutral, Neutral]]:
    """Pairs (input, reference) of different pieces that share as many stems as any pair with that input.

    Inputs go through all passages in random order, again and again. AudioError where no two pieces share two
    stems.
    """
    pairs: list[tuple[Neutral, Neutral]] = []
    while len(pairs) < count:
        before = len(pairs)
        for index in torch.randperm(len(neutrals), generator=generator).tolist():
            first = neutrals[index]
            others = [one for one in neutrals if one.piece != first.piece]
            most = max((len(shared(first, one)) for one in others), default=0)
            if most >= 2 and len(pairs) < count:
                fitting = [one for one in others if len(shared(first, one)) == most]
                chosen = int(torch.randint(len(fitting), (1,), generator=generator))
                pairs.append((first, fitting[chosen]))
        if len(pairs) == before:
            raise AudioError("no two pieces share two stems that play; build more of the corpus")
    return pairs


def _sum(stems: StemSamples, rest: Tensor | None) -> Tensor:
    total = torch.stack(list(stems.values())).sum(0)
    return total if rest is None else total + rest
