"""What every effect takes: a stereo batch, and parameters that are numbers or one value per example."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Parameter = float | Tensor
"""One number for the whole batch, or a tensor (batch,) with one value per example."""

BandParameter = float | Sequence[float] | Tensor
"""One value per band: a sequence or tensor (bands,), or a tensor (batch, bands)."""


def check_stereo(samples: Tensor) -> None:
    """ValueError unless `samples` is (batch, 2, time) in floating point."""
    if samples.ndim != 3 or samples.shape[1] != 2 or not samples.is_floating_point():
        raise ValueError(
            f"samples must be floating (batch, 2, time), not {samples.dtype} {tuple(samples.shape)}"
        )


def per_example(value: Parameter, samples: Tensor) -> Tensor:
    """The parameter as (batch or 1, 1), in dtype and on the device of `samples`."""
    tensor = torch.as_tensor(value, dtype=samples.dtype, device=samples.device)
    if tensor.ndim > 1 or (tensor.ndim == 1 and tensor.shape[0] not in (1, samples.shape[0])):
        raise ValueError(
            f"a parameter must be one number or ({samples.shape[0]},) values, not {tuple(tensor.shape)}"
        )
    return tensor.reshape(-1, 1)


def per_band(value: BandParameter, like: Tensor) -> Tensor:
    """The parameter as (bands,) or (batch, bands), in dtype and on the device of `like`."""
    return torch.as_tensor(value, dtype=like.dtype, device=like.device)


def amplitude(level_db: Tensor) -> Tensor:
    """The linear factor of a level in dB."""
    return torch.exp(level_db * 0.11512925464970229)  # ln(10)/20
