"""Which function renders an effect: the console's law, and others that do the same job in another way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor

from styletransfer.converter import fx

from .dynamics import COMPRESSORS, EXPANDERS
from .equalizers import equalize, equalize_mid_side
from .imagers import PANS, WIDTHS
from .limiters import LIMITERS
from .lossy import CODECS
from .reverbs import REVERBS
from .saturators import SATURATORS
from .tone_curves import CURVES

Processor = Callable[[Tensor, int, dict[str, Tensor], list[int]], Tensor]
"""(samples (batch, 2, time), rate, parameter → values (batch,), a seed per example) → new samples."""


def _gain(samples: Tensor, rate: int, values: dict[str, Tensor], seeds: list[int]) -> Tensor:
    return fx.gain(samples, gain_db=values["gain_db"])


IMPLEMENTATIONS: dict[str, Mapping[str, Processor]] = {
    "eq": {name: partial(equalize, curve=curve) for name, curve in CURVES.items()},
    "mid_side_eq": {name: partial(equalize_mid_side, curve=curve) for name, curve in CURVES.items()},
    "compressor": COMPRESSORS,
    "expander": EXPANDERS,
    "limiter": LIMITERS,
    "saturation": SATURATORS,
    "pan": PANS,
    "width": WIDTHS,
    "reverb": REVERBS,
    "gain": {"console": _gain},
    "codec": CODECS,
}
"""Stage → implementation → function. Of the effects the console's comes first; codecs have none."""
