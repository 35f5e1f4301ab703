"""Encoders as files: the shipped FXencoder, or one that somebody trained."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from styletransfer import weights
from styletransfer.encoder.network import EncoderConfig, FXEncoder
from styletransfer.errors import CheckpointError

SHIPPED = "fxencoder-small"
"""The name of the encoder that comes with the program."""

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class LoadedEncoder:
    """An encoder ready to embed, the first eight hex digits of its file's sha256, and its training facts."""

    network: FXEncoder
    fingerprint: str
    facts: dict[str, Any]


def load(name: str | Path = SHIPPED, device: str = "cpu") -> LoadedEncoder:
    """The shipped encoder of that name, or one from a `.safetensors` file, in evaluation mode.

    CheckpointError if there is none, or if it is damaged or holds something else.
    """
    path, tensors, facts = weights.find(name)
    if facts.get("kind") != "fxencoder" or facts.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} holds no FXencoder that this version reads; train or fetch one")
    network = FXEncoder(EncoderConfig(**facts["config"]))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path.name} doesn't fit its own configuration; fetch it again") from error
    return LoadedEncoder(network.eval().to(device), path.stem.rpartition("-")[2], facts)


def put_beside(name: str | Path, folder: Path) -> None:
    """Copy an encoder's file to where a converter's is that hears through it, unless the encoder ships."""
    path = weights.find(name)[0]
    if path.parent not in (weights.SHIPPED, folder):
        shutil.copyfile(path, folder / path.name)


def save(directory: Path, name: str, network: FXEncoder, facts: Mapping[str, Any]) -> tuple[Path, str]:
    """Write an encoder as float16 (counts as they are), with its config; the path, and its sha256."""
    tensors = {
        key: value.half() if value.dtype == torch.float32 else value
        for key, value in network.state_dict().items()
    }
    header = {**facts, "kind": "fxencoder", "format": FORMAT, "config": network.config.to_dict()}
    return weights.save(directory, name, tensors, header)
