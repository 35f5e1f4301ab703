"""What the mixing console has: every stage and knob, with unit, range, neutral value and perceptual scale.

This table is the single source for validation, scaling, interpolation, random chains and reports.
A strip (one stem's channel, or the master) is set by `{stage: {knob: value}}`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Settings = dict[str, dict[str, float]]
"""One strip's settings: stage → knob → value, in the knob's unit."""

Group = Literal["level", "eq", "dynamics", "width", "space", "safety"]
GROUPS: tuple[Group, ...] = ("level", "eq", "dynamics", "width", "space")
"""What `--only` can choose; `safety` (the limiter) always stays."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter. A `strength` says how much is done and scales with the amount; the others say how.

    `neutral` is where a strength does nothing, and the resting place of the others.
    `scale` is the one on which equal steps sound alike: dB and shares are linear; Hz, ms and ratios log.
    """

    unit: str
    low: float
    high: float
    neutral: float
    scale: Literal["linear", "log"] = "linear"
    strength: bool = False

    def toward(self, value: float, amount: float) -> float:
        """A strength brought from neutral (amount 0) to `value` (1) on the knob's scale; else the value."""
        if not self.strength or amount == 1:
            return value
        if self.scale == "log":
            return self.neutral * math.exp(amount * math.log(value / self.neutral))
        return self.neutral + amount * (value - self.neutral)

    def clamp(self, value: float) -> float:
        """The nearest value in range."""
        return min(max(value, self.low), self.high)


@dataclass(frozen=True, slots=True)
class Stage:
    """One effect on a strip: what it is for, and its knobs in order."""

    group: Group
    knobs: dict[str, Knob]


@dataclass(frozen=True, slots=True)
class Band:
    """One equalizer band with a frequency range of its own (disjoint from its neighbours')."""

    name: str
    low_hz: float
    high_hz: float
    centre_hz: float
    q: float


STRIP_BANDS = (
    Band("low_shelf", 30, 120, 80, 0.7),
    Band("peak_1", 120, 400, 220, 0.8),
    Band("peak_2", 400, 1200, 700, 0.8),
    Band("peak_3", 1200, 3500, 2000, 0.8),
    Band("peak_4", 3500, 8000, 5300, 0.8),
    Band("high_shelf", 8000, 16000, 10000, 0.7),
)
"""The six bands of a stem's equalizer."""

_MASTER_CENTRES_HZ = (45, 90, 180, 310, 470, 700, 1000, 1400, 2000, 2800, 4000, 5600, 8000, 11300, 15000)


def _master_bands() -> tuple[Band, ...]:
    centres = _MASTER_CENTRES_HZ
    edges = [25.0, *(math.sqrt(low * high) for low, high in pairwise(centres)), 18000.0]
    names = ("low_shelf", *(f"peak_{i}" for i in range(1, len(centres) - 1)), "high_shelf")
    return tuple(
        Band(name, low, high, centre, 0.7 if "shelf" in name else 1.8)
        for name, low, high, centre in zip(names, edges[:-1], edges[1:], centres, strict=True)
    )


MASTER_BANDS = _master_bands()
"""The fifteen bands of the master's equalizer, about one and a half Bark apart where hearing is keenest."""


def _equalizer(bands: tuple[Band, ...]) -> Stage:
    knobs: dict[str, Knob] = {}
    for band in bands:
        knobs[f"{band.name}_gain_db"] = Knob("dB", -18, 18, 0, strength=True)
        knobs[f"{band.name}_frequency_hz"] = Knob("Hz", band.low_hz, band.high_hz, band.centre_hz, "log")
        knobs[f"{band.name}_q"] = Knob("", 0.1, 6, band.q, "log")
    return Stage("eq", knobs)


