"""Algorithmic reverb: exponentially decaying noise, each band with its own decay."""

from __future__ import annotations

import functools
import math
from itertools import pairwise

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from .arguments import Parameter, check_stereo, per_example
from .fir import convolve

_EDGES_HZ = (500.0, 2000.0, 4000.0, 8000.0)
_DAMPED = (0.0, 0.0, 0.5, 0.75, 0.9)
_SPLIT_REACH_S = 0.012
_LENGTH_DECAYS = 1.5  # the response ends 90 dB down
_LENGTH_STEP_S = 0.25
_DELAY_MARGIN = 64
_SIXTY_DB = math.log(1000.0)


def reverberate(
    samples: Tensor,
    rate: int,
    *,
    decay_s: Parameter,
    damping: Parameter,
    predelay_ms: Parameter,
    wet: Parameter,
) -> Tensor:
    """Add a room to the sound: left and right decorrelated, the dry sound untouched.

    samples      (batch, 2, time); the tail that outlasts it is cut.
    decay_s      time to fall by 60 dB below 2 kHz (RT60).
    damping      0 to 1: how much faster high bands die; at 1 the band above 8 kHz lasts a tenth.
    predelay_ms  0 or more, also fractions of a sample.
    wet          0 to 1, linear and 0 neutral: at 1, white noise meets a reverb as strong as itself.
    Source       J. A. Moorer, "About this reverberation business", Computer Music Journal 3(2), 1979.
    """
    check_stereo(samples)
    response = impulse_response(
        rate,
        decay_s=per_example(decay_s, samples),
        damping=per_example(damping, samples),
        predelay_ms=per_example(predelay_ms, samples),
    )
    frames = samples.shape[-1]
    size = next_fast_len(frames + response.shape[-1] - 1, real=True)
    spectrum = torch.fft.rfft(samples, size) * torch.fft.rfft(response, size)
    reverb: Tensor = torch.fft.irfft(spectrum, size)[..., :frames]
    return samples + per_example(wet, samples).unsqueeze(-1) * reverb


def impulse_response(rate: int, *, decay_s: Tensor, damping: Tensor, predelay_ms: Tensor) -> Tensor:
    """The fully wet response (batch, 2, time) of unit energy, parameters (batch or 1, 1)."""
    length_s = float(decay_s.detach().amax()) * _LENGTH_DECAYS
    steps = math.ceil(length_s / _LENGTH_STEP_S)  # coarse, so that small changes move no edge
    frames = math.ceil(steps * _LENGTH_STEP_S * rate)
    noise = _noise_bands(rate, 1 << (frames - 1).bit_length())[..., :frames].to(decay_s)
    time_s = torch.arange(noise.shape[-1], dtype=decay_s.dtype, device=decay_s.device) / rate
    damped = torch.tensor(_DAMPED[: len(noise)], dtype=decay_s.dtype, device=decay_s.device)
    speed = _SIXTY_DB / (decay_s * (1 - damping * damped))  # (batch, bands)
    response = torch.einsum("nbt,bct->nct", torch.exp(-speed.unsqueeze(-1) * time_s), noise)
    energy = response.square().sum((1, 2), keepdim=True) / 2
    return _delay(response / energy.sqrt(), predelay_ms * (rate / 1000))


class Reverb:
    """Renders `reverberate` block by block (overlap-add); numbers only."""

    latency = 0

    def __init__(self, rate: int, *, decay_s: float, damping: float, predelay_ms: float, wet: float) -> None:
        decay, damped, predelay = (
            torch.tensor([[float(value)]]) for value in (decay_s, damping, predelay_ms)
        )
        self._response = wet * impulse_response(rate, decay_s=decay, damping=damped, predelay_ms=predelay)[0]
        self._spectrum = torch.zeros(2, 0, dtype=torch.complex64)
        self._size = 0
        self._tail = torch.zeros_like(self._response)

    def process(self, block: Tensor) -> Tensor:
        frames, length = block.shape[1], self._response.shape[1]
        size = next_fast_len(frames + length, real=True)
        if size != self._size:
            self._size, self._spectrum = size, torch.fft.rfft(self._response, size)
        wet: Tensor = torch.fft.irfft(torch.fft.rfft(block, size) * self._spectrum, size)[
            :, : frames + length
        ]
        wet[:, :length] += self._tail
        self._tail = wet[:, frames:]
        return block + wet[:, :frames]


def _delay(response: Tensor, delay: Tensor) -> Tensor:
    """Shift by fractions of samples (batch or 1, 1), with room for the shift."""
    frames = response.shape[-1] + math.ceil(float(delay.detach().amax())) + _DELAY_MARGIN
    size = next_fast_len(frames + _DELAY_MARGIN, real=True)
    angle = torch.arange(size // 2 + 1, dtype=delay.dtype, device=delay.device) * (2 * math.pi / size)
    phase = -(angle * delay).unsqueeze(1)
    turned = torch.fft.rfft(response, size) * torch.complex(torch.cos(phase), torch.sin(phase))
    delayed: Tensor = torch.fft.irfft(turned, size)
    return delayed[..., :frames]


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)
def _noise_bands(rate: int, frames: int) -> Tensor:
    """The same noise at every call, split into bands: (bands, 2, frames); a longer one begins alike."""
    reach = round(_SPLIT_REACH_S * rate)
    wanted = frames + 2 * reach
    noise = torch.cat([_white_noise(rate, second) for second in range(-(-wanted // rate))], dim=1)[:, :wanted]
    position = torch.arange(-reach, reach + 1, dtype=torch.float64)
    window = torch.hann_window(2 * reach + 3, periodic=False, dtype=torch.float64)[1:-1]
    edges = [2 * edge / rate for edge in _EDGES_HZ if edge < 0.45 * rate]
    cuts = [edge * torch.sinc(edge * position) * window for edge in edges]
    cuts = [torch.zeros_like(position), *cuts, (position == 0).double()]
    taps = torch.stack([high - low for low, high in pairwise(cuts)]).float()
    return convolve(noise, taps).transpose(0, 1).contiguous()


def _white_noise(rate: int, second: int) -> Tensor:
    return torch.randn(2, rate, generator=torch.Generator().manual_seed(second))
