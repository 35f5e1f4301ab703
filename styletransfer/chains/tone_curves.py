"""The shapes that the bands of an equalizer can take: the console's, and those of other equalizers.

Every shape turns the same bands, gains in dB at frequencies with a Q and shelves at both ends, into a
response. What a shape needs beyond that it draws from the example's seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from styletransfer.converter import fx

from .seeding import uniform

_NEPER = math.log(10) / 20
_WIGGLE_DB = 1.5
_WIGGLES = 9
_CEPSTRUM = 8192

Curve = Callable[[Tensor, Tensor, Tensor, Tensor, int, list[int]], Tensor]
"""(gain_db, frequency_hz, q, each (batch, bands), frequencies_hz (points,), rate, seeds) → (batch,
points)."""


def cookbook(
    gain_db: Tensor, frequency_hz: Tensor, q: Tensor, frequencies_hz: Tensor, rate: int, seeds: list[int]
) -> Tensor:
    """The console's: shelves and peaks of second order, minimum phase; `fx.equalize`."""
    return fx.equalizer_response(frequencies_hz, rate, gain_db=gain_db, frequency_hz=frequency_hz, q=q)


def linear_phase(
    gain_db: Tensor, frequency_hz: Tensor, q: Tensor, frequencies_hz: Tensor, rate: int, seeds: list[int]
) -> Tensor:
    """The console's curve without its phase, as linear-phase equalizers have it, aligned in time."""
    return cookbook(gain_db, frequency_hz, q, frequencies_hz, rate, seeds).abs()


def bells(
    gain_db: Tensor, frequency_hz: Tensor, q: Tensor, frequencies_hz: Tensor, rate: int, seeds: list[int]
) -> Tensor:
    """Gaussian bells and logistic shelves over the logarithm of frequency, zero phase."""
    octaves = _octaves(frequencies_hz) - torch.log2(frequency_hz).unsqueeze(-1)  # (batch, bands, points)
    sharp = q.clamp(0.3, 4).unsqueeze(-1)
    bell = torch.exp(-(octaves * sharp).square() * 1.4)
    low = torch.sigmoid(-4 * sharp[:, :1] * octaves[:, :1])
    high = torch.sigmoid(4 * sharp[:, -1:] * octaves[:, -1:])
    shapes = torch.cat((low, bell[:, 1:-1], high), dim=1)
    return torch.exp(_NEPER * (gain_db.unsqueeze(-1) * shapes).sum(1))


def drawn(
    gain_db: Tensor, frequency_hz: Tensor, q: Tensor, frequencies_hz: Tensor, rate: int, seeds: list[int]
) -> Tensor:
    """A smooth line through the gains, as drawn by hand, with slight wiggles; minimum phase for
    half of the seeds, zero phase for the others. Q counts for nothing."""
    position = _octaves(frequencies_hz)
    knots, order = torch.log2(frequency_hz).sort(1)
    level_db = _smooth_line(knots, gain_db.gather(1, order), position)
    chance = uniform(seeds, 2 + _WIGGLES, like=gain_db)
    spread = math.log2(20.0) + torch.arange(_WIGGLES, device=position.device) * (10 / (_WIGGLES - 1))
    bumps = torch.exp(-(position - spread[:, None]).square())
    level_db = level_db + _WIGGLE_DB * (2 * chance[:, 2:] - 1) @ bumps.to(gain_db)
    magnitude = torch.exp(_NEPER * level_db)
    minimum = _minimum_phase(level_db * _NEPER, frequencies_hz, rate)
    return torch.where(chance[:, :1] < 0.5, minimum, magnitude.to(minimum.dtype))


def graphic(
    gain_db: Tensor, frequency_hz: Tensor, q: Tensor, frequencies_hz: Tensor, rate: int, seeds: list[int]
) -> Tensor:
    """Ten fixed bands about an octave apart that come near the console's curve: a graphic equalizer."""
    centres_hz = 31.25 * 2 ** torch.arange(10, dtype=frequencies_hz.dtype, device=frequencies_hz.device)
    centres_hz[-1] = 12_000
    faders_db = 20 * torch.log10(cookbook(gain_db, frequency_hz, q, centres_hz, rate, seeds).abs() + 1e-6)
    full = (len(gain_db), 10)
    qs = torch.full(full, 1.41).to(faders_db)
    qs[:, [0, -1]] = 0.71  # the outermost are shelves
    return fx.equalizer_response(
        frequencies_hz,
        rate,
        gain_db=faders_db,
        frequency_hz=centres_hz.expand(full),
        q=qs,
    )


