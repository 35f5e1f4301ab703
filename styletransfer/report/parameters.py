"""Every knob of a strip that does something, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from styletransfer.converter.console import Knob, Settings, Stage, is_neutral
from styletransfer.document import Document


@dataclass(frozen=True, slots=True)
class Row:
    """One knob: its stage, name and unit, its value, and the values on the way there where they are known.

    steps  origin ("closed form", "network", "refinement") → value.
    """

    stage: str
    knob: str
    unit: str
    value: float
    steps: dict[str, float]

    @property
    def said(self) -> str:
        return spoken(self.value)


def rows_of(document: Document, strip: str, table: dict[str, Stage], settings: Settings) -> list[Row]:
    """The knobs of the stages that do something, in signal order; the limiter always."""
    return [
        Row(stage, _name(knob, told), told.unit, settings[stage][knob], {})
        for stage, found in table.items()
        if found.group == "safety" or not is_neutral(found, settings[stage])
        for knob, told in found.knobs.items()
        if not _resting_band(knob, settings[stage])
    ]


def _resting_band(knob: str, values: Mapping[str, float]) -> bool:
    """Whether a knob belongs to an equalizer's band that does nothing."""
    for tail in ("_gain_db", "_frequency_hz", "_q"):
        if knob.endswith(tail) and f"{knob.removesuffix(tail)}_frequency_hz" in values:
            return values[f"{knob.removesuffix(tail)}_gain_db"] == 0
    return False


def spoken(value: float) -> str:
    """A value with as many digits as ears can tell."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def _name(knob: str, told: Knob) -> str:
    """ "peak 2 frequency" from "peak_2_frequency_hz"; the unit has a column of its own."""
    tail = {"dB": "_db", "dBFS": "_db", "dBTP": "_db", "Hz": "_hz", "ms": "_ms", "s": "_s"}.get(told.unit, "")
    return knob.removesuffix(tail).replace("_", " ")
