"""Reverberation in parallel: the dry sound stays, a room's answer is added, and lows can be kept out of it.

Excerpts are cut from music that went on before: what outlasts the excerpt returns at its beginning, as
the tail of what came before would be heard there. So the convolution is circular, and cheap.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from .rooms import ROOMS, Room
from .spectra import fast_size

Values = dict[str, Tensor]


def reverberate(samples: Tensor, rate: int, values: Values, seeds: list[int], *, room: Room) -> Tensor:
    """The sound plus `wet` times its convolution with a room's response of unit energy.

    samples   (batch, 2, time). What lies below `low_cut_hz` stays dry: a slope of 24 dB per octave.
    Surprise  tails run on into the beginning of the excerpt.
    """
    frames = samples.shape[-1]
    size = fast_size(frames)
    response = room(rate, size, values, seeds)
    level = torch.linalg.vector_norm(torch.view_as_real(response).flatten(1), dim=1)
    strength = values["wet"] / (level / size**0.5).clamp(min=1e-6)
    kept = _low_cut(values["low_cut_hz"], rate, size) * strength[:, None]
    response = response * kept[:, None] + 1
    output: Tensor = torch.fft.irfft(torch.fft.rfft(samples, size) * response, size)
    return output[..., :frames]


def _low_cut(cut_hz: Tensor, rate: int, size: int) -> Tensor:
    frequencies_hz = torch.arange(size // 2 + 1, dtype=cut_hz.dtype, device=cut_hz.device) * (rate / size)
    fourth = (frequencies_hz / cut_hz[:, None]).square().square()
    return fourth / (1 + fourth)


REVERBS = {name: partial(reverberate, room=room) for name, room in ROOMS.items()}
"""Implementation → reverb; the console's comes first."""
