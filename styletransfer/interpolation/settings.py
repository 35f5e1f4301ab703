"""Settings between two settings: knobs on their perceptual scales, equalizers by their curves."""

from __future__ import annotations

import math

from styletransfer.converter.console import Knob, Settings, Stage, is_neutral

from .equalizers import between_equalizers


def between(table: dict[str, Stage], first: Settings, second: Settings, at: float) -> Settings:
    """One strip's settings at `at` from the first (0) to the second (1), which stand at the ends as they are.

    A neutral stage, and a resting band of an equalizer, takes the other's frequency, Q and times, so that
    only its strength moves. Equalizers follow the mean of both curves in dB, see `equalizers`.
    """
    if at in (0.0, 1.0):
        return {name: dict(knobs) for name, knobs in (second if at else first).items()}
    found = {}
    for name, stage in table.items():
        one, other = alike(stage, first[name], second[name])
        if stage.group == "eq":
            found[name] = between_equalizers(stage, one, other, at)
        else:
            found[name] = {knob: _between(stage.knobs[knob], one[knob], other[knob], at) for knob in one}
    return found


def alike(
    stage: Stage, first: dict[str, float], second: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Both sides of a stage, where one is neutral, with the other's frequency, Q and times."""
    if is_neutral(stage, first) == is_neutral(stage, second):
        return first, second

    def like(resting: dict[str, float], other: dict[str, float]) -> dict[str, float]:
        return {name: resting[name] if knob.strength else other[name] for name, knob in stage.knobs.items()}

    if is_neutral(stage, first):
        return like(first, second), second
    return first, like(second, first)


def _between(knob: Knob, first: float, second: float, at: float) -> float:
    if knob.scale == "log":
        return math.exp((1 - at) * math.log(first) + at * math.log(second))
    return (1 - at) * first + at * second
