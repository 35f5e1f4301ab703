"""Soft saturation, as a tape or a driven amplifier bends loud moments."""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import Parameter, check_stereo, per_example

_SERIES = (-1 / 3, 2 / 15, -17 / 315, 62 / 2835, -1382 / 155_925)
_SERIES_UP_TO = 0.05


def saturate(samples: Tensor, *, drive_db: Parameter) -> Tensor:
    """Bend loud samples with y = tanh(√u·x)/√u, u = 10^(drive_db/10) - 1, each sample for itself.

    samples   (batch, 2, time).
    drive_db  0 or more; 0 is neutral, with its gradient alive. Quiet sound keeps its level at any drive;
              full scale comes out at 0.76 with 3 dB, 0.54 with 6 dB, 0.26 with 12 dB.
    Surprise  overtones above the Nyquist frequency fold back. At 44.1 kHz and 6 dB of drive the loudest
              alias of a full-scale tone is 88 dB below it at 2 kHz, 31 dB at 5 kHz, 17 dB at 10 kHz;
              of a tone at a quarter of full scale more than 200, 71 and 36 dB.
    """
    check_stereo(samples)
    drive = torch.expm1(per_example(drive_db, samples) * 0.23025850929940458).unsqueeze(-1)  # ln(10)/10
    power = drive * samples.square()
    small = power < _SERIES_UP_TO
    root = torch.where(small, 1.0, power).sqrt()
    series = torch.zeros_like(power)
    for coefficient in reversed(_SERIES):
        series = (series + coefficient) * power
    return samples * torch.where(small, 1 + series, torch.tanh(root) / root)
