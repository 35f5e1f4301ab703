"""A strip's settings as a vector, every knob on its perceptual scale: what networks and optimizers turn.

A knob's *position* is its value where its scale is linear (dB, shares), and the value's natural logarithm
where it is logarithmic (Hz, ms, ratios). Equal steps of a position sound about alike.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .console import Knob, Settings, Stage, clamped

Values = dict[str, dict[str, Tensor]]
"""A batch of one strip's settings: stage → knob → (batch,), in the knob's unit."""


def knobs_of(strip: dict[str, Stage]) -> tuple[tuple[str, str, Knob], ...]:
    """Stage, name and knob of each place in the vector."""
    return tuple((name, knob, table) for name, stage in strip.items() for knob, table in stage.knobs.items())


def position(knob: Knob, value: float) -> float:
    """Where a value lies on the knob's perceptual scale."""
    return math.log(value) if knob.scale == "log" else value


def positions(strip: dict[str, Stage], settings: Settings) -> Tensor:
    """(knobs,) float32 positions of settings, in the order of `knobs_of`."""
    return torch.tensor([position(knob, settings[stage][name]) for stage, name, knob in knobs_of(strip)])


def settings_at(strip: dict[str, Stage], vector: Tensor) -> Settings:
    """The settings at positions (knobs,), every value brought into its range."""
    settings: Settings = {name: {} for name in strip}
    for (stage, name, knob), place in zip(knobs_of(strip), vector.tolist(), strict=True):
        settings[stage][name] = math.exp(place) if knob.scale == "log" else place
    return clamped(strip, settings)


def limits(strip: dict[str, Stage]) -> tuple[Tensor, Tensor]:
    """The lowest and the highest position (knobs,) of each knob."""
    ends = [(position(knob, knob.low), position(knob, knob.high)) for _, _, knob in knobs_of(strip)]
    low, high = torch.tensor(ends).unbind(1)
    return low, high


def values_at(strip: dict[str, Stage], vectors: Tensor) -> Values:
    """Knob values of positions (batch, knobs), within their ranges; gradients pass, also at a range's end."""
    low, high = limits(strip)
    inside = vectors + (vectors.clamp(low.to(vectors), high.to(vectors)) - vectors).detach()
    values: Values = {name: {} for name in strip}
    for (stage, name, knob), place in zip(knobs_of(strip), inside.unbind(1), strict=True):
        values[stage][name] = place.exp() if knob.scale == "log" else place
    return values
