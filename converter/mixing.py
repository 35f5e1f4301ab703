"""The console as one differentiable function: stems and settings in, processed stems out, for whole batches.

`rendering` renders one long song block by block, `mixing` many excerpts at once, with gradients to every
knob. Both walk the same stages of the same effects.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from . import fx
from .console import Stage
from .parameters import Values

STAGES = ("eq", "side_eq", "compressor", "expander", "saturation", "width", "balance", "reverb", "gain")
"""What a strip can do to an excerpt; the limiter, which guards an output, is no part of it."""

_Processor = Callable[[Tensor, int, dict[str, Tensor]], Tensor]


def process(
    samples: Tensor, rate: int, strip: dict[str, Stage], values: Values, stages: tuple[str, ...] = STAGES
) -> Tensor:
    """Excerpts through a strip, each with its own settings.

    samples   (batch, 2, time).
    values    of every knob, (batch,); see `parameters.values_at`.
    stages    those that are used; what all examples leave neutral may be left out, which changes nothing
              and costs nothing.
    Returns   (batch, 2, time), new.
    """
    for name in strip:
        if name in stages and name in _PROCESSORS:
            samples = _PROCESSORS[name](samples, rate, values[name])
    return samples


def used(strip: dict[str, Stage], values: Values, tolerance: float = 1e-4) -> tuple[str, ...]:
    """The stages of which some example's strength is further from neutral than `tolerance`."""
    return tuple(
        name
        for name, stage in strip.items()
        if name in _PROCESSORS
        and any(
            bool(((values[name][knob] - table.neutral).abs() > tolerance).any())
            for knob, table in stage.knobs.items()
            if table.strength
        )
    )


def bands_of(values: dict[str, Tensor]) -> fx.Bands:
    """An equalizer stage's bands, each parameter (batch, bands)."""
    names = [name.removesuffix("_gain_db") for name in values if name.endswith("_gain_db")]
    return fx.Bands(
        *(
            torch.stack([values[f"{name}_{knob}"] for name in names], 1)
            for knob in ("gain_db", "frequency_hz", "q")
        )
    )


def _equalize(samples: Tensor, rate: int, values: dict[str, Tensor]) -> Tensor:
    return fx.equalize(samples, rate, **bands_of(values)._asdict())


def _side_equalize(samples: Tensor, rate: int, values: dict[str, Tensor]) -> Tensor:
    side = (samples[:, :1] - samples[:, 1:]) / 2
    change = fx.equalize(side.expand(-1, 2, -1), rate, **bands_of(values)._asdict())[:, :1] - side
    return samples + torch.cat((change, -change), 1)


_PROCESSORS: dict[str, _Processor] = {
    "eq": _equalize,
    "side_eq": _side_equalize,
    "compressor": lambda samples, rate, values: fx.compress(samples, rate, **values),
    "expander": lambda samples, rate, values: fx.expand(samples, rate, **values),
    "saturation": lambda samples, rate, values: fx.saturate(samples, **values),
    "width": lambda samples, rate, values: fx.widen(samples, **values),
    "balance": lambda samples, rate, values: fx.balance(samples, **values),
    "reverb": lambda samples, rate, values: fx.reverberate(samples, rate, **values),
    "gain": lambda samples, rate, values: fx.gain(samples, **values),
}
