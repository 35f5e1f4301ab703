"""Every knob of a strip that does something, as rows of a table: where it stands, and how it came there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from styletransfer.converter.console import Knob, Settings, Stage, is_neutral
from styletransfer.document import Document


@dataclass(frozen=True, slots=True)
class Row:
    """One knob: its stage, name and unit, where it was rendered, and what was proposed, if that is known.

    closed_form          the closed form's value, at the full amount.
    network, refinement  what they added: in the unit, or in doublings where the knob's scale is "log".
    """

    stage: str
    knob: str
    unit: str
    scale: str
    value: float
    closed_form: float | None
    network: float | None
    refinement: float | None

    @property
    def said(self) -> dict[str, str]:
        """The columns as people read them; what was left alone, as far as digits tell, is empty."""
        return {
            "closed form": "" if self.closed_form is None else _spoken(self.closed_form),
            "network": self._step(self.network),
            "refinement": self._step(self.refinement),
            "rendered": _spoken(self.value),
        }

    def _step(self, added: float | None) -> str:
        if added is None:
            return ""
        if self.scale == "log":
            factor = f"{2**added:.2f}"
            return "" if factor == "1.00" else f"× {factor}"
        said = _spoken(added)
        return "" if float(said) == 0 else said if added < 0 else f"+{said}"


def rows_of(document: Document, strip: str, table: dict[str, Stage], settings: Settings) -> list[Row]:
    """The knobs of the stages that do something, in signal order; the limiter always."""
    proposed = document.proposed.get(strip)
    closed_form, network, refinement = (
        ({}, {}, {}) if proposed is None else (proposed.closed_form, proposed.network, proposed.refinement)
    )
    return [
        Row(
            stage=stage,
            knob=_name(knob, told),
            unit=told.unit,
            scale=told.scale,
            value=settings[stage][knob],
            closed_form=closed_form.get(stage, {}).get(knob),
            network=network.get(stage, {}).get(knob),
            refinement=refinement.get(stage, {}).get(knob),
        )
        for stage, found in table.items()
        if found.group == "safety" or not is_neutral(found, settings[stage])
        for knob, told in found.knobs.items()
        if not _resting_band(knob, settings[stage])
    ]


def folded(rows: list[Row]) -> list[Row]:
    """The rows of a page: what places a band stands beside its gain, unless some step moved it."""
    still = {(row.stage, row.knob): _spoken(row.value) for row in rows if _stayed(row)}
    shown = []
    for row in rows:
        band, _, knob = row.knob.rpartition(" ")
        places = {tail: still.get((row.stage, f"{band} {tail}")) for tail in ("frequency", "q")}
        if band and knob == "gain":
            told = [f"{places['frequency']} Hz"] if places["frequency"] else []
            told += [f"Q {places['q']}"] if places["q"] else []
            shown.append(replace(row, knob=", ".join([row.knob, *told])))
        elif not (band and places.get(knob)):
            shown.append(row)
    return shown


def _stayed(row: Row) -> bool:
    untouched = not row.said["network"] and not row.said["refinement"]
    return untouched and row.said["closed form"] in ("", row.said["rendered"])


def columns_of(rows: list[Row]) -> list[str]:
    """The columns that some row fills, in the order of the steps."""
    filled = {column for row in rows for column, text in row.said.items() if text}
    return [column for column in ("closed form", "network", "refinement", "rendered") if column in filled]


def _resting_band(knob: str, values: Mapping[str, float]) -> bool:
    """Whether a knob belongs to an equalizer's band that does nothing."""
    for tail in ("_gain_db", "_frequency_hz", "_q"):
        if knob.endswith(tail) and f"{knob.removesuffix(tail)}_frequency_hz" in values:
            return values[f"{knob.removesuffix(tail)}_gain_db"] == 0
    return False


def _spoken(value: float) -> str:
    """A value with as many digits as ears can tell."""
    value = round(value, 3) + 0.0
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}" if 0 < abs(value) < 0.1 else f"{value:.2f}"


def _name(knob: str, told: Knob) -> str:
    """ "peak 2 frequency" from "peak_2_frequency_hz"; the unit has a column of its own."""
    tail = {"dB": "_db", "dBFS": "_db", "dBTP": "_db", "Hz": "_hz", "ms": "_ms", "s": "_s"}.get(told.unit, "")
    return knob.removesuffix(tail).replace("_", " ")
