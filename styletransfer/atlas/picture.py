"""The map as a picture: PNG or SVG, readable without colour too."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from styletransfer.errors import UsageError
from styletransfer.files import beside

from .places import Floats
from .points import legend_of

SUFFIXES = (".png", ".svg")
_MOST_NAMES = 25
_MARKS = "osD^vPX*"
_LONGEST, _LEGEND = 24, 90  # characters of a name beside its point, and in the legend


def check_target(path: Path, suffixes: Sequence[str] = SUFFIXES) -> None:
    """UsageError where a picture can't be written under that name."""
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} is no name for a picture; let it end in {' or '.join(suffixes)}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}; create it, or choose another output")


def map_figure(places: Floats, labels: Sequence[str], names: Sequence[str] = ()) -> Figure:
    """Places (n, 2) with a colour, a mark and a legend entry per label; up to 25 also by name."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    panel = figure.subplots()
    groups = legend_of(labels)
    colours = matplotlib.colormaps["tab10" if len(groups) <= 10 else "nipy_spectral"]
    for number, name in enumerate(groups):
        here = np.array([label == name for label in labels])
        shade = number if len(groups) <= 10 else number / (len(groups) - 1)
        panel.scatter(
            places[here, 0],
            places[here, 1],
            s=30 if len(places) < 500 else 10,
            color=colours(shade),
            marker=_MARKS[number % len(_MARKS)],
            label=_literal(name, _LEGEND),
            linewidths=0,
        )
    for place, name in zip(places, names if len(names) <= _MOST_NAMES else (), strict=False):
        panel.annotate(
            _literal(name, _LONGEST),
            place,
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    panel.set(xticks=[], yticks=[])
    panel.margins(0.12)
    if len(groups) > 1:
        columns = 1 if max(map(len, groups)) > _LONGEST else 4
        figure.legend(fontsize=8, loc="outside lower left", ncols=columns, frameon=False)
    return figure


def write(figure: Figure, path: Path) -> Path:
    """Write a picture in the format that its suffix names; equal pictures, equal files."""
    check_target(path)
    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    with (
        matplotlib.rc_context({"svg.hashsalt": "automix"}),
        warnings.catch_warnings(),
        beside(path) as partial,
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # names in any script
        figure.savefig(partial, format=path.suffix[1:].lower(), dpi=110, metadata=metadata)
    return path


def _literal(text: str, longest: int) -> str:
    """A name as it stands: no formula, no legend entry that a leading underscore would hide."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return (" " + short if short.startswith("_") else short).replace("$", r"\$")
