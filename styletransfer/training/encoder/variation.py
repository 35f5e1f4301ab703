"""Contents made unlike themselves before any chain, so that an encoder can't know the music by heart."""

from __future__ import annotations

import numpy as np
import soxr
import torch
from torch import Generator, Tensor

from styletransfer.corpus.folder import RATE

MOST_SEMITONES = 3.0
"""How far speed, and pitch with it, moves either way."""

MOST_STRETCH = 2 ** (MOST_SEMITONES / 12)
"""So much more of a song than an excerpt's length is needed at the most."""

_TONE_DB = 2.0
_WIDTH_DB = 4.0
_LIKELY = 0.6
_CURVE = 200


def varied(generator: Generator, samples: Tensor, frames: int) -> Tensor:
    """An excerpt (…, 2, frames) of (…, 2, ≥ MOST_STRETCH · frames): at another speed and pitch, with a mild
    tone curve, its channels swapped, narrower or wider; each with a probability, and by a random amount.
    Several stems of a song are varied alike."""
    semitones = _even(generator, MOST_SEMITONES) if _maybe(generator) else 0.0
    if semitones:
        speed = 2 ** (semitones / 12)
        taken = samples[..., : round(frames * speed) + 1].flatten(0, -2).T.numpy()
        resampled = np.ascontiguousarray(soxr.resample(taken, RATE * speed, RATE).T)
        samples = torch.from_numpy(resampled).unflatten(0, samples.shape[:-1])
    samples = torch.nn.functional.pad(samples, (0, frames - samples.shape[-1]))[..., :frames]
    if _maybe(generator):
        samples = samples.flip(-2)
    if _maybe(generator):
        samples = _toned(generator, samples)
    if _maybe(generator):
        mid, side = samples.sum(-2) / 2, (samples[..., 0, :] - samples[..., 1, :]) / 2
        side = side * 10 ** (_even(generator, _WIDTH_DB) / 20)
        samples = torch.stack((mid + side, mid - side), -2)
    return samples


def _toned(generator: Generator, samples: Tensor) -> Tensor:
    """Through a smooth curve of four random bumps over the ERB-rate scale; linear phase."""
    centre, height, width = torch.rand(3, 4, 1, generator=generator)
    place = torch.linspace(0, 1, _CURVE)
    bumps = (2 * height - 1) * torch.exp(-((place - centre) / (0.06 * 6**width)).square() / 2)
    curve_db = 2 * _TONE_DB * bumps.sum(0)
    spectrum = torch.fft.rfft(samples)
    frequency_hz = torch.linspace(0, RATE / 2, spectrum.shape[-1])
    erb = torch.log10(1 + 0.00437 * frequency_hz)
    where = erb / erb[-1] * (_CURVE - 1)
    below = where.long().clamp(max=_CURVE - 2)
    gain_db = torch.lerp(curve_db[below], curve_db[below + 1], where - below)
    toned: Tensor = torch.fft.irfft(spectrum * 10 ** (gain_db / 20), n=samples.shape[-1])
    return toned


def _maybe(generator: Generator) -> bool:
    return float(torch.rand((), generator=generator)) < _LIKELY


def _even(generator: Generator, most: float) -> float:
    """A number drawn evenly from −most to most."""
    return most * (2 * float(torch.rand((), generator=generator)) - 1)
