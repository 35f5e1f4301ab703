"""Converters: what decides, from the styles of both sides, how the console is set."""

from __future__ import annotations

from styletransfer import weights
from styletransfer.errors import UsageError

from . import console
from .console import LoadedConsole

__all__ = ["LoadedConsole", "choose"]


def choose(name: str = "auto") -> LoadedConsole | None:
    """The network that corrects the closed form; None for the closed form alone.

    name   "closed", "console", a `.safetensors` file, or "auto": the console network if one is shipped.
    CheckpointError where there is none or it is damaged; UsageError for another name.
    """
    if name == "auto":
        name = "console" if console.SHIPPED in weights.manifest() else "closed"
    if name == "closed":
        return None
    if name != "console" and not name.endswith(".safetensors"):
        raise UsageError(f"there is no converter {name!r}; give closed, console, or a .safetensors file")
    return console.load(console.SHIPPED if name == "console" else name)
