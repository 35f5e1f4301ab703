"""A run's folder belongs to one recipe."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from styletransfer.errors import ConfigError


def claim(folder: Path, recipe: BaseModel) -> None:
    """Write the recipe into a run's folder, made if need be. ConfigError where another one's run is there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.json"
    text = recipe.model_dump_json(indent=2)
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != json.loads(text):
            raise ConfigError(f"{folder} holds a run with another recipe; choose another folder")
        return
    path.write_text(text + "\n", encoding="utf-8")
