"""Which width and balance bring a stem's image to the average's."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.converter import fx

MONO_DB = -40.0
"""Side over mid below which there is no width to scale."""

_ROUNDS = 8
_BLOCK = 2**18


def covariance(audio: Audio) -> Tensor:
    """(2, 2) of the mid and the side signal of a stereo sound, summed over time."""
    total = torch.zeros(2, 2, dtype=torch.float64)
    for block in audio.blocks(_BLOCK):
        total += (block @ block.T).double()
    rotate = torch.tensor([[0.5, 0.5], [0.5, -0.5]], dtype=torch.float64)
    return rotate @ total @ rotate.T


def fit_image(
    mid_side: Tensor, width_db: float, balance_db: float, reach_db: float
) -> tuple[float, float]:
    """Knobs of `widen` and `balance`, one after the other, that reach a width and a balance together.

    mid_side    (2, 2) covariance of mid and side.
    reach_db    neither moves further than ± this.
    What is mono is left without width, but panned to its place. A source on one side only has both mid
    and side: it is made narrow, then balanced.
    """
    width, place = 1.0, 0.0
    for _ in range(_ROUNDS):
        found_width_db, found_balance_db = _image_db(mid_side, width, place)
        place = min(max(place + balance_db - found_balance_db, -reach_db), reach_db)
        if found_width_db > MONO_DB:
            width *= 10 ** (0.5 * (width_db - found_width_db) / 20)  # half of the way: the two are coupled
            width = min(max(width, 10 ** (-reach_db / 20)), 10 ** (reach_db / 20))
    return width, balance_knob(place)


def balance_knob(change_db: float) -> float:
    """The knob of `fx.balance` that moves right over left by so many dB."""
    return math.atan(10 ** (change_db / 20)) * 4 / math.pi - 1


def _image_db(mid_side: Tensor, width: float, place_db: float) -> tuple[float, float]:
    """Side over mid and right over left, in dB, behind width and balance."""
    widened = mid_side * torch.tensor([[1.0, width], [width, width * width]], dtype=torch.float64)
    rotate = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    sides = fx.balance(torch.eye(2)[None], balance=balance_knob(place_db))[0].double()
    left_right = sides @ rotate @ widened @ rotate.T @ sides
    turned = rotate @ left_right @ rotate.T / 4
    return _ratio_db(turned[1, 1], turned[0, 0]), _ratio_db(left_right[1, 1], left_right[0, 0])


def _ratio_db(over: Tensor, under: Tensor) -> float:
    least = 1e-12 * (over + under).clamp(min=1e-30)
    return float(10 * torch.log10(over.clamp(min=least) / under.clamp(min=least)))
