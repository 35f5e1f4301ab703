"""How fast is a large library searched, and how much does its graph of neighbours miss? `make library-scale`.

Vectors are drawn where real ones would take years to gather:
- `styles`: clusters in a space as the shipped encoder's embeddings span it. 2,400 of them (200 chains of
  effects on held-out pieces) lie in about nine directions (participation ratio 9.4, 95 % of the variance
  in 16), nearest neighbours at a cosine of .92; the same number of these has 12.1, 92 % and .79.
- `spread`: the same in 64 equal directions.
- `noise`: every direction alike, the hardest there is; nothing that is heard looks so.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .database import Library
from .neighbours import Neighbours
from .saved import MIX
from .searching import nearest, nearest_by_graph

DIMENSIONS = 512
_ENCODER = "drawn"
_CLUSTERS = 5000
_SPREAD = 0.45  # of a cluster's members, where its centre has 1
_AT_A_TIME = 20_000
_MOST = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one library; `busy_ms` is processor time, which other programs don't sway."""

    kind: str
    rows: int
    recall: float
    busy_ms: float
    warm_ms: float
    slowest_ms: float
    first_ms: float
    exact_ms: float
    build_s: float
    graph_mb: float


class Draw:
    """Unit vectors of one kind, from a seed."""

    def __init__(self, kind: str, generator: np.random.Generator) -> None:
        self._generator = generator
        shares = {
            "styles": np.exp(-np.arange(DIMENSIONS) / 5.0),
            "spread": (np.arange(DIMENSIONS) < 64).astype(np.float64),
            "noise": np.ones(DIMENSIONS),
        }[kind]
        shares = 0.97 * shares / shares.sum() + 0.03 / DIMENSIONS
        turn, _ = np.linalg.qr(generator.normal(size=(DIMENSIONS, DIMENSIONS)))
        self._basis = (np.sqrt(shares)[:, None] * turn).astype(np.float32)
        self._centres = 0 if kind == "noise" else self._normal(_CLUSTERS)

    def __call__(self, count: int) -> NDArray[np.float32]:
        """(count, DIMENSIONS)."""
        if isinstance(self._centres, int):
            found = self._normal(count)
        else:
            which = self._generator.integers(0, len(self._centres), count)
            found = self._centres[which] + _SPREAD * self._normal(count)
        found = found @ self._basis
        unit: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit

    def _normal(self, count: int) -> NDArray[np.float32]:
        return self._generator.standard_normal((count, DIMENSIONS), dtype=np.float32)


def measure_library(kind: str, rows: int, queries: int, folder: Path, seed: int = 0) -> Figures:
    """Fill a library in a folder with drawn vectors, and search it with others from the same draw."""
    draw = Draw(kind, np.random.default_rng(seed))
    with Library(folder / f"{kind}.sqlite") as library:
        for block in _blocks(draw, rows):
            library.fill(_ENCODER, MIX, block)
        asked = draw(queries)
        start = time.perf_counter()
        Neighbours(library, MIX, _ENCODER)
        build_s = time.perf_counter() - start
        graph_mb = sum(path.stat().st_size for path in folder.glob(f"{kind}*.ann")) / 1e6
        graph = Neighbours(library, MIX, _ENCODER)  # mapped, as the next search finds it
        times_ms, busy_ms, found = [], [], []
        for query in asked:
            start, busy = time.perf_counter(), time.process_time()
            found.append(nearest_by_graph(library, graph, MIX, _ENCODER, query, _MOST))
            times_ms.append(1000 * (time.perf_counter() - start))
            busy_ms.append(1000 * (time.process_time() - busy))
        start = time.perf_counter()
        nearest(library, MIX, _ENCODER, asked[0], _MOST)
        exact_ms = 1000 * (time.perf_counter() - start)
        truth = _exact(library, asked)
    hits = [len({n for n, _ in near} & true) for near, true in zip(found, truth, strict=True)]
    return Figures(
        kind,
        rows,
        sum(hits) / (_MOST * queries),
        float(np.median(busy_ms[1:])),
        float(np.median(times_ms[1:])),
        float(np.quantile(times_ms[1:], 0.95)),
        times_ms[0],
        exact_ms,
        build_s,
        graph_mb,
    )


def table(found: list[Figures]) -> Iterator[str]:
    """The figures as a Markdown table."""
    yield (
        "| vectors | rows | recall@10 | search: processor | median | 95 % | the first | all compared "
        "| build | file |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in found:
        yield (
            f"| {one.kind} | {one.rows:,} | {one.recall:.3f} | {one.busy_ms:.1f} ms | {one.warm_ms:.1f} ms | "
            f"{one.slowest_ms:.1f} ms | {one.first_ms:.0f} ms | {one.exact_ms:.0f} ms | "
            f"{one.build_s:.0f} s | {one.graph_mb:.0f} MB |"
        )


def _blocks(draw: Draw, rows: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, rows, _AT_A_TIME):
        yield draw(min(_AT_A_TIME, rows - start))


def _exact(library: Library, asked: NDArray[np.float32]) -> list[set[int]]:
    """The nearest rows' styles of each query, all rows compared."""
    ids: NDArray[np.int64] = np.zeros((len(asked), 0), dtype=np.int64)
    scores: NDArray[np.float32] = np.zeros((len(asked), 0), dtype=np.float32)
    for some, vectors in library.vectors(MIX, _ENCODER):
        scores = np.concatenate([scores, asked @ vectors.astype(np.float32).T], 1)
        ids = np.concatenate([ids, np.broadcast_to(some, (len(asked), len(some)))], 1)
        order = np.argpartition(-scores, min(_MOST, scores.shape[1]) - 1)[:, :_MOST]
        scores, ids = np.take_along_axis(scores, order, 1), np.take_along_axis(ids, order, 1)
    return [set(library.styles_of(row)) for row in ids]


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--hard-rows", type=int, default=50_000, help="of `spread` and `noise`")
    asked.add_argument("--queries", type=int, default=200)
    asked.add_argument("--seed", type=int, default=0)
    wish = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [
            measure_library(kind, rows, wish.queries, Path(folder), wish.seed)
            for kind, rows in (
                ("styles", wish.rows),
                ("spread", wish.hard_rows),
                ("noise", wish.hard_rows),
            )
            if rows
        ]
    for line in table(found):
        print(line)


if __name__ == "__main__":
    main()
