"""Which converter does a recipe train? Its `kind` says it, and where that training lives."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from styletransfer.errors import ConfigError

from . import toml_file

KINDS = {"console": "styletransfer.training.console", "tcn": "styletransfer.training.tcn"}
"""Kind → package with `recipes/`, and modules `recipe` with `read` and `run` with `train`."""


def training_of(recipe: str) -> tuple[ModuleType, ModuleType]:
    """The modules `recipe` and `run` of the training that a recipe, a shipped name or a `.toml` file, is for.

    ConfigError where there is none.
    """
    shipped = {name: kind for kind, package in KINDS.items() for name in toml_file.shipped(package)}
    path = Path(recipe)
    if path.suffix == ".toml":
        kind = toml_file.values_of(path, *KINDS.values()).get("kind")
    else:
        kind = shipped.get(recipe)
    if kind not in KINDS:
        raise ConfigError(
            f"{recipe} is no converter's recipe; give one of {', '.join(sorted(shipped))}, or a .toml file "
            f"with kind = {' or '.join(KINDS)}"
        )
    recipes, run = (importlib.import_module(f"{KINDS[kind]}.{part}") for part in ("recipe", "run"))
    return recipes, run
