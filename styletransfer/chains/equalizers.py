"""Equalizers of any shape, on left and right alike or on mid and side."""

from __future__ import annotations

import torch
from torch import Tensor

from .spectra import filtered, grid
from .tone_curves import Curve


def equalize(
    samples: Tensor, rate: int, values: dict[str, Tensor], seeds: list[int], *, curve: Curve
) -> Tensor:
    """Filter both channels (batch, 2, time) alike; the bands are those that have a gain in `values`."""
    response = _response(samples, rate, values, "", seeds, curve)
    return filtered(samples, rate, response.unsqueeze(1))


def equalize_mid_side(
    samples: Tensor, rate: int, values: dict[str, Tensor], seeds: list[int], *, curve: Curve
) -> Tensor:
    """Filter the sum and the difference of the channels (batch, 2, time), each with its own gains."""
    response = torch.stack(
        [_response(samples, rate, values, prefix, seeds, curve) for prefix in ("mid_", "side_")], dim=1
    )
    return turned(filtered(turned(samples), rate, response))


def turned(samples: Tensor) -> Tensor:
    """Left and right (batch, 2, time) to mid and side, or back."""
    left, right = samples.unbind(1)
    other: Tensor = torch.stack((left + right, left - right), dim=1) * 0.5**0.5
    return other


def _response(
    samples: Tensor, rate: int, values: dict[str, Tensor], prefix: str, seeds: list[int], curve: Curve
) -> Tensor:
    gains = [name for name in values if name.startswith(prefix) and name.endswith("_gain_db")]
    bands = [name.removeprefix(prefix).removesuffix("_gain_db") for name in gains]
    gain_db, frequency_hz, q = (
        torch.stack([values[name.format(band)] for band in bands], dim=1)
        for name in (prefix + "{}_gain_db", "{}_frequency_hz", "{}_q")
    )
    frequencies_hz = grid(samples.shape[-1], rate, samples.device).frequencies_hz
    return curve(gain_db, frequency_hz, q, frequencies_hz, rate, seeds)
