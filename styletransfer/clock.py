"""How long each stage of the work took, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from styletransfer.sources import Progress


class Clock:
    """Times the stages and tells their progress."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[float], None]]:
        start = perf_counter()
        self._progress(stage, 0.0)
        yield lambda fraction: self._progress(stage, fraction)
        self._progress(stage, 1.0)
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + perf_counter() - start, 3)
