"""Which code made a result? What is kept of an evaluation is only good for the code that made it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def code_fingerprint(*packages: str) -> str:
    """Changes with any line of these packages' code or tables, those of the packages inside them too."""
    digest = hashlib.sha256()
    for package in packages:
        for name, text in _sources(files(package)):
            digest.update(name.encode())
            digest.update(text)
    return digest.hexdigest()[:16]


def _sources(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _sources(entry)
        elif entry.name.endswith((".py", ".json")):
            yield entry.name, entry.read_bytes()
