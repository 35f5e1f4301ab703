"""From a strip's settings to the stages that render it; what is neutral is left out and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from . import fx
from .console import Settings, is_neutral
from .console import Stage as StageTable

_Maker = Callable[[int, dict[str, float]], fx.Stage]


def stages_of(strip: dict[str, StageTable], settings: Settings, rate: int) -> list[fx.Stage]:
    """The stages of a strip in signal order, without the neutral ones; they serve one sound, once.

    The limiter, which guards the output and is no change of its own, is not among them.
    """
    return [
        _MAKERS[name](rate, settings[name])
        for name, stage in strip.items()
        if name in _MAKERS and not is_neutral(stage, settings[name])
    ]


def _bands(values: dict[str, float]) -> fx.Bands:
    names = [name.removesuffix("_gain_db") for name in values if name.endswith("_gain_db")]
    return fx.Bands(
        *([values[f"{name}_{knob}"] for name in names] for knob in ("gain_db", "frequency_hz", "q"))
    )


def _equalizer(rate: int, values: dict[str, float]) -> fx.Stage:
    return fx.Equalizer(rate, **_bands(values)._asdict())


def _side_equalizer(rate: int, values: dict[str, float]) -> fx.Stage:
    flat = {name: 0.0 if name.endswith("_gain_db") else value for name, value in values.items()}
    return fx.MidSideEqualizer(rate, mid=_bands(flat), side=_bands(values))


def _memoryless(function: Callable[..., Tensor]) -> _Maker:
    return lambda rate, values: fx.Local(partial(function, **values))


_MAKERS: dict[str, _Maker] = {
    "eq": _equalizer,
    "side_eq": _side_equalizer,
    "compressor": lambda rate, values: fx.Compressor(rate, **values),
    "expander": lambda rate, values: fx.Expander(rate, **values),
    "saturation": _memoryless(fx.saturate),
    "width": _memoryless(fx.widen),
    "balance": _memoryless(fx.balance),
    "reverb": lambda rate, values: fx.Reverb(rate, **values),
    "gain": _memoryless(fx.gain),
}
