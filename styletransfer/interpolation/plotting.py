"""The way as a picture: equalizer curves and main knobs of every strip, from one reference to the other."""

from __future__ import annotations

import math
from collections.abc import Callable

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from styletransfer.audio import STEMS
from styletransfer.converter.console import MASTER, STRIP, Settings, is_neutral

from .equalizers import CURVE_HZ, curve_db
from .interpolating import Interpolation

_CURVES = 9
_POINTS = 33
_COLOURS = matplotlib.colormaps["viridis"]
_LINES = ("-", "--", "-.", ":")

_LEVELS: dict[str, Callable[[Settings], float]] = {
    "level, dB": lambda s: s["gain"]["gain_db"],
    "width, dB": lambda s: 20 * math.log10(max(s["width"]["width"], 0.01)),
    "make-up, dB": lambda s: s["compressor"]["makeup_db"],
    "drive, dB": lambda s: s["saturation"]["drive_db"] if "saturation" in s else 0.0,
}
_CHARACTERS: dict[str, Callable[[Settings], float]] = {
    "compression, ratio": lambda s: s["compressor"]["ratio"],
    "expansion, ratio": lambda s: s["expander"]["ratio"] if "expander" in s else 1.0,
    "reverb, wet × 10": lambda s: 10 * s["reverb"]["wet"] if "reverb" in s else 0.0,
    "balance × 10": lambda s: 10 * s["balance"]["balance"],
}


def way_figure(way: Interpolation) -> Figure:
    """A row per strip: curves of the equalizer and of the side's, then levels and characters over the way."""
    places = [step / (_POINTS - 1) for step in range(_POINTS)]
    rungs = [way.rung_at(at) for at in places]
    figure = Figure(figsize=(13, 13), layout="constrained")
    panels = figure.subplots(len(STEMS) + 1, 4, squeeze=False, width_ratios=(3, 3, 2, 2))
    for row, name in zip(panels, (*STEMS, "master"), strict=True):
        settings = [rung.master if name == "master" else rung.strips[name] for rung in rungs]
        _curves(row[0], name, "eq", settings)
        _curves(row[1], name, "side_eq", settings)
        _lines(row[2], places, settings, _LEVELS, 0.0)
        _lines(row[3], places, settings, _CHARACTERS, None)
        row[0].set_ylabel(f"{name}\ndB")
    for panel, title in zip(panels[0], ("equalizer", "side equalizer", "levels", "character"), strict=True):
        panel.set_title(title)
    for panel in panels[-1, :2]:
        panel.set_xlabel("Hz")
    for panel in panels[-1, 2:]:
        panel.set_xlabel("way")
    bar = figure.colorbar(
        ScalarMappable(cmap=_COLOURS),
        ax=panels,
        location="bottom",
        shrink=0.5,
        aspect=50,
        ticks=[0, 1],
    )
    names = [end.document.references[number].name for number, end in enumerate((way.first, way.second))]
    bar.ax.set_xticklabels([name.replace("$", r"\$") for name in names])
    return figure


def _curves(panel: Axes, name: str, stage: str, settings: list[Settings]) -> None:
    table = (MASTER if name == "master" else STRIP)[stage]
    shown = range(0, len(settings), (len(settings) - 1) // (_CURVES - 1))
    curves = torch.stack([curve_db(table, settings[place][stage]) for place in shown])
    for number, curve in enumerate(curves):
        at = number / (len(curves) - 1)
        style = "-" if number else "--"  # the first reference's is told apart without colour, too
        panel.plot(CURVE_HZ, curve, style, color=_COLOURS(at), linewidth=2 if at in (0, 1) else 1)
    panel.set_xscale("log")
    panel.set_xlim(20, 20000)
    panel.xaxis.set_major_locator(FixedLocator([50, 200, 1000, 5000]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(_hertz))
    panel.set_ylim(*_room(float(curves.min()), float(curves.max()), 3.0))
    panel.grid(alpha=0.3)
    if all(is_neutral(table, one[stage]) for one in settings):
        _rests(panel)


def _lines(
    panel: Axes,
    places: list[float],
    settings: list[Settings],
    knobs: dict[str, Callable[[Settings], float]],
    rest: float | None,
) -> None:
    values = {label: [read(one) for one in settings] for label, read in knobs.items()}
    for number, ((label, line), style) in enumerate(zip(values.items(), _LINES, strict=True)):
        still = (1.0 if "ratio" in label else 0.0) if rest is None else rest
        if any(abs(value - still) > 1e-6 for value in line):
            panel.plot(places, line, style, color=f"C{number}", label=label)
    every = [value for line in values.values() for value in line]
    panel.set_ylim(*_room(min(every), max(every), 1.0))
    panel.set_xlim(0, 1)
    panel.grid(alpha=0.3)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(fontsize=7, loc="best")
    else:
        _rests(panel)


def _rests(panel: Axes) -> None:
    panel.text(0.5, 0.9, "at rest", transform=panel.transAxes, ha="center", color="0.4")


def _room(low: float, high: float, least: float) -> tuple[float, float]:
    """An axis that holds the values and at least ± `least` around nothing."""
    low, high = min(low, -least), max(high, least)
    return low - 0.08 * (high - low), high + 0.08 * (high - low)


def _hertz(frequency: float, _: int) -> str:
    return f"{frequency / 1000:g}k" if frequency >= 1000 else f"{frequency:g}"
