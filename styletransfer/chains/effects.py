"""Which function renders an effect: the console's, and others that do the same job in another way."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from styletransfer.converter import fx

from .parameters import BANDS
from .reverbs import console_reverb

Values = dict[str, Tensor]
"""Parameter → its values (batch,), in the parameter's unit, on the samples' device."""

Processor = Callable[[Tensor, int, Values, list[int]], Tensor]
"""(samples (batch, 2, time), rate, values, one seed per example) → samples (batch, 2, time)."""


def pan(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Turn one channel up and the other down by a −4.5 dB pan law; position 0 is left, 1 right.

    Source   the geometric mean of the linear (−6 dB) and the constant-power law (−3 dB at the centre).
    """
    position = values["position"].clamp(0, 1)
    left = ((1 - position) * torch.cos(position * (torch.pi / 2)).clamp(min=0)).sqrt()
    right = (position * torch.sin(position * (torch.pi / 2)).clamp(min=0)).sqrt()
    return samples * torch.stack((left, right), dim=1).unsqueeze(-1)


def _width(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.widen(samples, width=values["width"])


def _gain(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.gain(samples, gain_db=values["gain_db"])


def _bands(values: Values, prefix: str = "") -> fx.Bands:
    return fx.Bands(
        torch.stack([values[f"{prefix}{band}_gain_db"] for band in BANDS], dim=1),
        torch.stack([values[f"{band}_frequency_hz"] for band in BANDS], dim=1),
        torch.stack([values[f"{band}_q"] for band in BANDS], dim=1),
    )


def _eq(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.equalize(samples, rate, **_bands(values)._asdict())


def _mid_side_eq(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.mid_side_equalize(samples, rate, mid=_bands(values, "mid_"), side=_bands(values, "side_"))


def _compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.compress(samples, rate, **values, makeup_db=0.0)


def _expander(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.expand(samples, rate, **values)


def _limiter(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.limit(samples, rate, **values)


def _saturation(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    return fx.saturate(samples, **values)


IMPLEMENTATIONS: dict[str, dict[str, Processor]] = {
    "eq": {"console": _eq},
    "mid_side_eq": {"console": _mid_side_eq},
    "compressor": {"console": _compressor},
    "expander": {"console": _expander},
    "limiter": {"console": _limiter},
    "saturation": {"console": _saturation},
    "pan": {"console": pan},
    "width": {"console": _width},
    "reverb": {"console": console_reverb},
    "gain": {"console": _gain},
    "codec": {},
}
"""Stage → implementation → function; the console's comes first."""
