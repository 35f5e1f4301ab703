"""Every test keeps its stems in a cache of the session's own, and finds the example songs."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, before torch is imported

from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("AUTOMIX_CACHE")
    os.environ["AUTOMIX_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["AUTOMIX_CACHE"]
    else:
        os.environ["AUTOMIX_CACHE"] = before


@pytest.fixture(scope="session")
def songs() -> dict[str, Path]:
    """The example songs by name."""
    return {path.stem: path for path in sorted(EXAMPLES.glob("*.flac"))}
