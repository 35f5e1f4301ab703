"""Which width and balance bring a stem's image to the average's."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from styletransfer.encoder.measures import Measures

MONO_DB = -40.0
"""Side over mid below which there is no width to scale."""

_STEP_DB = 0.1
_LEAST_MATTERS_DB = 12.0  # a width that is missed by more is as good as mono
_MOVE_COST = 0.02  # dB of error that a move of 1 dB has to be worth: nothing moves without need


def fit_image(heard: Measures, width_db: float, balance_db: float, reach_db: float) -> tuple[float, float]:
    """Knobs of `widen` and then `balance` that together reach a width and a balance in dB, or come closest.

    reach_db   neither moves further than ± this.
    Balancing changes the width and widening the balance, so both are looked for at once: for every width on a
    grid the balance follows in closed form. What is mono keeps its width. A source on one side only can't
    have both; it is made narrow and comes to its place.
    """
    mid, side = 1.0, 10 ** (heard.width_db / 10)
    tilt = math.tanh(heard.balance_db * math.log(10) / 20)  # (right − left) / (right + left), in energy
    most = math.sqrt(mid * side)
    common = min(max(-(mid + side) / 2 * tilt, -most), most)  # of mid and side
    steps = round(reach_db / _STEP_DB) if heard.width_db > MONO_DB else 0
    change_db = torch.arange(-steps, steps + 1, dtype=torch.float64) * _STEP_DB
    width = 10 ** (change_db / 20)
    left = (mid + width.square() * side + 2 * width * common).clamp(min=1e-6)
    right = (mid + width.square() * side - 2 * width * common).clamp(min=1e-6)
    both = mid - width.square() * side  # of left and right
    move_db = (balance_db - _db(right / left)).clamp(-reach_db, reach_db)
    left, right, both = left, right * 10 ** (move_db / 10), both * 10 ** (move_db / 20)
    found_db = _db(((left + right - 2 * both) / (left + right + 2 * both)).clamp(min=1e-9))
    missed = (found_db - width_db).abs().clamp(max=_LEAST_MATTERS_DB) if steps else torch.zeros(1)
    missed = (
        missed + 2 * (_db(right / left) - balance_db).abs() + _MOVE_COST * (change_db.abs() + move_db.abs())
    )
    best = int(missed.argmin())
    return float(width[best]), balance_knob(float(move_db[best]))


def balance_knob(change_db: float) -> float:
    """The knob of `fx.balance` that moves right over left by so many dB."""
    return math.atan(10 ** (change_db / 20)) * 4 / math.pi - 1


def _db(power: Tensor) -> Tensor:
    return 10 * torch.log10(power)
