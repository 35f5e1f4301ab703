"""What was turned, in a line per strip that a person can read."""

from __future__ import annotations

import math
from collections.abc import Iterator

from styletransfer.converter.console import MASTER, STRIP, Settings, Stage, is_neutral
from styletransfer.document import Document


def summary(document: Document) -> Iterator[str]:
    """A line per strip that does something, then how far the result and the input lie from the reference."""
    for name, settings in document.console.stems().items():
        made = document.treatments[name].words if name in document.treatments else ""
        parts = [part for part in (made, moves(STRIP, settings)) if part]
        yield f"{name:>7}: {', '.join(parts) or 'as it was'}"
    yield f" master: {moves(MASTER, document.console.master) or 'as it was'}"
    if document.gate is not None:
        gate = document.gate
        yield f"distance to the reference: {gate.distance_input:.1f} before, {gate.distance_kept:.1f} after"


def moves(table: dict[str, Stage], settings: Settings) -> str:
    """What a strip does, on one line; nothing where it rests, or moves by less than is told."""
    parts = []
    for name, stage in table.items():
        values = settings[name]
        if stage.group == "safety" or is_neutral(stage, values):
            continue
        parts.append(_TEXTS[name](values) if name in _TEXTS else name)
    return ", ".join(part for part in parts if part)


def _equalizer(label: str, values: dict[str, float]) -> str:
    gains = [
        (values[key.replace("_gain_db", "_frequency_hz")], gain)
        for key, gain in values.items()
        if key.endswith("_gain_db") and abs(gain) >= 0.5
    ]
    bands = " ".join(f"{gain:+.1f}@{_hertz(frequency)}" for frequency, gain in gains)
    return f"{label} {bands}" if bands else ""


def _decibels(label: str, gain_db: float) -> str:
    return f"{label} {gain_db:+.1f} dB" if abs(gain_db) >= 0.05 else ""


def _share(label: str, share: float, told: str) -> str:
    return f"{label} {share:.0%} {told}" if share >= 0.005 else ""


def _hertz(frequency: float) -> str:
    return f"{frequency / 1000:.3g}k" if frequency >= 1000 else f"{frequency:.0f}"


_TEXTS = {
    "eq": lambda v: _equalizer("eq", v),
    "side_eq": lambda v: _equalizer("side eq", v),
    "compressor": lambda v: f"compressor {v['ratio']:.2f}:1 above {v['threshold_db']:.0f} dB",
    "expander": lambda v: f"expander {v['ratio']:.2f}:1 below {v['threshold_db']:.0f} dB",
    "saturation": lambda v: f"saturation {v['drive_db']:.1f} dB",
    "width": lambda v: _decibels("width", 20 * math.log10(max(v["width"], 1e-3))),
    "balance": lambda v: _share("balance", abs(v["balance"]), "right" if v["balance"] > 0 else "left"),
    "reverb": lambda v: _share("reverb", v["wet"], f"of {v['decay_s']:.1f} s"),
    "gain": lambda v: _decibels("level", v["gain_db"]),
}
