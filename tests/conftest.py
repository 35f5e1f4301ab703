"""Every test keeps its stems in a cache of the session's own, and finds the example songs and a browser."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, before torch is imported

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


os.environ["AUTOMIX_CONFIG"] = ""  # a developer's own automix.toml changes no test


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium that is on this machine, driven by playwright; tests that need it are skipped without."""
    chromium = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if chromium is None:
        pytest.skip("there is no Chromium here; install one (apt-get install chromium), or set CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[browser]'")
    flags = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"]
    flags += ["disable-component-update", "disable-sync", "autoplay-policy=no-user-gesture-required"]
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=[f"--{flag}" for flag in flags])
        yield launched
        launched.close()
