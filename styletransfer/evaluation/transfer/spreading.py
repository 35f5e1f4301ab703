"""Work spread over threads, one job on each, so that jobs needn't share theirs; results kept on disk."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from styletransfer.evaluation.code import code_fingerprint
from styletransfer.files import beside, make_folder
from styletransfer.threads import single

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

_UNREADABLE = (
    *(OSError, EOFError, pickle.UnpicklingError),
    *(ImportError, AttributeError, IndexError, KeyError, TypeError, ValueError),
)
"""Of a file that isn't there, and of a pickle that is damaged (Python's documentation of `pickle`)."""

_JUDGING = ("styletransfer", "styletransfer.converter", "styletransfer.encoder")


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder with the results of an evaluation so far: one that was stopped goes on where it was.

    What is there is read with `pickle`, so it must be a folder that only its owner writes to.
    """

    folder: Path

    @classmethod
    def of(cls, folder: Path, asked: object) -> Kept:
        """Of what was asked for, told by its `repr`, and of the code that is running."""
        key = hashlib.sha256(f"{code_fingerprint(*_JUDGING)} {asked!r}".encode()).hexdigest()
        return cls(folder / f"judged-{key[:16]}")

    def under(self, name: str) -> Kept:
        """Those of one table."""
        return Kept(self.folder / name.replace(" ", "-").replace(",", ""))

    def get(self, number: int) -> Any:
        """The result of that job; None where there is none, or its file is damaged: then it is made again."""
        try:
            return pickle.loads(self._path(number).read_bytes())
        except _UNREADABLE:
            return None

    def put(self, number: int, result: object) -> None:
        """Keep the result of that job."""
        make_folder(self.folder)
        with beside(self._path(number)) as partial:
            partial.write_bytes(pickle.dumps(result))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:04d}.pickle"


def in_turn(
    work: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    progress: Callable[[float], None] = lambda fraction: None,
    kept: Kept | None = None,
) -> list[_Result]:
    """The results of all jobs, in order; as many at a time as torch has threads, each with a single one.

    kept   where results lie that needn't be made again, by the jobs' places, and where new ones go.
    """

    def found_or_made(number: int) -> _Result:
        result: _Result | None = kept.get(number) if kept is not None else None
        if result is None:
            result = work(jobs[number])
            if kept is not None:
                kept.put(number, result)
        return result

    found: list[_Result] = []
    progress(0.0)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool, single():
        for result in pool.map(found_or_made, range(len(jobs))):
            found.append(result)
            progress(len(found) / len(jobs))
    return found
