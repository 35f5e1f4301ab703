"""Which knobs the page shows for a strip, and between which ends they slide."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from styletransfer.converter.console import MASTER, STRIP, Settings, Stage
from styletransfer.retouching import NETWORK

_GROUPS = {
    "Level": {("gain", "gain_db"): "Level"},
    "Compressor": {
        ("compressor", "threshold_db"): "Threshold",
        ("compressor", "ratio"): "Ratio",
        ("compressor", "makeup_db"): "Make-up",
    },
    "Saturation": {("saturation", "drive_db"): "Drive"},
    "Width": {("width", "width"): "Width"},
    "Reverb": {("reverb", "wet"): "Wet", ("reverb", "decay_s"): "Decay"},
}
_REACH = {
    "gain_db": (-24.0, 24.0),
    "threshold_db": (-60.0, 0.0),
    "ratio": (1.0, 20.0),
    "makeup_db": (-12.0, 12.0),
    "width": (0.0, 2.0),
}
"""Between which values a hand moves a knob whose range is wider; what was set beyond stays in reach."""


@dataclass(frozen=True, slots=True)
class Slider:
    """One knob on the page, in its unit. `scale` as the console's table has it."""

    stage: str
    knob: str
    label: str
    unit: str
    scale: str
    low: float
    high: float
    value: float

    def position(self, value: float) -> float:
        """Where a value lies on the slider: the value itself, or its binary logarithm on a log scale."""
        return round(math.log2(value) if self.scale == "log" else value, 4)

    @property
    def step(self) -> float:
        """Between two neighbouring positions."""
        return 0.1 if self.unit.startswith("dB") else 0.01


def sliders_of(strip: str, settings: Settings) -> dict[str, list[Slider]]:
    """The main knobs of a strip by group: a network's amount where one made the stem anew, then level,
    equalizer bands, compressor, saturation, width, reverb."""
    groups = {}
    if NETWORK in settings:
        amount = settings[NETWORK]["amount"]
        groups["Network"] = [Slider(NETWORK, "amount", "Amount", "", "linear", 0.0, 1.0, amount)]
    for title, labels in _labels(strip, settings):
        groups[title] = [
            _slider(strip, stage, knob, label, settings[stage][knob])
            for (stage, knob), label in labels.items()
        ]
    return groups


def _labels(strip: str, settings: Settings) -> Iterator[tuple[str, dict[tuple[str, str], str]]]:
    table = _table(strip)
    for title, labels in _GROUPS.items():
        there = {place: label for place, label in labels.items() if place[0] in table}
        if there:
            yield title, there
        if title == "Level":
            bands = [knob for knob in table["eq"].knobs if knob.endswith("_gain_db")]
            hertz = {b: settings["eq"][b.replace("_gain_db", "_frequency_hz")] for b in bands}
            yield "Equalizer", {("eq", band): spoken_hz(hz) for band, hz in hertz.items()}


def spoken_hz(hertz: float) -> str:
    """80 Hz, 2.5 kHz."""
    return f"{hertz / 1000:.3g} kHz" if hertz >= 999.5 else f"{hertz:.0f} Hz"


def _slider(strip: str, stage: str, knob: str, label: str, value: float) -> Slider:
    told = _table(strip)[stage].knobs[knob]
    low, high = _REACH.get(knob, (told.low, told.high))
    return Slider(stage, knob, label, told.unit, told.scale, min(low, value), max(high, value), value)


def _table(strip: str) -> dict[str, Stage]:
    return MASTER if strip == "master" else STRIP
