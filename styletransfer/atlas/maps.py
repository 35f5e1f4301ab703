"""From points to a map, and to files: the picture or the page that a suffix names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from styletransfer.sources import Progress

from . import picture
from .excerpts import LIMIT_MB, excerpts_of
from .page import SUFFIX, write_page
from .places import Floats, places_of
from .points import Point, described, labels_of

__all__ = ["LIMIT_MB", "SUFFIXES", "Map", "draw", "write"]

SUFFIXES = (*picture.SUFFIXES, SUFFIX)
_METHODS = {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP", "opentsne": "t-SNE"}


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Points at their places (n, 2), with what each is coloured by."""

    points: list[Point]
    places: Floats
    labels: list[str]
    colour: str
    method: str


def draw(points: Sequence[Point], colour: str = "folder", method: str = "tsne", seed: int = 0) -> Map:
    """Lay points out. Errors as `places_of` and `labels_of`."""
    places = places_of(
        np.stack([point.embedding for point in points]) if points else np.zeros((0, 1)), method, seed
    )
    told = described(points)
    return Map(told, places, labels_of(told, colour, seed), colour, method)


def write(
    drawn: Map, path: Path, limit_mb: float = LIMIT_MB, progress: Progress = lambda stage, fraction: None
) -> Path:
    """Write a .png, an .svg, or an .html that carries at most so much sound; the path."""
    if path.suffix.lower() != SUFFIX:
        names = [point.title for point in drawn.points]
        return picture.write(picture.map_figure(drawn.places, drawn.labels, names), path)
    sounds = excerpts_of(
        [point.path for point in drawn.points], limit_mb, lambda done: progress("cutting excerpts", done)
    )
    return write_page(
        path,
        drawn.places,
        drawn.points,
        drawn.labels,
        sounds,
        heading="Mixing styles",
        colour=drawn.colour,
        method=_METHODS[drawn.method],
    )
