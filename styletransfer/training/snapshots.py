"""Where a run stands: weights, optimizer and counters in one file, never pickled."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from styletransfer import weights
from styletransfer.training.state import State


def write(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Write where the run stands, and the weights again if this round was the best."""
    tensors = {f"model.{key}": value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{key}": torch.as_tensor(value).cpu().contiguous()
            for key, value in values.items()
        }
    header = {"state": json.dumps(asdict(state))}
    # the best first: cut off between the two, the round is gone through again and found the best again
    best = ["best"] if state.best.get("round") == state.round else []
    for kept in (*best, "snapshot"):
        weights.write(folder / f"{kept}.safetensors", tensors, header)


def restore(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Bring model, optimizer and state to where the folder's run stands; nothing if it has none."""
    path = folder / "snapshot.safetensors"
    if not path.exists():
        return
    tensors = safetensors.torch.load_file(path)
    model.load_state_dict(_under(tensors, "model."))
    plain = optimizer.state_dict()
    plain["state"] = {}
    for key, value in _under(tensors, "optimizer.").items():
        index, _, name = key.partition(".")
        plain["state"].setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(plain)
    with safetensors.safe_open(path, framework="pt") as file:
        for key, value in json.loads(file.metadata()["state"]).items():
            setattr(state, key, value)


def restore_best(folder: Path, network: nn.Module, part: str = "network") -> None:
    """Load the best round's weights of a part of the model into a network."""
    tensors = _under(safetensors.torch.load_file(folder / "best.safetensors"), f"model.{part}.")
    network.load_state_dict(tensors)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
