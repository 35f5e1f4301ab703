"""An equalizer between two equalizers: its curve is the mean of both in dB, on the same bands.

Where both have their bands at the same places, as the closed form sets them, gains alone are moved. Where
they don't, bands on the way from place to place would draw hills that neither side has; the bands are then
fitted to the mean curve, from several starts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares

from styletransfer.converter.console import Stage
from styletransfer.converter.fx import equalizer_response_db

CLOSE_DB = 0.25
"""A curve that misses the mean by no more than this, anywhere, is not fitted."""

CURVE_HZ = 20 * 1000 ** (torch.arange(90, dtype=torch.float64) / 89)
"""Where curves are compared: 20 Hz to 20 kHz, nine points per octave."""

_RATE = 48000
_ROUNDS = 3  # of fitting, each weighing more what the last one missed
_EVALUATIONS = 30
_STEP = 1e-4

_Floats = NDArray[np.float64]


def curve_db(stage: Stage, knobs: dict[str, float]) -> torch.Tensor:
    """(90,) response in dB of an equalizer's knobs at CURVE_HZ."""
    return torch.from_numpy(_curves(_places(stage, knobs)[None])[0])


def between_equalizers(
    stage: Stage, first: dict[str, float], second: dict[str, float], at: float
) -> dict[str, float]:
    """Knobs of an equalizer whose curve lies between those of two others, at `at` from 0 to 1.

    Source   reweighted least squares toward the least largest error: C. L. Lawson, 1961.
    """
    one, other = _places(stage, first), _places(stage, second)
    target = (1 - at) * _curves(one[None])[0] + at * _curves(other[None])[0]
    best, least = one, math.inf
    for found in _candidates(one, other, at, target, _limits(stage)):
        missed = float(np.abs(_curves(found[None])[0] - target).max())
        if missed < least:
            best, least = found, missed
        if least <= CLOSE_DB:
            break
    return _knobs(stage, best)


def _candidates(
    one: _Floats, other: _Floats, at: float, target: _Floats, limits: tuple[_Floats, _Floats]
) -> Iterator[_Floats]:
    """The bands on their way as they are, then fitted to the target from every start."""
    starts = list(_starts(one, other, at))
    yield starts[0]
    for start in starts:
        yield _fitted(start, target, *limits)


def _starts(one: _Floats, other: _Floats, at: float) -> Iterator[_Floats]:
    """Places between two equalizers' bands: first each band as far as the way is, then as its gains weigh.

    A band that rests on one side stands where the other has it.
    """
    gain, frequency, q = ((1 - at) * a + at * b for a, b in zip(_parts(one), _parts(other), strict=True))
    weight = np.stack((np.abs(_parts(one)[0]) * (1 - at), np.abs(_parts(other)[0]) * at))
    total = weight.sum(0)
    share = np.where(total > 0, weight[1] / np.maximum(total, 1e-9), at)
    moved = [np.where(share == 0, a, b) for a, b in zip(_parts(one), _parts(other), strict=True)]
    alone = (share == 0) | (share == 1)
    yield np.concatenate((gain, np.where(alone, moved[1], frequency), np.where(alone, moved[2], q)))
    weighed = [(1 - share) * a + share * b for a, b in zip(_parts(one)[1:], _parts(other)[1:], strict=True)]
    yield np.concatenate((gain, *weighed))
    yield np.concatenate(((1 - at) * _parts(one)[0], *_parts(one)[1:]))
    yield np.concatenate((at * _parts(other)[0], *_parts(other)[1:]))


def _fitted(start: _Floats, target: _Floats, low: _Floats, high: _Floats) -> _Floats:
    """Places (3 · bands,) within limits whose curve comes close to a target, from a start."""
    weights = np.ones(len(target))
    steps = np.eye(len(start)) * _STEP
    scale = np.repeat((3.0, 0.3, 0.3), len(start) // 3)
    best, least = start, math.inf
    for _ in range(_ROUNDS):
        inside = np.clip(start, low + 1e-6, high - 1e-6)

        def missed(places: _Floats, weights: _Floats = weights) -> _Floats:
            return np.asarray(weights * (_curves(places[None])[0] - target))

        def slopes(places: _Floats, weights: _Floats = weights) -> _Floats:
            change = _curves(np.concatenate((places + steps, places - steps)))
            up, down = np.split(change, 2)
            return np.asarray((weights * (up - down) / (2 * _STEP)).T)

        found = least_squares(
            missed, inside, jac=slopes, bounds=(low, high), x_scale=scale, max_nfev=_EVALUATIONS
        )
        start = found.x
        errors = np.abs(_curves(start[None])[0] - target)
        if errors.max() < least:
            best, least = start, float(errors.max())
        if least <= CLOSE_DB:
            break
        weights = weights * np.sqrt(errors + 0.05 * errors.max() + 1e-9)
        weights /= weights.mean()
    return best


def _curves(places: _Floats) -> _Floats:
    """(settings, 90) responses in dB of places (settings, 3 · bands)."""
    gain, frequency, q = torch.from_numpy(places).chunk(3, dim=1)
    response = equalizer_response_db(CURVE_HZ, _RATE, gain_db=gain, frequency_hz=frequency.exp(), q=q.exp())
    return np.asarray(response.numpy())


def _bands(stage: Stage) -> list[str]:
    return [name.removesuffix("_gain_db") for name in stage.knobs if name.endswith("_gain_db")]


def _places(stage: Stage, knobs: dict[str, float]) -> _Floats:
    """(3 · bands,): gains in dB, then logarithms of the frequencies, then of Q."""
    bands = _bands(stage)
    gain, frequency, q = (
        np.array([knobs[f"{band}_{knob}"] for band in bands]) for knob in ("gain_db", "frequency_hz", "q")
    )
    return np.concatenate((gain, np.log(frequency), np.log(q)))


def _knobs(stage: Stage, places: _Floats) -> dict[str, float]:
    gain, frequency, q = _parts(places)
    found = {}
    for band, *values in zip(_bands(stage), gain, np.exp(frequency), np.exp(q), strict=True):
        for knob, value in zip(("gain_db", "frequency_hz", "q"), values, strict=True):
            found[f"{band}_{knob}"] = stage.knobs[f"{band}_{knob}"].clamp(float(value))
    return found


def _limits(stage: Stage) -> tuple[_Floats, _Floats]:
    low, high = (
        _places(stage, {name: getattr(knob, end) for name, knob in stage.knobs.items()})
        for end in ("low", "high")
    )
    return low, high


def _parts(places: _Floats) -> list[_Floats]:
    return np.split(places, 3)
