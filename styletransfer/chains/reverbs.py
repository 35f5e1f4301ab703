"""Rooms around the sound: the dry sound stays, the reverb is added, and lows can be kept out of it."""

from __future__ import annotations

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from styletransfer.converter.fx.reverb import impulse_response


def console_reverb(samples: Tensor, rate: int, values: dict[str, Tensor], seeds: list[int]) -> Tensor:
    """The console's reverb: exponentially decaying noise, highs dying faster."""
    response = impulse_response(
        rate, **{name: values[name].unsqueeze(1) for name in ("decay_s", "damping", "predelay_ms")}
    )
    return add_room(samples, rate, response, values)


def add_room(samples: Tensor, rate: int, response: Tensor, values: dict[str, Tensor]) -> Tensor:
    """The sound plus `wet` times its convolution with a response (batch, 2, time) of unit energy.

    Below `low_cut_hz` nothing enters the room: a zero-phase slope of 24 dB per octave.
    """
    frames = samples.shape[-1]
    response = response[..., :frames]
    size = next_fast_len(frames + response.shape[-1] - 1, real=True)
    spectrum = torch.fft.rfft(samples, size) * torch.fft.rfft(response, size)
    frequencies_hz = torch.arange(spectrum.shape[-1], dtype=samples.dtype, device=samples.device) * (
        rate / size
    )
    ratio = (values["low_cut_hz"][:, None] / frequencies_hz.clamp(min=1e-3)).square().square()
    spectrum = spectrum * (values["wet"][:, None] / (1 + ratio))[:, None]
    reverb: Tensor = torch.fft.irfft(spectrum, size)
    return samples + reverb[..., :frames]
