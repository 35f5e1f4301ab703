"""A run's folder belongs to one recipe; what it can't be is said before any work."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from styletransfer.errors import ConfigError
from styletransfer.files import beside, make_folder
from styletransfer.weights import check_name

_LIMIT = "minutes"  # of a recipe: a run that has reached it may be given more


def claim(folder: Path, recipe: BaseModel, name: str) -> None:
    """Write the recipe into a run's folder, made if need be.

    name  of the weights that will lie there.
    ConfigError where another recipe's run is there; AudioError where the folder can't be made; UsageError
    where weights can't have that name.
    """
    check_name(name)
    make_folder(folder)
    path = folder / "recipe.json"
    text = recipe.model_dump_json(indent=2)
    ours = json.loads(text)
    if path.exists():
        try:
            theirs = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} is damaged; choose another folder") from error
        if not isinstance(theirs, dict) or {**theirs, _LIMIT: None} != {**ours, _LIMIT: None}:
            raise ConfigError(f"{folder} holds a run with another recipe; choose another folder")
        return
    with beside(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
