"""How pictures are drawn: one size and palette, and SVG that takes its colours from the page's theme."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from styletransfer.files import beside

INK, MUTED, GRID, ACCENT = "#1d2330", "#565d6b", "#d9dde4", "#b4236a"
"""Text and curves; labels of axes; grid lines; what is marked."""

VERSION_COLOURS = (
    "#5c6b82",
    "#c2410d",
    "#0e7569",
    "#6d28da",
    "#a16206",
    "#1d4fd9",
    "#be195c",
    "#4c7d0e",
    "#7c2d13",
)
"""Of the sounds that are compared, in order; each at least 3 : 1 against the page."""

LINES = ("-", "-", "-", "--", "--", "--", ":", ":", ":")
"""Line styles of the sounds in order, so that colour is not all that tells them apart."""

_THEME = {INK: "--ink", MUTED: "--muted", GRID: "--grid", ACCENT: "--accent"} | {
    colour: f"--version-{number}" for number, colour in enumerate(VERSION_COLOURS, 1)
}
_WIDTH_IN = 5.2  # 374 points: about a phone's width, so that text keeps its size there
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "automix",
    "path.simplify_threshold": 0.5,
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.labelpad": 2,
    "legend.columnspacing": 1.2,
    "legend.handlelength": 1.6,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
}
_XLINK = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A figure on the page.

    key          names it in files and in the page's addresses: "spectra", "drums-eq".
    title        its caption.
    description  what it shows, in words, for who can't see it.
    """

    key: str
    figure: Figure
    title: str
    description: str

    @property
    def svg(self) -> Markup:
        """For a page: an <svg> whose colours are the theme's; no ids that other pictures could share."""
        root = _themed(self.figure, self.key)
        names = {"title": self.title, "desc": self.description}
        root.attrib |= {"role": "img", "aria-labelledby": " ".join(f"{self.key}-{tag}" for tag in names)}
        for place, (tag, words) in enumerate(names.items()):
            element = ElementTree.Element(tag, {"id": f"{self.key}-{tag}"})
            element.text = words
            root.insert(place, element)
        return Markup(ElementTree.tostring(root, encoding="unicode"))

    def write(self, folder: Path) -> list[Path]:
        """Write KEY.svg and KEY.png into a folder, on white; the paths."""
        paths = []
        for suffix in ("svg", "png"):
            with matplotlib.rc_context(_STYLE), beside(folder / f"{self.key}.{suffix}") as partial:
                self.figure.savefig(partial, format=suffix, dpi=200, facecolor="white")
            paths.append(folder / f"{self.key}.{suffix}")
        return paths


@contextmanager
def canvas(
    height_in: float, rows: int = 1, columns: int = 1, left_in: float = 0.68, **options: Any
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure of the page's width and its axes, row by row; what is drawn within gets the house style.

    left_in  room for the labels at the left; margins are fixed, since fitting them takes half of the time.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, height_in))
        axes = figure.subplots(rows, columns, squeeze=False, **options)
        figure.subplots_adjust(
            left=left_in / _WIDTH_IN,
            right=1 - 0.2 / _WIDTH_IN,
            top=1 - 0.26 / height_in,
            bottom=0.42 / height_in,
        )
        yield figure, list(axes.flat)


@contextmanager
def bare_canvas(height_in: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure that is all drawing: axes without margins, scales or frame."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, height_in))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        yield figure, axes


def legend(figure: Figure) -> None:
    """The lines' names above the axes."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=len(labels), frameon=False, borderaxespad=0.2)


def over_frequency(axes: Axes) -> None:
    """An axis from 20 Hz to 20 kHz in octaves' steps that people read."""
    axes.set_xscale("log")
    axes.set_xlim(20, 22_000)
    axes.xaxis.set_major_locator(FixedLocator([31, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda hz, _: f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}")
    )
    axes.set_xlabel("Hz")


def over_time(axes: Axes, end_s: float, start_s: float = 0.0) -> None:
    """An axis in minutes and seconds."""
    axes.set_xlim(start_s, max(end_s, start_s + 0.1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda s, _: minutes(s)))


def minutes(seconds: float) -> str:
    """1:05, or 0:01.5 where fractions matter."""
    whole, tenths = divmod(round(10 * seconds), 10)
    return f"{whole // 60}:{whole % 60:02d}" + (f".{tenths}" if tenths else "")


def backdrop(figure: Figure, key: str) -> Markup:
    """A figure as an <svg> that fills whatever box it is given and says nothing to who can't see it."""
    root = _themed(figure, key)
    root.attrib |= {"preserveAspectRatio": "none", "aria-hidden": "true"}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _themed(figure: Figure, key: str) -> ElementTree.Element:
    text = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(text, format="svg")
    root = ElementTree.fromstring(text.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    used = {part for element in root.iter() for part in _references(element)}
    for element in root.iter():
        _restyle(element, key, used)
    root.attrib = {"class": "plot", "viewBox": root.attrib["viewBox"]}
    return root


def _references(element: ElementTree.Element) -> list[str]:
    found = re.findall(r"url\(#(.+?)\)", " ".join(element.attrib.values()))
    return [*found, element.attrib.get(_XLINK, "#")[1:]]


def _restyle(element: ElementTree.Element, key: str, used: set[str]) -> None:
    """Plain names, ids only where they are referred to, short numbers, and the theme's colours."""
    element.tag = element.tag.rpartition("}")[2]
    values = dict(element.attrib)
    if _XLINK in values:
        values["href"] = f"#{key}-{values.pop(_XLINK)[1:]}"
    if values.get("id") in used:
        values["id"] = f"{key}-{values['id']}"
    else:
        values.pop("id", None)
    for name in ("d", "transform", "x", "y", "width", "height", "points"):
        if name in values:
            values[name] = _NUMBER.sub(_shorter, values[name]).replace(" \n", "").replace("\n", " ")
    values = {name: re.sub(r"url\(#", f"url(#{key}-", value) for name, value in values.items()}
    if "style" in values:
        style = re.sub(r"font-family:[^;]*;?|stroke-miterlimit:[^;]*;?", "", values["style"])
        style = re.sub(r"font: ([\d.]+px)[^;]*", r"font-size: \1", style)
        for colour, variable in _THEME.items():
            style = style.replace(colour, f"var({variable})")
        values["style"] = style.strip()
    element.attrib = values


def _shorter(number: re.Match[str]) -> str:
    return f"{float(number.group()):.1f}".removesuffix(".0")
