"""What is installed and what works: the answer to "why doesn't it run here?"."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from styletransfer import __version__, weights
from styletransfer.errors import AutomixError
from styletransfer.separation import choose
from styletransfer.stem_cache import StemCache

_PACKAGES = (
    "torch",
    "demucs",
    "numpy",
    "scipy",
    "soundfile",
    "soxr",
    "safetensors",
    "pydantic",
    "typer",
    "av",
)


def checkup() -> dict[str, Any]:
    """Versions, devices, shipped weights (each checked), the separator that `auto` takes, and the cache."""
    cache = StemCache()
    return {
        "automix": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
        "threads": torch.get_num_threads(),
        "devices": {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()},
        "weights": {name: _state(name) for name in weights.manifest()},
        "separator": choose("auto").name,
        "cache": {"folder": str(cache.root), "megabytes": round(cache.size_bytes / 1e6, 1)},
    }


def as_json(found: dict[str, Any]) -> str:
    """The findings as JSON."""
    return json.dumps(found, indent=2)


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The findings for people."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield f"{name}:"
            yield from (f"  {key}: {_word(entry)}" for key, entry in value.items())
        else:
            yield f"{name}: {value}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed" + (" (extra `codecs`: M4A, AAC, WMA)" if package == "av" else "")


def _state(name: str) -> str:
    try:
        weights.load(name)
    except AutomixError as error:
        return str(error)
    return "good"


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
