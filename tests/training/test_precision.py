"""Networks are trained on the device that was asked for, in what it is quick at."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from styletransfer.errors import ConfigError
from styletransfer.training.fabric import launch, quickest

lightning_fabric = pytest.importorskip("lightning_fabric")


@pytest.mark.parametrize(
    ("device", "processor", "precision"),
    [
        ("cpu", "AVX2", "32-true"),
        ("cpu", "DEFAULT", "32-true"),
        ("cpu", "AVX512", "bf16-mixed"),
        ("cuda", "AVX2", "bf16-mixed"),
    ],
)
def test_bfloat16_only_where_it_is_quick(
    device: str, processor: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    assert quickest(device) == precision


@pytest.mark.parametrize(
    ("device", "processes", "asked"),
    [("cpu", 1, ("cpu", 1)), ("cuda", 2, ("cuda", 2)), ("cuda:1", 1, ("cuda", [1])), ("cpu", 2, ("cpu", 2))],
)
def test_the_device_is_the_one_that_was_asked_for(
    device: str, processes: int, asked: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked:
        def __init__(self, **options: Any) -> None:
            self.found = options["accelerator"], options["devices"]

        def launch(self) -> None:
            pass

    monkeypatch.setattr(lightning_fabric, "Fabric", Asked)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
    assert launch(device).found == asked


def test_devices_that_training_has_no_use_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="cpu or cuda, not on mps"):
        launch("mps")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="a GPU each"):
        launch("cuda:1")
