"""Which code made a result? What is kept of an evaluation is only good for the code that made it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def code_fingerprint(*names: str) -> str:
    """Changes with any line of these modules, or of the code and tables in these packages and inside them."""
    digest = hashlib.sha256()
    for name in names:
        for file, text in _of_module(name) or _of_folder(files(name)):
            digest.update(file.encode())
            digest.update(text)
    return digest.hexdigest()[:16]


def _of_module(name: str) -> list[tuple[str, bytes]]:
    """The module's file; none where the name is a package's."""
    package, _, module = name.rpartition(".")
    file = files(package) / f"{module}.py" if package else None
    return [] if file is None or not file.is_file() else [(file.name, file.read_bytes())]


def _of_folder(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _of_folder(entry)
        elif entry.name.endswith((".py", ".json")):
            yield entry.name, entry.read_bytes()
