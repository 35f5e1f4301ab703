"""The weights that ship: safetensors in `checkpoints/`, named by their content and checked on every load."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from styletransfer.errors import CheckpointError, UsageError
from styletransfer.files import beside

SHIPPED = Path(str(files("styletransfer.checkpoints")))
"""The folder of the weights that come with the program, and of `manifest.json`, which lists them."""

_DIGITS = re.compile("[0-9a-f]{8,64}")


def manifest() -> dict[str, dict[str, str]]:
    """Name → `file`, `sha256`, `origin` and `licence` of each shipped set of weights."""
    path = SHIPPED / "manifest.json"
    try:
        entries: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is missing or damaged; install automix again") from error
    return entries


def load(name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The shipped weights of that name as float32 tensors on the CPU, and their metadata.

    CheckpointError if they are unknown, missing or damaged.
    """
    return read(path_of(name), manifest()[name]["sha256"])


def find(name: str | Path) -> tuple[Path, dict[str, Tensor], dict[str, Any]]:
    """The path, tensors and metadata of the shipped weights of that name, or of a `.safetensors` file.

    CheckpointError if they are unknown, missing or damaged.
    """
    path = Path(name)
    if path.suffix == ".safetensors":
        return (path, *read(path))
    return (path_of(str(name)), *load(str(name)))


def path_of(name: str) -> Path:
    """Where the shipped weights of that name are. CheckpointError if there are none."""
    entries = manifest()
    if name not in entries:
        raise CheckpointError(f"no weights named {name} come with automix; there are {', '.join(entries)}")
    return SHIPPED / entries[name]["file"]


def read(path: Path, sha256: str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (float32, on the CPU) and the metadata of a `NAME-XXXXXXXX.safetensors` that `save` wrote.

    sha256   of the file, in hex; without it, the eight digits in its name are held against the content.
    CheckpointError if the file is missing, damaged or no safetensors.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"the weights {path} can't be read; check the name") from error
    want = sha256 or path.stem.rpartition("-")[2]
    if not _DIGITS.fullmatch(want):
        raise CheckpointError(
            f"{path.name} isn't named as weights are, NAME-XXXXXXXX.safetensors after their content; "
            "name a file of weights, or give this one its own name back"
        )
    if not hashlib.sha256(content).hexdigest().startswith(want):
        raise CheckpointError(
            f"{path.name} is damaged: its sha256 does not begin with {want}; fetch it again"
        )
    try:
        tensors = safetensors.torch.load(content)
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()["automix"])
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path.name} holds no weights of automix; fetch it again") from error
    return {key: tensor.float() for key, tensor in tensors.items()}, metadata


def save(
    directory: Path, name: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]
) -> tuple[Path, str]:
    """Write weights under the name that their content gives them; the path, and the whole sha256.

    metadata   config, format number, origin: whatever JSON can say.
    The same tensors and metadata give the same file. AudioError where the disk refuses it.
    """
    check_name(name)
    # One header entry, since safetensors writes several in an order that changes from run to run.
    header = {"automix": json.dumps(metadata, sort_keys=True)}
    content = _packed(tensors, header)
    sha256 = hashlib.sha256(content).hexdigest()
    path = directory / f"{name}-{sha256[:8]}.safetensors"
    with beside(path) as partial:
        partial.write_bytes(content)
    return path, sha256


def write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str] | None = None) -> None:
    """Write tensors that go by another name than their content's: beside, and renamed.

    AudioError where the disk refuses.
    """
    with beside(path) as partial:
        partial.write_bytes(_packed(tensors, header))


def check_name(name: str) -> None:
    """UsageError where weights can't have that name; ask before long work."""
    if not name or Path(name).name != name:
        raise UsageError(f"weights can't be named {name!r}; give a name without folders")


def _packed(tensors: Mapping[str, Tensor], header: Mapping[str, str] | None) -> bytes:
    whole = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    return safetensors.torch.save(whole, None if header is None else dict(header))
