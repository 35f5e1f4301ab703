"""Between which limits chains are drawn, and how likely each effect is: the recipes.

`PUBLISHED`   the ranges and probabilities of Koo et al. (ICASSP 2023), widened to all ten effects where
              exactly k of them are drawn; our console only. Width is a factor of 0 to 4 on the side, where
              a mid/side balance of 0 to 2 has no end: 0 to 1.6 of it.
`GENTLE`      what people's mixes differ by: less.
`VARIED`      for training: all ten effects, every implementation, ranges from gentle to published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .parameters import BANDS

Range = tuple[float, float]
"""Lowest and highest value in the parameter's unit; drawn evenly on its scale."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How chains are drawn.

    chances     stage → stem → probability, "" standing for the stems that aren't named.
    ranges      stage → parameter → range.
    foreign     share of the effects that another implementation than the console's renders.
    strength    range from which each example's share of the ranges around neutral is drawn: equalizer
                gains, gain and pan shrink with it.
    """

    name: str
    chances: Mapping[str, Mapping[str, float]]
    ranges: Mapping[str, Mapping[str, Range]]
    foreign: float = 0.0
    strength: Range = (1.0, 1.0)
    drums_low_cut_hz: Range = field(default=(100.0, 300.0))

    def chance(self, stage: str, stem: str) -> float:
        """The probability of a stage on a stem; 0 for what the recipe doesn't name."""
        by_stem = self.chances.get(stage, {})
        return by_stem.get(stem, by_stem.get("", 0.0))


def _equalizer(gain_db: float, q: Range, prefixes: tuple[str, ...] = ("",)) -> dict[str, Range]:
    frequencies = ((30.0, 200.0), (200.0, 1000.0), (1000.0, 3000.0), (3000.0, 8000.0), (5000.0, 10000.0))
    ranges = {f"{prefix}{band}_gain_db": (-gain_db, gain_db) for prefix in prefixes for band in BANDS}
    ranges |= {f"{band}_frequency_hz": limits for band, limits in zip(BANDS, frequencies, strict=True)}
    return ranges | {f"{band}_q": q for band in BANDS}


_PUBLISHED_RANGES: dict[str, dict[str, Range]] = {
    "eq": _equalizer(15, (0.1, 2)),
    "mid_side_eq": _equalizer(15, (0.1, 2), ("mid_", "side_")),
    "compressor": {
        "threshold_db": (-80, -5),
        "ratio": (4, 40),
        "knee_db": (0, 6),
        "attack_ms": (1, 20),
        "release_ms": (50, 500),
    },
    "expander": {
        "threshold_db": (-40, -12),
        "ratio": (2, 8),
        "range_db": (10, 50),
        "attack_ms": (1, 20),
        "release_ms": (50, 500),
    },
    "limiter": {"ceiling_db": (-36, -14), "release_ms": (20, 500)},
    "saturation": {"drive_db": (9, 36)},
    "pan": {"position": (0, 1)},
    "width": {"width": (0, 4)},
    "reverb": {
        "decay_s": (0.3, 3),
        "damping": (0, 1),
        "predelay_ms": (0, 60),
        # a parallel bus that passes a dry share d of 0 to .5 and 1 − d of reverb beside the dry sound
        # leaves (1 − d)/(1 + d) of reverb per dry
        "wet": (1 / 3, 1),
        "low_cut_hz": (20, 20),
    },
    "gain": {"gain_db": (-6, 9)},
    "codec": {"kilobits_per_s": (48, 192)},
}

PUBLISHED = Recipe(
    name="published",
    chances={
        "eq": {"": 0.9},
        "compressor": {"": 0.9},
        "pan": {"": 0.3},
        "width": {"": 0.8},
        "reverb": {"drums": 0.5, "bass": 0.01, "vocals": 0.9, "other": 0.7, "": 0.5},
        "gain": {"": 0.5},
    },
    ranges=_PUBLISHED_RANGES,
)

GENTLE = Recipe(
    name="gentle",
    chances={
        "eq": {"": 0.9},
        "mid_side_eq": {"": 0.15},
        "compressor": {"": 0.8},
        "expander": {"": 0.1},
        "limiter": {"": 0.15, "mix": 0.6},
        "saturation": {"": 0.3},
        "pan": {"": 0.3, "bass": 0.05, "mix": 0.05},
        "width": {"": 0.5},
        "reverb": {"drums": 0.4, "bass": 0.05, "vocals": 0.8, "other": 0.5, "mix": 0.2},
        "gain": {"": 0.5},
    },
    ranges={
        "eq": _equalizer(7, (0.3, 2)),
        "mid_side_eq": _equalizer(6, (0.3, 2), ("mid_", "side_")),
        "compressor": {
            "threshold_db": (-45, -15),
            "ratio": (1.5, 8),
            "knee_db": (0, 12),
            "attack_ms": (1, 60),
            "release_ms": (40, 600),
        },
        "expander": {
            "threshold_db": (-50, -22),
            "ratio": (1.3, 4),
            "range_db": (6, 30),
            "attack_ms": (1, 20),
            "release_ms": (50, 500),
        },
        "limiter": {"ceiling_db": (-24, -8), "release_ms": (20, 500)},
        "saturation": {"drive_db": (3, 18)},
        "pan": {"position": (0.25, 0.75)},
        "width": {"width": (0.3, 2)},
        "reverb": {
            "decay_s": (0.3, 2.5),
            "damping": (0, 1),
            "predelay_ms": (0, 60),
            "wet": (0.04, 0.4),
            "low_cut_hz": (20, 200),
        },
        "gain": {"gain_db": (-5, 5)},
        "codec": {"kilobits_per_s": (64, 256)},
    },
    foreign=0.3,
)

VARIED = Recipe(
    name="varied",
    chances={
        "eq": {"": 0.75},
        "mid_side_eq": {"": 0.3},
        "compressor": {"": 0.7},
        "expander": {"": 0.3},
        "limiter": {"": 0.35},
        "saturation": {"": 0.4},
        "pan": {"": 0.4},
        "width": {"": 0.6},
        "reverb": {"drums": 0.5, "bass": 0.25, "vocals": 0.7, "other": 0.6, "": 0.4},
        "gain": {"": 0.5},
        "codec": {"": 0.01},
    },
    ranges=_PUBLISHED_RANGES
    | {
        "compressor": {
            "threshold_db": (-80, -5),
            "ratio": (2, 40),
            "knee_db": (0, 12),
            "attack_ms": (1, 30),
            "release_ms": (40, 600),
        },
        "expander": _PUBLISHED_RANGES["expander"] | {"threshold_db": (-45, -12), "ratio": (1.5, 8)},
        "limiter": {"ceiling_db": (-36, -10), "release_ms": (20, 500)},
        "saturation": {"drive_db": (6, 36)},
        "reverb": _PUBLISHED_RANGES["reverb"] | {"wet": (0.08, 1), "low_cut_hz": (20, 200)},
    },
    foreign=0.5,
    strength=(0.4, 1.0),
)

RECIPES = {recipe.name: recipe for recipe in (PUBLISHED, GENTLE, VARIED)}
"""The recipes by name."""
