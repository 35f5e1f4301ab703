"""Turning the strips' knobs by gradient, toward a reference's spectra, punch and embedding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, Settings, is_neutral
from styletransfer.converter.network import reach_of
from styletransfer.converter.parameters import Values, knobs_of, limits, positions, settings_at, values_at
from styletransfer.converter.rendering import stages_of
from styletransfer.encoder.network import FXEncoder

from .ear import Ear, manner_of
from .likeness import CREST, apart, apart_db
from .spectra import RATE, Anchor, Spectra, anchor, spectra_of

ROUNDS = 4
"""How often the passage is rendered again, as knobs that aren't linear need."""

SPEED = 0.03
"""Adam's step, in reaches of each knob."""

STEMS_SHARE = 0.5
SPECTRUM = 0.01
EMBEDDING = 0.05
PRIOR = 0.002

LINEAR = ("eq", "side_eq", "width", "balance", "gain")
"""Stages whose knobs may be turned even where they rest; others only where they act already."""


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
    """The stems' settings after so many steps, each a move along the gradient of `missed`.

    start     of each of STEMS; master: the master's, which stay.
    turnable  (stems, knobs) how far knobs may be turned; see `turnable`.
    """
    sounds = torch.cat((theirs.mix[None], theirs.stems))
    wanted, ear = spectra_of(sounds), Ear(network, manner_of(network, sounds))
    before = torch.stack([positions(STRIP, start[name]) for name in STEMS])
    low, high = limits(STRIP)
    present = [number for number in range(len(STEMS)) if bool((turnable[number] > 0).any())]
    moved = torch.zeros_like(before, requires_grad=True)
    optimizer = torch.optim.Adam([moved], lr=SPEED)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    master_values = values_at(MASTER, positions(MASTER, master)[None])
    every = -(-steps // ROUNDS)
    for step in range(steps):
        if step % every == 0:
            place = _anchored(before, moved, turnable, ours, master_values, ear)
        strips = values_at(STRIP, before + moved * turnable)
        loss = _missed(place.spectra(strips), wanted, present) + PRIOR * moved.square().sum()
        stem = present[step % len(present)]
        own = {
            stage: {knob: value[stem : stem + 1] for knob, value in knobs.items()}
            for stage, knobs in strips.items()
        }
        far, punch_db = ear.missed(step // len(present), stem, own)
        loss = loss + EMBEDDING * far.sum() + CREST * punch_db.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            held = (before + moved * turnable).clamp(low, high) - before
            moved.copy_(torch.where(turnable > 0, held / turnable.clamp(min=1e-9), 0.0))
        done((step + 1) / steps)
    after = before + moved.detach() * turnable
    return {
        name: settings_at(STRIP, after[number]) if number in present else start[name]
        for number, name in enumerate(STEMS)
    }


def turnable(start: Mapping[str, Settings], bears: Mapping[str, float], groups: set[str]) -> Tensor:
    """(stems, knobs) how far each knob may be turned from a start, in steps of its perceptual scale.

    bears   stem → 0 to 1, how much of its reach.
    groups  of stages that may act.
    """
    names = [stage for stage, _, _ in knobs_of(STRIP)]
    rows = []
    for name in STEMS:
        resting = all(is_neutral(stage, start[name][key]) for key, stage in STRIP.items())
        open_ = [
            not resting
            and STRIP[stage].group in groups
            and (stage in LINEAR or not is_neutral(STRIP[stage], start[name][stage]))
            for stage in names
        ]
        rows.append(reach_of(STRIP) * torch.tensor(open_) * bears.get(name, 1.0))
    return torch.stack(rows)


def _missed(ours: Spectra, theirs: Spectra, present: list[int]) -> Tensor:
    """AF and spectrum in dB: the mix's, and half as much the mean of the stems' that are there."""
    rows = [0, *(number + 1 for number in present)]
    ours, theirs = (Spectra(side.energy[rows], side.bark[rows]) for side in (ours, theirs))
    mix, *stems = apart(ours, theirs) + SPECTRUM * apart_db(ours, theirs)
    total: Tensor = mix + STEMS_SHARE * torch.stack(stems).mean()
    return total


@torch.no_grad()
def _anchored(
    before: Tensor, moved: Tensor, turnable: Tensor, ours: Passage, master: Values, ear: Ear
) -> Anchor:
    """The passage rendered at the settings that were come to."""
    vectors = before + moved * turnable
    wet = torch.stack(
        [
            fx.render(stem, stages_of(STRIP, settings_at(STRIP, vector), RATE))
            for stem, vector in zip(ours.stems, vectors, strict=True)
        ]
    )
    rest = ours.mix - ours.stems.sum(0)
    ear.settle(ours.stems, wet, rest, master)
    return anchor(wet, rest, values_at(STRIP, vectors), master)
