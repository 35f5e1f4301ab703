"""The map as a page: one HTML file that needs nothing else, to point at, to listen to, to walk by keys."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from styletransfer import __version__
from styletransfer.files import beside

from .places import Floats
from .points import Point, legend_of

SUFFIX = ".html"
_WIDTH, _HEIGHT, _MARGIN = 1000, 640, 30
_TURN = 137.508  # degrees between the hues of neighbours in the legend: the golden angle
_MARKS = ("circle", "square", "triangle", "diamond", "cross")


@dataclass(frozen=True, slots=True)
class Group:
    """A colour and a mark of the legend."""

    name: str
    hue: int
    mark: str
    count: int


@dataclass(frozen=True, slots=True)
class Spot:
    """A point as it is drawn."""

    x: float
    y: float
    point: Point
    group: int
    heard: bool


def write_page(
    path: Path,
    places: Floats,
    points: Sequence[Point],
    labels: Sequence[str],
    sounds: Sequence[str],
    *,
    heading: str,
    colour: str,
    method: str,
) -> Path:
    """Write the page; the path.

    places   (n, 2) within a square; labels what points are coloured by.
    sounds   a data URI for each point, or "".
    All text is escaped. The page loads nothing: its policy forbids every address but its own sounds.
    """
    names = legend_of(labels)
    groups = [
        Group(name, round(210 + number * _TURN) % 360, _MARKS[number % len(_MARKS)], labels.count(name))
        for number, name in enumerate(names)
    ]
    number_of = {name: number for number, name in enumerate(names)}
    spots = [
        Spot(x, y, point, number_of[label], bool(sound))
        for (x, y), point, label, sound in zip(_fitted(places), points, labels, sounds, strict=True)
    ]
    script = _asset("page.js")
    text = (
        _templates()
        .get_template("page.html")
        .render(
            heading=heading,
            colour=colour,
            method=method,
            groups=groups,
            spots=spots,
            width=_WIDTH,
            height=_HEIGHT,
            radius=7 if len(spots) < 300 else 5 if len(spots) < 1500 else 3.5,
            sounds=Markup(json.dumps(list(sounds)).replace("<", "\\u003c")),
            heard=sum(map(bool, sounds)),
            style=Markup(_asset("page.css")),
            script=Markup(script),
            digest=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
            version=__version__,
        )
    )
    with beside(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def _fitted(places: Floats) -> list[tuple[float, float]]:
    """Places in the drawing, y downward; each axis fills it, since a map of neighbours has no scale."""
    low, high = places.min(0), places.max(0)
    span = high - low
    span[span == 0] = 1
    shares = (places - low) / span
    return [
        (
            round(_MARGIN + share_x * (_WIDTH - 2 * _MARGIN), 1),
            round(_MARGIN + (1 - share_y) * (_HEIGHT - 2 * _MARGIN), 1),
        )
        for share_x, share_y in shares.tolist()
    ]


def _asset(name: str) -> str:
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(__package__ or "", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
