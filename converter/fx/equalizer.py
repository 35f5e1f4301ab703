"""The parametric equalizer: a low shelf, peaks and a high shelf, on left/right or on mid/side.

Each band is the analog prototype of R. Bristow-Johnson's "Cookbook formulae for audio EQ
biquad filter coefficients" under the bilinear transform. The differentiable path evaluates
the prototypes on the FFT's bins, the renderer turns the same prototypes into biquads. Band
frequencies above 0.45 times the rate are moved down to it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.fft import next_fast_len
from scipy.signal import sosfilt
from torch import Tensor

from .arguments import BandParameter, check_stereo, per_band

HIGHEST_FREQUENCY = 0.45
"""Band frequencies are clamped to this share of the rate."""

_LONGEST_TAIL_S = 4.0
_TAIL = math.log(1e-6)


class Bands(NamedTuple):
    """An equalizer's setting, one value per band from low to high; first and last are shelves."""

    gain_db: BandParameter
    frequency_hz: BandParameter
    q: BandParameter


def equalize(
    samples: Tensor, rate: int, *, gain_db: BandParameter, frequency_hz: BandParameter, q: BandParameter
) -> Tensor:
    """Filter both channels alike with a low shelf, peaks and a high shelf.

    samples       (batch, 2, time).
    gain_db       (bands,) or (batch, bands), at least 2 bands; 0 dB leaves its band alone.
    frequency_hz  centre of a peak, mid-slope of a shelf.
    q             peaks: centre over bandwidth between half-gain points; shelves: 0.71 is the
                  steepest without overshoot.
    Surprise      ringing that outlasts 4 s (a q of hundreds) wraps around.
    """
    check_stereo(samples)
    prototypes = _prototypes(Bands(gain_db, frequency_hz, q), rate, samples)
    return _filter(samples, prototypes)


def mid_side_equalize(samples: Tensor, rate: int, *, mid: Bands, side: Bands) -> Tensor:
    """Filter the mid and the side signal, each with its own bands; see `equalize`."""
    check_stereo(samples)
    left, right = samples[:, 0], samples[:, 1]
    filtered_mid = _filter((left + right)[:, None] / 2, _prototypes(mid, rate, samples))
    filtered_side = _filter((left - right)[:, None] / 2, _prototypes(side, rate, samples))
    return torch.cat((filtered_mid + filtered_side, filtered_mid - filtered_side), dim=1)


def equalizer_response_db(
    frequencies_hz: Tensor,
    rate: int,
    *,
    gain_db: BandParameter,
    frequency_hz: BandParameter,
    q: BandParameter,
) -> Tensor:
    """The equalizer's gain in dB at frequencies (points,): (points,), or (batch, points) for a batch."""
    real, imaginary = _response(
        _prototypes(Bands(gain_db, frequency_hz, q), rate, frequencies_hz), frequencies_hz * (math.pi / rate)
    )
    power = real.square() + imaginary.square()
    return (10 * torch.log10(power[0] / power[1])).sum(-2)


def equalizer_response(
    frequencies_hz: Tensor,
    rate: int,
    *,
    gain_db: BandParameter,
    frequency_hz: BandParameter,
    q: BandParameter,
) -> Tensor:
    """The equalizer's complex response at frequencies (points,): (points,), or (batch, points)."""
    response = torch.complex(
        *_response(
            _prototypes(Bands(gain_db, frequency_hz, q), rate, frequencies_hz),
            frequencies_hz * (math.pi / rate),
        )
    )
    product: Tensor = (response[0] / response[1]).prod(-2)
    return product


class Equalizer:
    """Renders `equalize` block by block; bands at 0 dB cost nothing."""

    latency = 0

    def __init__(
        self, rate: int, *, gain_db: BandParameter, frequency_hz: BandParameter, q: BandParameter
    ) -> None:
        self._sections = _sections(Bands(gain_db, frequency_hz, q), rate)
        self._state = np.zeros((len(self._sections), 2, 2))

    def process(self, block: Tensor) -> Tensor:
        if len(self._sections) == 0:
            return block
        filtered, self._state = sosfilt(self._sections, block.double().numpy(), zi=self._state)
        return torch.from_numpy(filtered).to(block.dtype)


class MidSideEqualizer:
    """Renders `mid_side_equalize` block by block; bands at 0 dB cost nothing."""

    latency = 0

    def __init__(self, rate: int, *, mid: Bands, side: Bands) -> None:
        self._sections = [_sections(bands, rate) for bands in (mid, side)]
        self._states = [np.zeros((len(sections), 2)) for sections in self._sections]

    def process(self, block: Tensor) -> Tensor:
        if not any(len(sections) for sections in self._sections):
            return block
        left, right = block.double().numpy()
        signals = [(left + right) / 2, (left - right) / 2]
        for index, sections in enumerate(self._sections):
            if len(sections):
                signals[index], self._states[index] = sosfilt(
                    sections, signals[index], zi=self._states[index]
                )
        mid, side = signals
        return torch.from_numpy(np.stack((mid + side, mid - side))).to(block.dtype)


