"""Which work shares the processor's threads, and how: many small steps want one each, not one with all."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

_M_ARENA_MAX = -8  # malloc.h


def _one_heap() -> None:
    """Have all threads share one heap: glibc gives each its own, which keeps what it once held, a third of
    the peak of a long transfer. Elsewhere, or where MALLOC_ARENA_MAX says otherwise, nothing is changed."""
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        setting = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if setting is not None:
            setting(_M_ARENA_MAX, 1)


_one_heap()  # before the first thread begins

Item = TypeVar("Item")
Found = TypeVar("Found")


def spread(work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """What work makes of each item, in order, as many at a time as torch has threads."""
    waiting = list(items)
    inference = torch.is_inference_mode_enabled()

    def one(item: Item) -> Found:
        with torch.inference_mode(inference):  # threads begin without
            return work(item)

    count = min(torch.get_num_threads(), len(waiting))
    if count < 2:
        return [work(item) for item in waiting]
    with single(), ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, waiting))


@contextmanager
def single() -> Iterator[None]:
    """One thread for torch: what is split among more costs more than it saves where steps are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
