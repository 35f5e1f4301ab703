"""Nearest rows among very many: a graph of neighbours (HNSW), mapped into memory from beside the library.

The graph holds one byte per dimension and only proposes; distances are computed from the library's own
vectors, so a row that has gone since is passed over, and rows added since are searched one by one.

Source   Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical
         navigable small world graphs", IEEE TPAMI 42(4), 2020; as in usearch, the extra `ann`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from styletransfer.errors import UsageError
from styletransfer.files import beside

from .database import Library

LINKS = 16
"""Neighbours per row in the graph, and how widely they are looked for when it is built, and searched."""
WIDTH_BUILDING = 48
WIDTH_SEARCHING = 128

PROPOSED = 10
"""Rows that the graph proposes for each that is asked for."""
_FEWEST_PROPOSED = 64

_STALE = 0.2  # share of rows that came or went since, above which the graph is brought up to date
_AT_A_TIME = 8192


def available() -> bool:
    """Whether the extra is here."""
    return importlib.util.find_spec("usearch") is not None


class Neighbours:
    """The graph of one part's rows, as one encoder heard them; built or brought up to date when opened.

    UsageError without the extra `ann`.
    """

    def __init__(
        self,
        library: Library,
        part: str,
        encoder: str,
        progress: Callable[[float], None] = lambda fraction: None,
    ) -> None:
        self._library, self._part, self._encoder = library, part, encoder
        self._graph, self._last = self._current(progress)

    def propose(self, query: NDArray[np.float32], most: int) -> NDArray[np.int64]:
        """Ids of rows near a unit vector (D,); rows above `last` aren't known to it."""
        count = min(max(PROPOSED * most, _FEWEST_PROPOSED), len(self._graph))
        return np.asarray(self._graph.search(query, count, threads=1).keys, dtype=np.int64)

    @property
    def last(self) -> int:
        """The highest id that the graph holds."""
        return self._last

    def _current(self, progress: Callable[[float], None]) -> tuple[Any, int]:
        path, last, graph = self._newest()
        total = self._library.count(self._part, self._encoder)
        if path is not None and graph is not None:
            added = self._library.count(self._part, self._encoder, after=last)
            gone = len(graph) - (total - added)
            if added + gone <= _STALE * total:
                return graph, last
            graph = _opened(path, view=False) if gone <= _STALE * total else None
        if graph is None:
            last = 0
        for ids, vectors in self._library.vectors(self._part, self._encoder, last, _AT_A_TIME):
            graph = _empty(vectors.shape[1]) if graph is None else graph
            graph.add(ids, vectors, threads=torch.get_num_threads())
            last = int(ids[-1])
            progress(len(graph) / max(total, 1))
        return self._kept(graph, last, path), last

    def _kept(self, graph: Any, last: int, former: Path | None) -> Any:
        """The graph, written beside the library and mapped; a former file goes."""
        path = self._library.path.with_name(f"{self._stem}{last}.ann")
        with beside(path) as partial:
            graph.save(str(partial))
        if former is not None and former != path:
            with contextlib.suppress(OSError):  # somebody may be reading it
                former.unlink()
        return _opened(path, view=True)

    def _newest(self) -> tuple[Path | None, int, Any]:
        """The file with the highest id, that id, and its graph; no graph where the file is damaged."""
        pattern = re.compile(re.escape(self._stem) + r"(\d+)\.ann")
        there = [
            (int(match[1]), path)
            for path in self._library.path.parent.iterdir()
            if (match := pattern.fullmatch(path.name))
        ]
        last, path = max(there, default=(0, None))
        return path, last, None if path is None else _opened(path, view=True)

    @property
    def _stem(self) -> str:
        return f"{self._library.path.name}-{self._encoder}-{self._part}-"


def _empty(dimensions: int) -> Any:
    return _usearch().Index(
        ndim=dimensions,
        metric="cos",
        dtype="i8",
        connectivity=LINKS,
        expansion_add=WIDTH_BUILDING,
        expansion_search=WIDTH_SEARCHING,
    )


def _opened(path: Path, view: bool) -> Any:
    """A graph from a file, or None where it is damaged."""
    try:
        graph = _usearch().Index.restore(str(path), view=view)
    except (ValueError, RuntimeError):
        return None
    if graph is None:
        return None
    graph.expansion_add, graph.expansion_search = WIDTH_BUILDING, WIDTH_SEARCHING
    return graph


def _usearch() -> Any:
    try:
        from usearch import index
    except ImportError as error:
        raise UsageError("searching so many styles fast needs usearch: pip install 'automix[ann]'") from error
    return index
