"""What might an engineer have set on a stem's channel, or the master's? Random console settings in modest
ranges.

Which stages are in use, and how likely, follows Koo et al. (ICASSP 2023) where they say it (reverb by stem,
equalizer, compressor) and `chains.ranges.GENTLE` elsewhere; values lie within the ranges published there,
nearer to neutral: what people's mixes differ by. Thresholds follow the loudness of the neutral state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

from styletransfer.audio import STEMS
from styletransfer.converter.console import (
    MASTER,
    MASTER_BANDS,
    STRIP,
    STRIP_BANDS,
    Band,
    Settings,
    clamped,
    neutral,
)
from styletransfer.normalization import neutral_lufs

CHANCES: dict[str, dict[str, float]] = {
    "eq": {"": 0.9},
    "side_eq": {"": 0.15, "bass": 0.05},
    "compressor": {"": 0.8},
    "expander": {"": 0.1},
    "saturation": {"": 0.3},
    "width": {"": 0.5, "bass": 0.2, "vocals": 0.3},
    "balance": {"": 0.2, "other": 0.4, "bass": 0.05},
    "reverb": {"drums": 0.4, "bass": 0.02, "other": 0.5, "vocals": 0.8},
    "gain": {"": 0.9},
}
"""Stage → stem → how likely it is in use, "" standing for the stems that aren't named."""

BAND_CHANCE = 0.6
"""How likely a band of an equalizer in use is moved."""

EQ_DB, SIDE_EQ_DB = 9.0, 6.0
GAIN_DB = 6.0
STRENGTH = (0.4, 1.0)
"""The share of EQ_DB, SIDE_EQ_DB and GAIN_DB that one stem's settings use; drawn once per stem."""

Q = (0.4, 2.0)
THRESHOLD_DB = (-8.0, 6.0)
EXPANDER_THRESHOLD_DB = (-22.0, -10.0)
"""Above the neutral state's loudness in LUFS: a compressor's threshold, and an expander's."""

RATIO = (1.5, 6.0)
KNEE_DB = (0.0, 12.0)
ATTACK_MS = {"": (1.0, 60.0), "drums": (1.0, 40.0)}
RELEASE_MS = (40.0, 600.0)
DRIVE_DB = (3.0, 15.0)
WIDTH = {"": (0.4, 2.0), "bass": (0.3, 1.2)}
BALANCE = {"drums": 0.1, "bass": 0.05, "other": 0.35, "vocals": 0.1}
DECAY_S = {"": (0.3, 2.5), "drums": (0.2, 1.2)}
PREDELAY_MS = (0.0, 60.0)
WET = (0.05, 0.4)

MASTER_CHANCES = {"eq": 0.9, "side_eq": 0.3, "compressor": 0.7, "width": 0.5, "balance": 0.1}
"""Stage of the master → how likely it is in use; its gain and limiter follow the loudness that is asked."""

TILT_DB, SIDE_TILT_DB = 4.0, 3.0
BUMPS, BUMP_DB, BUMP_BANDS = 2, 3.0, (0.7, 3.0)
"""The master's curve: a line between its shelves, and so many bumps, as wide as so many bands."""

MASTER_THRESHOLD_DB = (-10.0, 4.0)
MASTER_RATIO = (1.2, 4.0)
MASTER_ATTACK_MS = (3.0, 60.0)
MASTER_WIDTH = (0.6, 1.6)
MASTER_BALANCE = 0.05

_Value = TypeVar("_Value")
_Number = Callable[..., float]

_PEAKS_DB = 6.0  # how far the peaks that a compressor meets stand above the loudness, about
_NUMBERS = 80


def draw_settings(generator: torch.Generator, stem: str) -> Settings:
    """Settings of one stem's strip, of which at least one stage does something.

    generator  on the CPU; every call takes the same count of numbers from it, whatever is drawn.
    stem       drums, bass, other or vocals. ValueError for another name.
    Surprise   make-up is what a compressor of this threshold and ratio is likely to take; what remains of
               level is the gain's.
    """
    if stem not in STEMS:
        raise ValueError(f"there is no stem {stem!r}; choose one of {', '.join(STEMS)}")
    number = _numbers(generator)
    used = {stage: number(0.0, 1.0) < _of(CHANCES[stage], stem) for stage in STRIP}
    strength = number(*STRENGTH)
    loudness = neutral_lufs(stem)
    drawn: Settings = {
        "eq": _equalizer(number, EQ_DB * strength),
        "side_eq": _equalizer(number, SIDE_EQ_DB * strength),
        "compressor": _compressor(number, stem, loudness),
        "expander": {
            "threshold_db": loudness + number(*EXPANDER_THRESHOLD_DB),
            "ratio": number(1.3, 4.0, log=True),
            "range_db": number(6.0, 30.0),
            "attack_ms": number(1.0, 20.0, log=True),
            "release_ms": number(50.0, 500.0, log=True),
        },
        "saturation": {"drive_db": number(*DRIVE_DB)},
        "width": {"width": number(*_of(WIDTH, stem), log=True)},
        "balance": {"balance": number(-BALANCE[stem], BALANCE[stem])},
        "reverb": {
            "decay_s": number(*_of(DECAY_S, stem), log=True),
            "damping": number(0.0, 1.0),
            "predelay_ms": number(*PREDELAY_MS),
            "wet": number(*WET, log=True),
        },
        "gain": {"gain_db": number(-GAIN_DB * strength, GAIN_DB * strength)},
    }
    if not any(used.values()):
        used["gain"] = True
    resting = neutral(STRIP)
    return clamped(STRIP, {stage: drawn[stage] if used[stage] else resting[stage] for stage in STRIP})


