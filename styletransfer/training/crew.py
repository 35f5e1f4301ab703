"""The processes that render a run's material: one thread each, as effects run fastest."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

import torch

Task = TypeVar("Task")
Answer = TypeVar("Answer")


class Crew:
    """Some worker processes, started when first needed; with none, work is done in this process."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def map(
        self, work: Callable[[Task], Answer], tasks: Sequence[Task], ahead: int | None = None
    ) -> Iterator[Answer]:
        """The answers in the order of the tasks; `work` and tasks must be picklable.

        ahead  so many tasks are begun before their answers are asked for; all of them without.
        """
        if self._workers == 0:
            yield from map(work, tasks)
            return
        pool = self._started()
        if ahead is None:
            yield from pool.map(work, tasks)
            return
        begun: deque[Future[Answer]] = deque()
        for task in tasks:
            begun.append(pool.submit(work, task))
            if len(begun) > ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._workers, context, initializer=torch.set_num_threads, initargs=(1,)
            )
        return self._pool

    def close(self) -> None:
        """Let the workers go."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
