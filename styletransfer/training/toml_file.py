"""Recipes as people write them: a TOML file, or one that ships, checked by what the training knows."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from styletransfer.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Recipe = TypeVar("Recipe", bound=BaseModel)


def read(kind: type[Recipe], name: str | Path, package: str) -> Recipe:
    """The recipe of that name among a package's `recipes/`, or one from a `.toml` file.

    ConfigError for a missing file, broken TOML, unknown keys and values out of range.
    """
    path = Path(name)
    if path.suffix == ".toml":
        values = values_of(path, package)
    elif str(name) in shipped(package):
        values = tomllib.loads((files(package) / "recipes" / f"{name}.toml").read_text(encoding="utf-8"))
    else:
        names = ", ".join(shipped(package))
        raise ConfigError(f"there is no recipe {name}; give a .toml file, or one of {names}")
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"the recipe {name} can't be used: {where}: {first['msg']}") from error


def values_of(path: Path, *packages: str) -> dict[str, Any]:
    """What a `.toml` file says, unchecked. ConfigError, naming packages' recipes, where it can't be read."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return values
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the recipe {path} is no TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(name for package in packages for name in shipped(package))
        raise ConfigError(f"the recipe {path} can't be read; give a .toml file, or one of {names}") from error


def shipped(package: str) -> list[str]:
    """The names of the recipes that come with a package of the program."""
    folder = files(package) / "recipes"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))