def draw_master(generator: torch.Generator) -> Settings:
    """Settings of the master, of which at least one stage does something; gain and limiter are neutral.

    generator  on the CPU; every call takes the same count of numbers from it, whatever is drawn.
    """
    number = _numbers(generator)
    used = {stage: number(0.0, 1.0) < chance for stage, chance in MASTER_CHANCES.items()}
    strength = number(*STRENGTH)
    drawn: Settings = {
        "eq": _smooth(number, MASTER_BANDS, TILT_DB * strength, BUMP_DB * strength),
        "side_eq": _smooth(number, MASTER_BANDS, SIDE_TILT_DB * strength, BUMP_DB * strength),
        "compressor": {
            **_pressed(number, neutral_lufs("mix"), MASTER_THRESHOLD_DB, MASTER_RATIO),
            "attack_ms": number(*MASTER_ATTACK_MS, log=True),
            "release_ms": number(*RELEASE_MS, log=True),
        },
        "width": {"width": number(*MASTER_WIDTH, log=True)},
        "balance": {"balance": number(-MASTER_BALANCE, MASTER_BALANCE)},
    }
    if not any(used.values()):
        used["eq"] = True
    resting = neutral(MASTER)
    return clamped(MASTER, {stage: drawn[stage] if used.get(stage) else resting[stage] for stage in MASTER})


def _numbers(generator: torch.Generator) -> _Number:
    numbers = iter(torch.rand(_NUMBERS, generator=generator, dtype=torch.float64).tolist())

    def number(low: float, high: float, log: bool = False) -> float:
        share = next(numbers)
        return float(low * (high / low) ** share) if log else low + share * (high - low)

    return number


def _smooth(number: _Number, bands: tuple[Band, ...], tilt_db: float, bump_db: float) -> dict[str, float]:
    """Gains along a line and bumps, frequencies and Q at rest."""
    end_db = number(-tilt_db, tilt_db)
    bumps = [
        (number(0, len(bands) - 1), number(-bump_db, bump_db), number(*BUMP_BANDS)) for _ in range(BUMPS)
    ]
    knobs = {}
    for place, band in enumerate(bands):
        gain_db = end_db * (2 * place / (len(bands) - 1) - 1)
        gain_db += sum(db * math.exp(-(((place - at) / wide) ** 2)) for at, db, wide in bumps)
        knobs[f"{band.name}_gain_db"] = gain_db
        knobs[f"{band.name}_frequency_hz"] = band.centre_hz
        knobs[f"{band.name}_q"] = band.q
    return knobs


def _equalizer(number: _Number, most_db: float) -> dict[str, float]:
    knobs = {}
    for band in STRIP_BANDS:
        moved = number(0.0, 1.0) < BAND_CHANCE
        gain_db = number(-most_db, most_db)
        frequency_hz, q = number(band.low_hz, band.high_hz, log=True), number(*Q, log=True)
        knobs[f"{band.name}_gain_db"] = gain_db if moved else 0.0
        knobs[f"{band.name}_frequency_hz"] = frequency_hz if moved else band.centre_hz
        knobs[f"{band.name}_q"] = q if moved else band.q
    return knobs


def _compressor(number: _Number, stem: str, loudness_lufs: float) -> dict[str, float]:
    return {
        **_pressed(number, loudness_lufs, THRESHOLD_DB, RATIO),
        "attack_ms": number(*_of(ATTACK_MS, stem), log=True),
        "release_ms": number(*RELEASE_MS, log=True),
    }


def _pressed(
    number: _Number,
    loudness_lufs: float,
    thresholds_db: tuple[float, float],
    ratios: tuple[float, float],
) -> dict[str, float]:
    """All of a compressor but its times."""
    threshold = number(*thresholds_db)
    ratio = number(*ratios, log=True)
    return {
        "threshold_db": loudness_lufs + threshold,
        "ratio": ratio,
        "knee_db": number(*KNEE_DB),
        "makeup_db": (1 - 1 / ratio) * max(0.0, _PEAKS_DB - threshold) / 2,
    }


def _of(table: Mapping[str, _Value], stem: str) -> _Value:
    return table[stem] if stem in table else table[""]