_COMPRESSOR = Stage(
    "dynamics",
    {
        "threshold_db": Knob("dBFS", -80, 0, -20),
        "ratio": Knob(":1", 0.5, 20, 1, "log", strength=True),
        "knee_db": Knob("dB", 0, 24, 6),
        "attack_ms": Knob("ms", 1, 200, 10, "log"),
        "release_ms": Knob("ms", 20, 2000, 150, "log"),
        "makeup_db": Knob("dB", -24, 24, 0, strength=True),
    },
)
_EXPANDER = Stage(
    "dynamics",
    {
        "threshold_db": Knob("dBFS", -90, 0, -50),
        "ratio": Knob(":1", 1, 10, 1, "log", strength=True),
        "range_db": Knob("dB", 0, 60, 20),
        "attack_ms": Knob("ms", 1, 200, 5, "log"),
        "release_ms": Knob("ms", 20, 2000, 150, "log"),
    },
)
_SATURATION = Stage("dynamics", {"drive_db": Knob("dB", 0, 30, 0, strength=True)})
_BALANCE = Stage("width", {"balance": Knob("", -1, 1, 0, strength=True)})
_WIDTH = Stage("width", {"width": Knob("x", 0, 4, 1, strength=True)})
_REVERB = Stage(
    "space",
    {
        "decay_s": Knob("s", 0.1, 10, 1.2, "log"),
        "damping": Knob("", 0, 1, 0.5),
        "predelay_ms": Knob("ms", 0, 200, 15),
        "wet": Knob("", 0, 1, 0, strength=True),
    },
)
_GAIN = Stage("level", {"gain_db": Knob("dB", -48, 48, 0, strength=True)})
_LIMITER = Stage(
    "safety",
    {
        "ceiling_db": Knob("dBTP", -40, 24, -1),
        "release_ms": Knob("ms", 10, 2000, 100, "log"),
    },
)

STRIP: dict[str, Stage] = {
    "eq": _equalizer(STRIP_BANDS),
    "side_eq": _equalizer(STRIP_BANDS),
    "compressor": _COMPRESSOR,
    "expander": _EXPANDER,
    "saturation": _SATURATION,
    "width": _WIDTH,
    "balance": _BALANCE,
    "reverb": _REVERB,
    "gain": _GAIN,
}
"""A stem's channel, in signal order. `eq` acts on both channels, `side_eq` on the side signal on top."""

MASTER: dict[str, Stage] = {
    "eq": _equalizer(MASTER_BANDS),
    "side_eq": _equalizer(MASTER_BANDS),
    "compressor": _COMPRESSOR,
    "width": _WIDTH,
    "balance": _BALANCE,
    "gain": _GAIN,
    "limiter": _LIMITER,
}
"""The master channel, in signal order."""


def neutral(strip: dict[str, Stage]) -> Settings:
    """Settings that change nothing."""
    return {name: {knob: k.neutral for knob, k in stage.knobs.items()} for name, stage in strip.items()}


def clamped(strip: dict[str, Stage], settings: Settings) -> Settings:
    """The same settings with every value brought into its range."""
    return {
        name: {knob: stage.knobs[knob].clamp(settings[name][knob]) for knob in stage.knobs}
        for name, stage in strip.items()
    }


def is_neutral(stage: Stage, values: dict[str, float]) -> bool:
    """Whether a stage does nothing: every strength rests, but for what floats leave (a millionth of its
    range, below −90 dB of any effect). A limiter never counts as a change.
    """
    return all(
        abs(values[name] - knob.neutral) <= 1e-6 * (knob.high - knob.low)
        for name, knob in stage.knobs.items()
        if knob.strength
    )


def at_rest(strip: dict[str, Stage], settings: Settings) -> bool:
    """Whether no stage of a strip does anything."""
    return all(is_neutral(stage, settings[name]) for name, stage in strip.items())


def scaled(strip: dict[str, Stage], settings: Settings, amount: float) -> Settings:
    """Settings at `amount` (0 neutral, 1 as given): strengths move, frequencies, Q and times stay."""
    return {
        name: {knob: k.toward(settings[name][knob], amount) for knob, k in stage.knobs.items()}
        for name, stage in strip.items()
    }


def for_louder(strip: dict[str, Stage], settings: Settings, by_db: float) -> Settings:
    """Settings that do to a sound so many dB louder what these do to it: thresholds of stages that work move
    along, and drive eases by as much. Each within its knob's range, so at its ends they do less than that."""
    found = {name: dict(knobs) for name, knobs in settings.items()}
    for name, stage in strip.items():
        if "threshold_db" in stage.knobs and not is_neutral(stage, settings[name]):
            found[name]["threshold_db"] += by_db
    if "saturation" in strip:  # tanh(u·x)/u, u² = 10^(drive/10) − 1: see `fx.saturate`
        bent = math.expm1(settings["saturation"]["drive_db"] * math.log(10) / 10)
        found["saturation"]["drive_db"] = 10 * math.log10(1 + bent * 10 ** (-by_db / 10))
    return clamped(strip, found)


def keeping(strip: dict[str, Stage], settings: Settings, groups: set[str]) -> Settings:
    """Settings with every stage outside `groups` neutral; the limiter stays."""
    resting = neutral(strip)
    return {
        name: dict(settings[name] if stage.group in groups or stage.group == "safety" else resting[name])
        for name, stage in strip.items()
    }
