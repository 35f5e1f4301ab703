"""How does the space look? t-SNE pictures, coloured by what should matter to the embedding, and what not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from styletransfer.errors import AudioError

from .intervals import Floats, Ints
from .listening import Heard
from .plan import KINDS
from .retrieval import prepared

_PERPLEXITY = 20
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


def _scatter(panel: Axes, places: Floats, groups: Ints, colours: str) -> None:
    panel.scatter(places[:, 0], places[:, 1], s=_POINT, c=groups, cmap=colours, linewidths=0, rasterized=True)
    panel.set(xticks=[], yticks=[])
    panel.set_box_aspect(1)
