"""How rooms answer a click: responses of many kinds, set by the same decay, damping and pre-delay.

Each is a function (rate, size, values, seeds) → spectrum (batch, 2, size/2 + 1) of a response that is at
most `size` long, of any energy.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from .seeding import uniform

Values = dict[str, Tensor]
Room = Callable[[int, int, Values, list[int]], Tensor]

_EDGES_HZ = (1000.0, 4000.0, 8000.0)
_DAMPED = (0.0, 0.35, 0.65, 0.9)
_SIXTY_DB = math.log(1000.0)
_LONGEST_S = 4.5
_PIECE = 64


def hall(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """The console's: exponentially decaying noise, highs dying faster; in four bands, ending at −60 dB.

    Source   J. A. Moorer, "About this reverberation business", Computer Music Journal 3(2), 1979.
    """
    return _placed(_noise_tail(rate, size, values, [0] * len(seeds)), values, rate, size)


def chamber(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """Noise of the seed's own that builds up before it decays; alike in both channels for a third."""
    chance = uniform(seeds, 3, values["decay_s"])
    tail = _noise_tail(rate, size, values, seeds)
    time_s = torch.arange(tail.shape[-1], dtype=tail.dtype, device=tail.device) / rate
    tail = tail * (1 - torch.exp(-time_s / (0.002 + 0.05 * chance[:, :1])))[:, None]
    alike = (chance[:, 1] < 1 / 3)[:, None, None]
    return _placed(torch.where(alike, tail[:, :1], tail), values, rate, size)


