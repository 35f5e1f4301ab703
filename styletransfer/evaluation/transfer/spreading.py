"""Work spread over threads, one job on each, so that jobs needn't share theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


def in_turn(
    work: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    progress: Callable[[float], None] = lambda fraction: None,
) -> list[_Result]:
    """The results of all jobs, in order; as many at a time as torch has threads, each with a single one."""
    threads = torch.get_num_threads()
    found: list[_Result] = []
    progress(0.0)
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            for result in pool.map(work, jobs):
                found.append(result)
                progress(len(found) / len(jobs))
    finally:
        torch.set_num_threads(threads)
    return found
