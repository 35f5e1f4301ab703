"""Converters: what decides, from the styles of both sides, how each stem is changed."""

from __future__ import annotations

from styletransfer import weights
from styletransfer.errors import CheckpointError, UsageError

from . import console, tcn
from .console import LoadedConsole
from .tcn import LoadedTCN

__all__ = ["NAMES", "Converter", "LoadedConsole", "LoadedTCN", "choose", "shipped", "sought"]

Converter = LoadedConsole | LoadedTCN
"""A trained network: one corrects the console's settings, the other makes stems anew."""

NAMES = ("closed", "console", "tcn")

_SHIPPED = {"console": console.SHIPPED, "tcn": tcn.SHIPPED}


def choose(name: str = "auto", device: str = "cpu") -> Converter | None:
    """The network that a name stands for; None for the closed form alone.

    name   "closed", "console", "tcn", a `.safetensors` file, which says itself what it is, or "auto": the
           console network if one is shipped.
    CheckpointError where there is none or it is damaged; UsageError for another name.
    """
    if name == "auto":
        name = "console" if shipped("console") else "closed"
    if name == "closed":
        return None
    if name.endswith(".safetensors"):
        return tcn.load(name, device) if weights.find(name)[2].get("kind") == "tcn" else console.load(name)
    if name not in NAMES:
        raise UsageError(
            f"there is no converter {name!r}; give {', '.join(NAMES)}, or a .safetensors file of weights"
        )
    if not shipped(name):
        raise CheckpointError(
            f"no {name} network comes with this version; train one with `automix train converter`, and give "
            "its .safetensors file instead of the name"
        )
    return tcn.load(device=device) if name == "tcn" else console.load()


def shipped(name: str) -> bool:
    """Whether weights of that converter come with the program; the closed form needs none."""
    return name == "closed" or _SHIPPED[name] in weights.manifest()


def sought(fingerprint: str | None, name: str | None, device: str = "cpu") -> LoadedTCN:
    """The tcn network of that fingerprint: the shipped one, or `name`, a file, where one is given.

    CheckpointError where it is another, or none is here.
    """
    if name is None and not shipped("tcn"):
        raise CheckpointError(
            f"these stems went through network {fingerprint}, which doesn't come with this version; give its "
            f".safetensors file, whose name ends with {fingerprint}, as converter"
        )
    found = tcn.load(tcn.SHIPPED if name in (None, "tcn") else str(name), device)
    if found.fingerprint != fingerprint:
        raise CheckpointError(
            f"these stems went through network {fingerprint}, and this is {found.fingerprint}; give the "
            ".safetensors file whose name ends so as converter"
        )
    return found
