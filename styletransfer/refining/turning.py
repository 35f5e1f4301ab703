"""Turning the strips' knobs by gradient, toward a reference's spectra, punch and embedding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, Settings, Stage, at_rest, is_neutral
from styletransfer.converter.network import reach_of
from styletransfer.converter.parameters import Values, knobs_of, limits, positions, settings_at, values_at
from styletransfer.converter.rendering import stages_of
from styletransfer.encoder.network import FXEncoder

from .ear import Ear, manner_of
from .likeness import CREST, apart, apart_db
from .spectra import LINEAR, RATE, Anchor, Spectra, anchor, spectra_of

ROUNDS = 4
"""How often the passage is rendered again, as knobs that aren't linear need."""

SPEED = 0.03
"""Adam's step, in reaches of each knob."""

MOMENTA = (0.9, 0.999)
"""Adam's memory of gradients and of their squares."""

STEMS_SHARE = 0.5
SPECTRUM = 0.01
EMBEDDING = 0.05
PRIOR = 0.002


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """Some seconds of a song at RATE: the mix (2, time), and its stems (stems, 2, time)."""

    mix: Tensor
    stems: Tensor


def turned(
    start: Mapping[str, Settings],
    master: Settings,
    ours: Passage,
    theirs: Passage,
    turnable: Tensor,
    network: FXEncoder,
    steps: int,
    done: Callable[[float], None] = lambda fraction: None,
) -> dict[str, Settings]:
    """The stems' settings after so many steps toward the reference, heard through a master that stays.

    start     of each of STEMS; master: the master's.
    turnable  (stems, knobs) how far knobs may be turned; see `turnable`.
    Each step looks at the spectra of the whole passage, and listens to one stem in one chunk of it.
    """
    sounds = torch.cat((theirs.mix[None], theirs.stems))
    wanted, ear = spectra_of(sounds), Ear(network, manner_of(network, sounds))
    before = torch.stack([positions(STRIP, start[name]) for name in STEMS])
    present = [number for number in range(len(STEMS)) if bool((turnable[number] > 0).any())]
    every = -(-steps // ROUNDS)
    place: Anchor

    def missed(step: int, vectors: Tensor) -> Tensor:
        nonlocal place
        if step % every == 0:
            place = _anchored(vectors, ours, master, ear)
        done(step / steps)
        strips = values_at(STRIP, vectors)
        loss = _missed(place.spectra(strips, _values(master)), wanted, present)
        stem = present[step % len(present)]
        own = values_at(STRIP, vectors[stem : stem + 1])
        far, punch_db = ear.missed(step // len(present), stem, own)
        return loss + EMBEDDING * far.sum() + CREST * punch_db.square().sum()

    after = _descended(STRIP, before, turnable, steps, missed)
    return {
        name: _with(STRIP, start[name], turnable[number], after[number]) for number, name in enumerate(STEMS)
    }


def mastered(bus: Tensor, reference: Tensor, start: Settings, groups: set[str], steps: int) -> Settings:
    """The master's settings after so many steps toward a reference's mix.

    bus     what comes in, (2, time) at RATE, as the reference.
    start   the settings to start from; groups: of stages that may act.
    """
    wanted = spectra_of(reference[None])
    before = positions(MASTER, start)[None]
    no_strips = values_at(STRIP, torch.zeros(0, len(knobs_of(STRIP))))
    with torch.no_grad():
        mix = fx.render(bus, stages_of(MASTER, start, RATE))
        place = anchor(bus.new_zeros(0, *bus.shape), bus, no_strips, _values(start), mix)
    open_ = [MASTER[stage].group in groups and stage in LINEAR[:-1] for stage, _, _ in knobs_of(MASTER)]

    def missed(step: int, moved: Tensor) -> Tensor:
        return _missed(place.spectra(no_strips, values_at(MASTER, moved)), wanted, [])

    turnable = (reach_of(MASTER) * torch.tensor(open_))[None]
    after = _descended(MASTER, before, turnable, steps, missed)
    return _with(MASTER, start, turnable[0], after[0])


def _descended(
    table: dict[str, Stage],
    before: Tensor,
    turnable: Tensor,
    steps: int,
    missed: Callable[[int, Tensor], Tensor],
) -> Tensor:
    """Positions (rows, knobs) after so many of Adam's steps, in reaches, held near where they began.

    Source   Kingma and Ba, ICLR 2015. `torch.optim` loads its compiler first, which takes two seconds.
    """
    low, high = limits(table)
    moved = torch.zeros_like(before, requires_grad=True)
    slope, steepness = torch.zeros_like(before), torch.zeros_like(before)
    for step in range(steps):
        loss = missed(step, before + moved * turnable) + PRIOR * moved.square().sum()
        (gradient,) = torch.autograd.grad(loss, moved)
        with torch.no_grad():
            slope.lerp_(gradient, 1 - MOMENTA[0])
            steepness.lerp_(gradient.square(), 1 - MOMENTA[1])
            mean, square = slope / (1 - MOMENTA[0] ** (step + 1)), steepness / (1 - MOMENTA[1] ** (step + 1))
            speed = SPEED * (1 + math.cos(math.pi * step / steps)) / 2
            moved -= speed * mean / (square.sqrt() + 1e-8)
            held = (before + moved * turnable).clamp(low, high) - before
            moved.copy_(torch.where(turnable > 0, held / turnable.clamp(min=1e-9), 0.0))
    return before + moved.detach() * turnable


def turnable(start: Mapping[str, Settings], bears: Mapping[str, float], groups: set[str]) -> Tensor:
    """(stems, knobs) how far each knob may be turned from a start, in steps of its perceptual scale.

    bears   stem → 0 to 1, how much of its reach.
    groups  of stages that may act; those that aren't linear only act where they do already.
    """
    names = [stage for stage, _, _ in knobs_of(STRIP)]
    rows = []
    for name in STEMS:
        resting = at_rest(STRIP, start[name])
        open_ = [
            not resting
            and STRIP[stage].group in groups
            and (stage in LINEAR or not is_neutral(STRIP[stage], start[name][stage]))
            for stage in names
        ]
        rows.append(reach_of(STRIP) * torch.tensor(open_) * bears.get(name, 1.0))
    return torch.stack(rows)


def _with(table: dict[str, Stage], start: Settings, turnable: Tensor, after: Tensor) -> Settings:
    """Settings with the knobs that could be turned at positions (knobs,), the others to the digit."""
    told, found = settings_at(table, after), {stage: dict(knobs) for stage, knobs in start.items()}
    for (stage, name, _), reach in zip(knobs_of(table), turnable.tolist(), strict=True):
        if reach > 0:
            found[stage][name] = told[stage][name]
    return found


def _missed(ours: Spectra, theirs: Spectra, present: list[int]) -> Tensor:
    """AF and spectrum in dB: the mix's, and half as much the mean of the stems' that are there."""
    rows = [0, *(number + 1 for number in present)]
    ours, theirs = (Spectra(side.energy[rows], side.bark[rows]) for side in (ours, theirs))
    missed = apart(ours, theirs) + SPECTRUM * apart_db(ours, theirs)
    return missed[0] + STEMS_SHARE * missed[1:].mean() if present else missed[0]


@torch.no_grad()
def _anchored(vectors: Tensor, ours: Passage, master: Settings, ear: Ear) -> Anchor:
    """The passage rendered at the settings that were come to."""
    wet = torch.stack(
        [
            fx.render(stem, stages_of(STRIP, settings_at(STRIP, vector), RATE))
            for stem, vector in zip(ours.stems, vectors, strict=True)
        ]
    )
    rest, values = ours.mix - ours.stems.sum(0), _values(master)
    ear.settle(ours.stems, wet, rest, values)
    mix = fx.render(wet.sum(0) + rest, stages_of(MASTER, master, RATE))
    return anchor(wet, rest, values_at(STRIP, vectors), values, mix)


def _values(master: Settings) -> Values:
    return values_at(MASTER, positions(MASTER, master)[None])
