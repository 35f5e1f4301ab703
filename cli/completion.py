"""What a shell proposes as an option's value; where none fits, names of files, which it knows by itself."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

Proposals = Callable[[str], list[str]]


def one_of(*values: str) -> Proposals:
    """The values that begin like what was typed."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def some_of(*values: str) -> Proposals:
    """The same after each comma: "rpp,st" is completed to "rpp,stems"."""

    def proposals(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        left = [value for value in values if value not in before.split(",")]
        return [f"{before}{comma}{value}" for value in left if value.startswith(last)]

    return proposals


def recipes(*kinds: str) -> Proposals:
    """The recipes that come with the program, of these kinds of network."""

    def proposals(incomplete: str) -> list[str]:
        folders = [files("styletransfer.training") / kind / "recipes" for kind in kinds]
        names = sorted(path.name for folder in folders for path in folder.iterdir())
        return [
            name.removesuffix(".toml") for name in names if name.startswith(incomplete) and ".toml" in name
        ]

    return proposals


STEM_NAMES = ("drums", "bass", "other", "vocals")
devices = one_of("cpu", "cuda", "mps")
separators = one_of("auto", "builtin", "htdemucs", "htdemucs_ft")
converters = one_of("auto", "closed", "console", "tcn")
loudness_targets = one_of("match-ref", "match-input", "off")
strips = some_of(*STEM_NAMES, "master")
groups = some_of("level", "eq", "dynamics", "width", "space")
sessions = some_of("rpp", "dawproject", "stems")
extents = one_of("none", "excerpt", "full")
