"""Networks are trained in what the device is quick at."""

from __future__ import annotations

import pytest
import torch

from styletransfer.training.fabric import quickest


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