def velvet(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """Few pulses at random instead of noise, 200 to 2,000 per second, through a low-pass: small and grainy.

    Source   "velvet noise", Karjalainen & Järveläinen, AES 30th conf., 2007.
    """
    rows = []
    for decay_s, seed in zip(values["decay_s"].tolist(), seeds, strict=True):
        generator = Generator().manual_seed(seed)
        density = 200 * 10 ** float(torch.rand((), generator=generator))
        pulses = max(8, int(density * min(decay_s, size / rate)))
        spot = (torch.arange(pulses) + torch.rand(2, pulses, generator=generator)) * (rate / density)
        sign = torch.randint(0, 2, (2, pulses), generator=generator) * 2 - 1
        rows.append((spot.long(), sign * torch.exp(-_SIXTY_DB * spot / rate / decay_s)))
    return _pulses(rows, values, rate, size)


def early(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """A dozen or two of reflections within a tenth of the decay time, and nothing after them: a booth."""
    rows = []
    for decay_s, seed in zip(values["decay_s"].tolist(), seeds, strict=True):
        generator = Generator().manual_seed(seed)
        count = int(torch.randint(8, 25, (), generator=generator))
        span_s = min(0.02 + 0.1 * decay_s, size / rate)
        spot_s = torch.rand(2, count, generator=generator) * span_s
        level = torch.randn(2, count, generator=generator) * torch.exp(-2 * spot_s / span_s)
        rows.append(((spot_s * rate).long(), level))
    return _pulses(rows, values, rate, size)


def combs(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """Six parallel combs per channel, each followed by its own echo: metallic, as early digital reverbs.

    Source   M. R. Schroeder, "Natural sounding artificial reverberation", JAES 10(3), 1962.
    """
    rows = []
    for decay_s, seed in zip(values["decay_s"].tolist(), seeds, strict=True):
        generator = Generator().manual_seed(seed)
        delay_s = 0.025 + 0.03 * torch.rand(2, 6, 1, 1, generator=generator)
        echo_s = 0.001 + 0.008 * torch.rand(2, 6, 1, 1, generator=generator)
        turns = torch.arange(max(2, int(min(decay_s, size / rate) / 0.04))).reshape(1, 1, -1, 1)
        spot_s = delay_s * (1 + turns) + echo_s * torch.arange(3)
        level = torch.exp(-_SIXTY_DB * spot_s / decay_s) * torch.tensor([-0.7, 0.5, 0.35])
        rows.append(((spot_s.reshape(2, -1) * rate).long(), level.reshape(2, -1)))
    return _pulses(rows, values, rate, size)


def gated(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """Noise that stays loud and is cut off after a quarter of the decay time, as on drums of the eighties."""
    slow = values | {"decay_s": (4 * values["decay_s"]).clamp(max=_LONGEST_S)}
    longest = max(_PIECE, min(size, round(0.25 * rate * float(values["decay_s"].max()))))
    tail = _noise_tail(rate, size, slow, seeds)[..., :longest]
    time_s = torch.arange(tail.shape[-1], dtype=tail.dtype, device=tail.device) / rate
    left = (0.25 * values["decay_s"][:, None] - time_s) / 0.01
    return _placed(tail * left.clamp(0, 1)[:, None], values, rate, size)


def echo(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """Repeats every 70 to 400 ms that fall by 60 dB within the decay time, ever duller; the two channels
    together or in turn."""
    chance = uniform(seeds, 2, values["decay_s"])
    delay_s = 0.07 * 6 ** chance[:, :1]
    angle = torch.arange(size // 2 + 1, device=delay_s.device) * (2 * math.pi * rate / size)
    dull = torch.rsqrt(1 + (angle / (2 * math.pi * _corner_hz(values)[:, None])).square())
    fall = dull * torch.exp(-_SIXTY_DB * delay_s / values["decay_s"][:, None]).clamp(max=0.8)
    phase = torch.remainder(angle.double() * delay_s.double(), 2 * math.pi).to(fall)
    turn = torch.polar(fall, -phase)
    left = turn / (1 - turn)
    right = torch.where(chance[:, 1:] < 0.5, left * turn, left)
    return torch.stack((left, right), dim=1)


ROOMS: dict[str, Room] = {
    "console": hall,
    "chamber": chamber,
    "velvet": velvet,
    "early": early,
    "combs": combs,
    "gated": gated,
    "echo": echo,
}
"""Implementation → room; the console's comes first."""


def _noise_tail(rate: int, size: int, values: Values, seeds: list[int]) -> Tensor:
    """(batch, 2, time): noise whose bands decay by 60 dB within the decay time or less.

    A seed moves the place at which the noise begins; 0 is the console's.
    """
    decay_s = values["decay_s"]
    frames = min(size, math.ceil(float(decay_s.max()) * rate))
    pieces = -(-frames // _PIECE)
    bank = _noise_bands(rate, str(decay_s.device))
    lengths = [_PIECE * math.ceil(min(size, each * rate) / _PIECE) for each in decay_s.tolist()]
    starts = [seed % (bank.shape[-1] - length) for seed, length in zip(seeds, lengths, strict=True)]
    place = torch.arange(pieces, dtype=decay_s.dtype, device=decay_s.device) * _PIECE
    within = torch.arange(_PIECE, dtype=decay_s.dtype, device=decay_s.device)
    response = torch.zeros(len(seeds), 2, pieces * _PIECE, dtype=decay_s.dtype, device=decay_s.device)
    for band, damped in zip(bank, _DAMPED, strict=True):
        speed = (_SIXTY_DB / rate) / (decay_s * (1 - values["damping"] * damped))
        envelope = (
            torch.exp(-speed[:, None] * place)[..., None] * torch.exp(-speed[:, None] * within)[:, None]
        )
        fall = envelope.flatten(1).unsqueeze(1)
        for row, start, length, level in zip(response, starts, lengths, fall, strict=True):
            row[:, :length].addcmul_(band[:, start : start + length], level[:, :length])
    return response


def _placed(response: Tensor, values: Values, rate: int, size: int) -> Tensor:
    """The spectrum of a response (batch, 2, time) after the pre-delay."""
    room = torch.zeros(len(response), 2, size, dtype=response.dtype, device=response.device)
    for row, source, delay_ms in zip(room, response, values["predelay_ms"].tolist(), strict=True):
        delay = min(round(delay_ms / 1000 * rate), size - 1)
        kept = min(source.shape[-1], size - delay)
        row[:, delay : delay + kept] = source[:, :kept]
    spectrum: Tensor = torch.fft.rfft(room)
    return spectrum


def _pulses(rows: list[tuple[Tensor, Tensor]], values: Values, rate: int, size: int) -> Tensor:
    """The spectrum of pulses, per example places and levels (2, pulses), dulled by the damping."""
    room = torch.zeros(len(rows), 2, size)
    for row, (spot, level), delay_ms in zip(room, rows, values["predelay_ms"].tolist(), strict=True):
        row.scatter_add_(1, (spot + round(delay_ms / 1000 * rate)) % size, level.to(row))
    like = values["decay_s"]
    frequencies_hz = torch.arange(size // 2 + 1, dtype=like.dtype, device=like.device) * (rate / size)
    dull = 1 / (1 + (frequencies_hz / _corner_hz(values)[:, None]).square())
    spectrum: Tensor = torch.fft.rfft(room.to(like)) * dull[:, None]
    return spectrum


def _corner_hz(values: Values) -> Tensor:
    """Where the dull low-pass of a room begins: 16 kHz without damping, 1 kHz with all of it."""
    return 16_000 * 16 ** -values["damping"]


@functools.lru_cache(maxsize=2)
@torch.inference_mode(False)
def _noise_bands(rate: int, device: str) -> Tensor:
    """(bands, 2, time): white noise, always the same, split at the edges; the bands add up to it."""
    frames = round((_LONGEST_S + 1.5) * rate)
    noise = torch.randn(2, frames, generator=Generator().manual_seed(0))
    spectrum = torch.fft.rfft(noise)
    octaves = torch.log2(torch.fft.rfftfreq(frames, 1 / rate).clamp(min=1.0))
    below = [torch.sigmoid(-12 * (octaves - math.log2(edge))) for edge in _EDGES_HZ]
    cuts = [torch.zeros_like(octaves), *below, torch.ones_like(octaves)]
    bands = torch.stack(
        [torch.fft.irfft(spectrum * (cuts[i + 1] - cuts[i]), frames) for i in range(len(cuts) - 1)]
    )
    return bands.to(device)
