"""How loud and where: gain, balance and width. None of them has a memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .arguments import Parameter, amplitude, check_stereo, per_example


def gain(samples: Tensor, *, gain_db: Parameter) -> Tensor:
    """Louder or softer by `gain_db`; (batch, 2, time) in and out."""
    check_stereo(samples)
    return samples * amplitude(per_example(gain_db, samples)).unsqueeze(-1)


def balance(samples: Tensor, *, balance: Parameter) -> Tensor:
    """Turn one side up and the other down with constant power.

    samples  (batch, 2, time), left then right.
    balance  -1 leaves only the left, 0 changes nothing, 1 leaves only the right; the side
             that is kept rises by up to 3 dB.
    Source   sine/cosine pan law with unity at the centre: √2·cos θ, √2·sin θ, θ = (balance+1)·π/4.
    """
    check_stereo(samples)
    offset = per_example(balance, samples) * (math.pi / 4)  # θ - π/4; exact where balance is 0
    left, right = torch.cos(offset) - torch.sin(offset), torch.cos(offset) + torch.sin(offset)
    return samples * torch.stack((left, right), dim=1)


def widen(samples: Tensor, *, width: Parameter) -> Tensor:
    """Scale the side signal.

    samples  (batch, 2, time), left then right.
    width    0 is mono, 1 changes nothing, 2 doubles the side.
    Source   mid/side width control; Blumlein, GB patent 394,325.
    """
    check_stereo(samples)
    side = (samples[:, :1] - samples[:, 1:]) / 2
    change = (per_example(width, samples).unsqueeze(-1) - 1) * side
    return samples + torch.cat((change, -change), dim=1)