class _Prototypes(NamedTuple):
    """Polynomials in s of the bands, the band's frequency at s = 1j."""

    coefficients: Tensor  # (numerator and denominator, s², s¹ and s⁰, ..., bands)
    half_angle: Tensor  # (..., bands): ω/2 of the band


def _prototypes(bands: Bands, rate: int, like: Tensor) -> _Prototypes:
    gain_db, frequency_hz, q = torch.broadcast_tensors(*(per_band(value, like) for value in bands))
    if gain_db.ndim not in (1, 2) or gain_db.shape[-1] < 2:
        raise ValueError(
            f"an equalizer takes (bands,) or (batch, bands), 2 or more, not {tuple(gain_db.shape)}"
        )
    root = torch.exp(gain_db * (math.log(10) / 40))  # square root of the linear gain
    low, peak, high = root[..., :1], root[..., 1:-1], root[..., -1:]
    slope = torch.cat((low.sqrt() / q[..., :1], high.sqrt() / q[..., -1:]), dim=-1)
    one = torch.ones_like(peak)
    numerator = (
        torch.cat((low, one, high * high), dim=-1),
        torch.cat((low * slope[..., :1], peak / q[..., 1:-1], high * slope[..., 1:]), dim=-1),
        torch.cat((low * low, one, high), dim=-1),
    )
    denominator = (
        torch.cat((low, one, torch.ones_like(high)), dim=-1),
        torch.cat((slope[..., :1], 1 / (peak * q[..., 1:-1]), slope[..., 1:]), dim=-1),
        torch.cat((torch.ones_like(low), one, high), dim=-1),
    )
    clamped = frequency_hz.clamp(max=HIGHEST_FREQUENCY * rate)
    return _Prototypes(
        torch.stack((torch.stack(numerator), torch.stack(denominator))), clamped * (math.pi / rate)
    )


def _response(prototypes: _Prototypes, half_angles: Tensor) -> tuple[Tensor, Tensor]:
    """Real and imaginary part, each (numerator and denominator, ..., bands, points), at ω/2.

    The bilinear transform puts s = j·tan(ω/2)/tan(ω₀/2); both polynomials are multiplied by
    (cos(ω/2)·sin(ω₀/2))², so that the Nyquist frequency stays finite.
    """
    band = prototypes.half_angle.unsqueeze(-1)
    above, below = torch.sin(half_angles) * torch.cos(band), torch.cos(half_angles) * torch.sin(band)
    square, linear, constant = prototypes.coefficients.unsqueeze(-1).unbind(1)
    return constant * below.square() - square * above.square(), linear * above * below


def _filter(samples: Tensor, prototypes: _Prototypes) -> Tensor:
    """Filter (batch, channels, time), zero-padded until the ringing is 120 dB down."""
    frames = samples.shape[-1]
    size = next_fast_len(frames + _tail_frames(prototypes), real=True)
    bins = torch.arange(size // 2 + 1, dtype=samples.dtype, device=samples.device)
    response = torch.complex(*_response(prototypes, bins * (math.pi / size)))
    response = (response[0] / response[1]).prod(-2)
    spectrum = torch.fft.rfft(samples, size)
    filtered: Tensor = torch.fft.irfft(spectrum * response.unsqueeze(-2), size)
    return filtered[..., :frames]


def _tail_frames(prototypes: _Prototypes) -> int:
    """Frames until the slowest pole has decayed by 120 dB."""
    _, denominator = _biquads(_Prototypes(*(value.detach().double() for value in prototypes)))
    _, first, second = (denominator / denominator[:1]).unbind(0)
    discriminant = first.square() / 4 - second
    complex_radius = second.clamp(min=0).sqrt()
    real_radius = first.abs() / 2 + discriminant.clamp(min=0).sqrt()
    radius = torch.where(discriminant < 0, complex_radius, real_radius).max().clamp(max=1 - 1e-7)
    return math.ceil(_TAIL / math.log(float(radius)))


def _biquads(prototypes: _Prototypes) -> tuple[Tensor, Tensor]:
    """Numerator and denominator in z⁻¹, each (3, ..., bands)."""
    warp = torch.tan(prototypes.half_angle)
    square, linear, constant = prototypes.coefficients.unbind(1)
    linear, constant = linear * warp, constant * warp.square()
    digital = torch.stack(
        (square + linear + constant, 2 * (constant - square), square - linear + constant), dim=1
    )
    return digital[0], digital[1]


def _sections(bands: Bands, rate: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Second-order sections for scipy of the bands that do something."""
    prototypes = _prototypes(bands, rate, torch.zeros(1, dtype=torch.float64))
    numerator, denominator = _biquads(prototypes)
    if numerator.ndim != 2:
        raise ValueError("the renderer takes one setting, not a batch")
    sections = torch.cat((numerator / denominator[0], denominator / denominator[0])).T
    active = per_band(bands.gain_db, prototypes.half_angle).expand(len(sections)) != 0
    return np.ascontiguousarray(sections[active].numpy())