def passes(
    gain_db: Tensor, frequency_hz: Tensor, q: Tensor, frequencies_hz: Tensor, rate: int, seeds: list[int]
) -> Tensor:
    """Cuts at both ends are Butterworth high- and low-passes of first to fourth order, boosts there are
    first-order tilts, and the Q of the peaks in between grows with their gain."""
    chance = uniform(seeds, 2, like=gain_db)
    order = 1 + (chance * 4).floor().clamp(max=3)
    middle = fx.equalizer_response(
        frequencies_hz,
        rate,
        gain_db=torch.nn.functional.pad(gain_db[:, 1:-1], (1, 1)),
        frequency_hz=frequency_hz,
        q=(q * (0.5 + gain_db.abs() / 10)).clamp(0.1, 4),
    )
    ratio = (frequencies_hz.clamp(min=1.0) / frequency_hz[:, [0, -1]].unsqueeze(-1)).clamp(1e-3, 1e3)
    outward = torch.stack((1 / ratio[:, 0], ratio[:, 1]), dim=1)  # grows towards the ends
    end_db = gain_db[:, [0, -1]].unsqueeze(-1)
    power = (1 + outward ** (2 * order.unsqueeze(-1))).clamp(max=10 ** (_depth_db(end_db) / 10))
    share = outward.square() / (1 + outward.square())
    tilt = 1 + (torch.exp(2 * _NEPER * end_db) - 1) * share
    ends = torch.where(end_db < 0, power.rsqrt(), tilt.clamp(min=1e-3).sqrt()).prod(1)
    return middle * ends


def _depth_db(end_db: Tensor) -> Tensor:
    """How far a pass cuts at most: three times what the band asked for."""
    return (-3 * end_db).clamp(min=0.1)


CURVES: dict[str, Curve] = {
    "console": cookbook,
    "linear_phase": linear_phase,
    "bells": bells,
    "drawn": drawn,
    "graphic": graphic,
    "passes": passes,
}
"""Implementation → shape; the console's comes first."""


def _octaves(frequencies_hz: Tensor) -> Tensor:
    return torch.log2(frequencies_hz.clamp(min=5.0))


def _smooth_line(knots: Tensor, levels: Tensor, position: Tensor) -> Tensor:
    """(batch, points): from knot (batch, knots) to knot along half a cosine, level outside."""
    place = position.expand(len(knots), -1).contiguous()
    index = torch.searchsorted(knots.contiguous(), place).clamp(1, knots.shape[1] - 1)
    left, right = knots.gather(1, index - 1), knots.gather(1, index)
    share = ((place - left) / (right - left).clamp(min=1e-3)).clamp(0, 1)
    eased = share.square() * (3 - 2 * share)
    start, end = levels.gather(1, index - 1), levels.gather(1, index)
    return start + (end - start) * eased


def _minimum_phase(log_magnitude: Tensor, frequencies_hz: Tensor, rate: int) -> Tensor:
    """The causal response of such a magnitude, both (batch, points), by folding its cepstrum.

    Source   Oppenheim & Schafer, "Discrete-Time Signal Processing", ch. 13.
    """
    even = torch.arange(_CEPSTRUM // 2 + 1, device=frequencies_hz.device) * (rate / _CEPSTRUM)
    cepstrum = torch.fft.irfft(_read(log_magnitude, frequencies_hz, even), _CEPSTRUM)
    fold = torch.zeros_like(cepstrum[0])
    fold[0], fold[1 : _CEPSTRUM // 2], fold[_CEPSTRUM // 2] = 1, 2, 1
    phase = _read(torch.fft.rfft(cepstrum * fold).imag, even, frequencies_hz)
    return torch.polar(torch.exp(log_magnitude), phase)


def _read(values: Tensor, at: Tensor, wanted: Tensor) -> Tensor:
    """Straight lines through values (batch, points) at increasing places, read at other places."""
    index = torch.searchsorted(at, wanted.to(at)).clamp(1, len(at) - 1)
    share = ((wanted - at[index - 1]) / (at[index] - at[index - 1])).clamp(0, 1)
    return torch.lerp(values[:, index - 1], values[:, index], share.to(values))
