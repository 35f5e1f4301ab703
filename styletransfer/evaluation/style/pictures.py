"""How does the space look? t-SNE pictures, coloured by what should matter to the embedding, and what not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from styletransfer.errors import AudioError, UsageError
from styletransfer.files import beside

from .intervals import Floats, Ints
from .listening import Heard
from .plan import KINDS
from .retrieval import prepared

SUFFIXES = (".png", ".svg")
_PERPLEXITY = 20
_MOST_NAMES = 40
_POINT = 7


def map_of(vectors: Floats, scaled: bool = False, seed: int = 0) -> Floats:
    """Places (n, 2) of embeddings (n, D) such that neighbours stay together. AudioError below three.

    Source   van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.
    """
    if len(vectors) < 3:
        raise AudioError(f"a picture needs at least 3 sounds, not {len(vectors)}; add some")
    perplexity = min(_PERPLEXITY, max(1.0, (len(vectors) - 1) / 3))
    found = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(
        prepared(vectors, scaled).astype(np.float32)
    )
    return np.asarray(found, dtype=np.float64)


def check_target(path: Path) -> None:
    """UsageError where a picture can't be written under that name."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path} is no name for a picture; let it end in {' or '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}; create it, or choose another output")


def paper_figure(
    grids: dict[str, Heard], systems: Sequence[str], scaled: Sequence[str], seed: int = 0
) -> Figure:
    """A line per kind of stem, two panels per system: coloured by chain, then by piece.

    grids    kind → what was heard of 25 pieces × 10 chains.
    scaled   systems whose dimensions are scaled one by one.
    """
    kinds = [kind for kind in KINDS if kind in grids]
    width, height = 2 * len(systems), len(kinds)
    figure = Figure(figsize=(1.65 * width + 0.3, 1.65 * height + 0.6), layout="constrained")
    panels = figure.subplots(height, width, squeeze=False)
    for line, kind in enumerate(kinds):
        heard = grids[kind]
        for column, name in enumerate(systems):
            places = map_of(heard.vectors[name], name in scaled, seed)
            by_chain, by_piece = panels[line, 2 * column : 2 * column + 2]
            _scatter(by_chain, places, heard.styles, "tab10")
            _scatter(by_piece, places, heard.pieces, "nipy_spectral")
            if line == 0:
                by_chain.set_title(f"{name}\nby chain", fontsize=9)
                by_piece.set_title(f"{name}\nby piece", fontsize=9)
        panels[line, 0].set_ylabel(kind, fontsize=10)
    return figure


def folder_figure(vectors: Floats, labels: Sequence[str], seed: int = 0, names: Sequence[str] = ()) -> Figure:
    """One panel of sounds with a colour and a legend entry per label; up to 40 also by name."""
    places = map_of(vectors, seed=seed)
    figure = Figure(figsize=(7, 5), layout="constrained")
    panel = figure.subplots()
    groups = sorted(set(labels))
    colours = matplotlib.colormaps["tab10" if len(groups) <= 10 else "nipy_spectral"]
    for number, name in enumerate(groups):
        here = np.array([label == name for label in labels])
        place = number if len(groups) <= 10 else number / (len(groups) - 1)
        panel.scatter(places[here, 0], places[here, 1], s=30, color=colours(place), label=name, linewidths=0)
    for place, name in zip(places, names if len(names) <= _MOST_NAMES else (), strict=False):
        panel.annotate(name, place, xytext=(0, 6), textcoords="offset points", ha="center", fontsize=7)
    panel.set(xticks=[], yticks=[])
    panel.margins(0.12)
    if len(groups) > 1:
        panel.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def write(figure: Figure, path: Path) -> Path:
    """Write a picture in the format that its suffix names; equal pictures, equal files."""
    check_target(path)
    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "automix"}), beside(path) as partial:
        figure.savefig(partial, format=path.suffix[1:].lower(), dpi=110, metadata=metadata)
    return path


def _scatter(panel: Axes, places: Floats, groups: Ints, colours: str) -> None:
    panel.scatter(places[:, 0], places[:, 1], s=_POINT, c=groups, cmap=colours, linewidths=0, rasterized=True)
    panel.set(xticks=[], yticks=[])
    panel.set_box_aspect(1)
