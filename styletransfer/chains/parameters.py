"""Which effects a chain can hold, and the parameters that set each: unit, limits, and the scale on which
equal steps sound alike.

Every implementation of an effect is set by the same parameters, so that what a network learns to read
("how much compression?") has one meaning whoever built the compressor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Scale = Literal["linear", "log", "width"]
"""`width` has 0 (mono), 1 and infinity (side only) at equal steps: w below 1, 2 − 1/w above."""

EFFECTS = (
    "eq",
    "mid_side_eq",
    "compressor",
    "expander",
    "limiter",
    "saturation",
    "pan",
    "width",
    "reverb",
    "gain",
)
"""The ten effects of a style, in the order of `Chain.present`'s columns."""

STAGES = (*EFFECTS, "codec")
"""All that a chain can hold: the effects, and a lossy codec after them."""

BANDS = ("low", "low_mid", "middle", "high_mid", "high")
"""The equalizer's bands; the lowest and the highest are shelves."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an effect: its unit, and the limits between which any recipe draws it."""

    unit: str
    low: float
    high: float
    scale: Scale = "linear"


_FREQUENCIES = dict(
    zip(BANDS, ((30, 200), (200, 1000), (1000, 3000), (3000, 8000), (5000, 10000)), strict=True)
)


def _bands(prefixes: tuple[str, ...]) -> dict[str, Parameter]:
    gains = {f"{prefix}{band}_gain_db": Parameter("dB", -15, 15) for prefix in prefixes for band in BANDS}
    frequencies = {
        f"{band}_frequency_hz": Parameter("Hz", low, high, "log")
        for band, (low, high) in _FREQUENCIES.items()
    }
    return gains | frequencies | {f"{band}_q": Parameter("", 0.1, 2, "log") for band in BANDS}


PARAMETERS: dict[str, dict[str, Parameter]] = {
    "eq": _bands(("",)),
    "mid_side_eq": _bands(("mid_", "side_")),
    "compressor": {
        "threshold_db": Parameter("dBFS", -80, -5),
        "ratio": Parameter(":1", 1.2, 40, "log"),
        "knee_db": Parameter("dB", 0, 12),
        "attack_ms": Parameter("ms", 1, 100, "log"),
        "release_ms": Parameter("ms", 20, 1000, "log"),
    },
    "expander": {
        "threshold_db": Parameter("dBFS", -60, -10),
        "ratio": Parameter(":1", 1.2, 10, "log"),
        "range_db": Parameter("dB", 3, 60),
        "attack_ms": Parameter("ms", 0.5, 50, "log"),
        "release_ms": Parameter("ms", 20, 1000, "log"),
    },
    "limiter": {
        "ceiling_db": Parameter("dBTP", -40, 0),
        "release_ms": Parameter("ms", 10, 1000, "log"),
    },
    "saturation": {"drive_db": Parameter("dB", 0, 36)},
    "pan": {"position": Parameter("", 0, 1)},
    "width": {"width": Parameter("x", 0, 4, "width")},
    "reverb": {
        "decay_s": Parameter("s", 0.1, 4, "log"),
        "damping": Parameter("", 0, 1),
        "predelay_ms": Parameter("ms", 0, 80),
        "wet": Parameter("", 0.02, 1, "log"),
        "low_cut_hz": Parameter("Hz", 20, 400, "log"),
    },
    "gain": {"gain_db": Parameter("dB", -9, 9)},
    "codec": {"kilobits_per_s": Parameter("kbit/s", 32, 320, "log")},
}
"""Stage → parameter → limits. Thresholds suit stems near −23 LUFS, where chains are meant to begin."""

COLUMNS: dict[str, slice] = {}
"""Where each stage's parameters stand among all."""

_names: list[str] = []
for _stage in STAGES:
    COLUMNS[_stage] = slice(len(_names), len(_names) + len(PARAMETERS[_stage]))
    _names += [f"{_stage}.{name}" for name in PARAMETERS[_stage]]

PARAMETER_NAMES: tuple[str, ...] = tuple(_names)
"""`stage.parameter` of every column of `Chain.parameters`."""


def to_share(values: Tensor, low: float | Tensor, high: float | Tensor, scale: Scale) -> Tensor:
    """Where values lie between two limits on their scale, 0 to 1 inside."""
    bottom, top = (_on_scale(torch.as_tensor(limit, dtype=values.dtype), scale) for limit in (low, high))
    return (_on_scale(values, scale) - bottom) / (top - bottom)


def from_share(share: Tensor, low: float, high: float, scale: Scale) -> Tensor:
    """The values at shares 0 to 1 between two limits; the inverse of `to_share`."""
    bottom, top = (_on_scale(torch.as_tensor(limit, dtype=share.dtype), scale) for limit in (low, high))
    position = bottom + share * (top - bottom)
    if scale == "log":
        position = position.exp()
    elif scale == "width":
        position = torch.where(position <= 1, position, 1 / (2 - position).clamp(min=1e-3))
    return position.clamp(low, high)


def _on_scale(values: Tensor, scale: Scale) -> Tensor:
    if scale == "log":
        return values.log()
    if scale == "width":
        return torch.where(values <= 1, values, 2 - 1 / values.clamp(min=1))
    return values
