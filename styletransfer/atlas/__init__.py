"""Many styles at a glance: where they lie, drawn as a picture, or as a page that is heard."""

from __future__ import annotations

from .page import write_page
from .picture import map_figure
from .places import METHODS, clusters_of, places_of
from .points import COLOURS, Point, described, labels_of, points_in, points_kept, points_of

__all__ = [
    "COLOURS",
    "METHODS",
    "Point",
    "clusters_of",
    "described",
    "labels_of",
    "map_figure",
    "places_of",
    "points_in",
    "points_kept",
    "points_of",
    "write_page",
]
