"""One process or many, CPU or GPU: lightning-fabric, started alike for every training."""

from __future__ import annotations

import os
import warnings
from typing import Any, Literal

import torch

from styletransfer.errors import ConfigError

Precision = Literal["bf16-mixed", "32-true"]


def launch(device: str, precision: Precision | None = None) -> Any:
    """A Fabric that has been launched: under `torchrun` one of many processes, else the only one.

    device      "cpu", "cuda", or one GPU by its number, like "cuda:1".
    precision   Fabric's name: "32-true" where filters need the digits; without, what the device is quick at.
    ConfigError without the extra `train`, for another device, or for one GPU that several processes share.
    """
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda"):
        raise ConfigError(f"training runs on cpu or cuda, not on {device}; choose one of them")
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise ConfigError("training needs the extra `train`: pip install 'automix[train]'") from error
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if number and processes > 1:
        raise ConfigError(f"{processes} processes take a GPU each, so give --device cuda without a number")
    nodes = int(os.environ.get("WORLD_SIZE", "1")) // max(1, processes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fabric = Fabric(
            accelerator=kind,
            devices=[int(number)] if number and kind == "cuda" else processes,
            num_nodes=max(1, nodes),
            strategy="ddp" if processes > 1 else "auto",
            precision=precision or quickest(device),
        )
        fabric.launch()
    return fabric


def quickest(device: str) -> Precision:
    """bfloat16, which costs networks nothing, on GPUs and on processors with AVX-512; elsewhere its products
    take thirty times as long as single precision's."""
    if device == "cpu" and "AVX512" not in torch.backends.cpu.get_cpu_capability():
        return "32-true"
    return "bf16-mixed"
