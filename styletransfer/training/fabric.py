"""One process or many, CPU or GPU: lightning-fabric, started alike for every training."""

from __future__ import annotations

import os
import warnings
from typing import Any, Literal

from styletransfer.errors import ConfigError


def launch(device: str, precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed") -> Any:
    """A Fabric that has been launched: under `torchrun` one of many processes, else the only one.

    precision   Fabric's name: bfloat16 for networks, which lose nothing by it; "32-true" where filters need
                the digits.
    ConfigError without the extra `train`.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise ConfigError("training needs the extra `train`: pip install 'automix[train]'") from error
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    nodes = int(os.environ.get("WORLD_SIZE", "1")) // max(1, processes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fabric = Fabric(
            accelerator="cuda" if device.startswith("cuda") else "cpu",
            devices=processes,
            num_nodes=max(1, nodes),
            strategy="ddp" if processes > 1 else "auto",
            precision=precision,
        )
        fabric.launch()
    return fabric
