"""How stems are made to sound otherwise each time: overdrive and effects, then equalizers, level, image."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from styletransfer.chains import VARIED, draw_only
from styletransfer.corpus.folder import RATE

_EFFECTS = ("compressor", "reverb", "saturation", "limiter")
_CHAIN_RMS = 10 ** (-25 / 20)  # where the chains' thresholds bite
_SILENCE_RMS = 1e-4
_BUMPS, _BUMP_DB, _TILT_DB = 3, 5.0, 3.0
_LEVEL_DB = 3.0
_WIDEST = 1.6


def overdriven(samples: Tensor, generator: Generator) -> Tensor:
    """A stem (2, frames) through an amplifier: high-pass, up to 40 dB into a tanh, loudspeaker.

    As loud (RMS) as before. What General MIDI lacks most are distorted guitars.
    """
    rms = float(samples.square().mean().sqrt())
    if rms < _SILENCE_RMS:
        return samples
    drive_db, low_hz, high_hz = _between(generator, (12, 40), (60, 200), (3500, 9000))
    spectrum = torch.fft.rfft(samples)
    hertz = torch.fft.rfftfreq(samples.shape[1], 1 / RATE)
    driven = torch.fft.irfft(spectrum / (1 + (low_hz / hertz.clamp(min=1)) ** 4).sqrt(), samples.shape[1])
    driven = torch.tanh(driven * (10 ** (drive_db / 20) * _CHAIN_RMS / rms))
    cabinet = 1 / (1 + (hertz / high_hz) ** 8).sqrt()
    driven = torch.fft.irfft(torch.fft.rfft(driven) * cabinet, samples.shape[1])
    loud: Tensor = driven * (rms / driven.square().mean().sqrt().clamp(min=1e-9))
    return loud


def processed(samples: Tensor, stem: str, generator: Generator) -> Tensor:
    """A stem (2, frames) through one random effect of a mix, rendered by the console or another law."""
    effect = _EFFECTS[int(torch.randint(len(_EFFECTS), (), generator=generator))]
    chain = draw_only(generator, 1, (effect,), VARIED, stem)
    rms = float(samples.square().mean().sqrt())
    if rms < _SILENCE_RMS:
        return samples
    gain = _CHAIN_RMS / rms
    return chain.apply(samples[None] * gain, RATE)[0] / gain


def balanced(spectrum: Tensor, generator: Generator) -> Tensor:
    """A stem's spectrum (2, bins, frames, from 0 Hz up) with another tone, level and image."""
    shape = tone(spectrum.shape[1], generator) * 10 ** (_LEVEL_DB * _normal(generator) / 20)
    width, swapped, turned = torch.rand(3, generator=generator).tolist()
    left, right = spectrum.unbind(0)
    if swapped < 0.5:
        left, right = right, left
    mid, side = (left + right) / 2, (left - right) / 2 * (_WIDEST * width)
    angle = (turned - 0.5) * 0.4 * math.pi / 2  # constant power, ±4.3 dB between the sides at most
    gains = [math.sqrt(2) * math.cos(math.pi / 4 + angle), math.sqrt(2) * math.sin(math.pi / 4 + angle)]
    return torch.stack(((mid + side) * gains[0], (mid - side) * gains[1])) * shape[:, None]


def tone(bins: int, generator: Generator, rate: int = RATE, fft: int = 4096) -> Tensor:
    """Linear gains (bins,) of a smooth random equalizer: a tilt, and bumps on a logarithmic axis."""
    octaves = torch.log2((torch.arange(bins) * rate / fft).clamp(min=20) / 1000)
    gain_db = _TILT_DB * _normal(generator) / 5 * octaves
    for _ in range(_BUMPS):
        centre, width = _between(generator, (-4, 3.5), (0.5, 2))
        gain_db = gain_db + _BUMP_DB * _normal(generator) * torch.exp(-((octaves - centre) ** 2) / width**2)
    return 10 ** (gain_db.clamp(-15, 15) / 20)


def errs(voice: Tensor, accompaniment: Tensor, generator: Generator) -> Tensor:
    """The accompaniment's spectrum (2, bins, frames) as a voice stage that errs would leave it.

    The ratio of energies of voice and accompaniment, blurred over neighbours, too timid or too bold by bin.
    """
    power, timid = _between(generator, (0.6, 1.4), (0.0, 0.25))
    loud = voice.abs().square() ** power
    share = loud / (loud + accompaniment.abs().square() ** power).clamp(min=1e-12)
    share = torch.nn.functional.avg_pool2d(share[None], (5, 3), 1, (2, 1))[0] * (1 - timid)
    return (voice + accompaniment) * (1 - share)


def _normal(generator: Generator) -> float:
    return float(torch.randn((), generator=generator))


def _between(generator: Generator, *ranges: tuple[float, float]) -> list[float]:
    shares = torch.rand(len(ranges), generator=generator).tolist()
    return [low + (high - low) * share for share, (low, high) in zip(shares, ranges, strict=True)]
