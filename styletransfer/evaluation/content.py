"""Is it still the same music? Onsets, harmony and waveform of a result against its input.

A system that repaints the music has failed, however close its style.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
from scipy.fft import next_fast_len
from scipy.linalg import solve_toeplitz
from torch import Tensor

from styletransfer.audio import Audio

from .af import as_stereo
from .sound import RATE

FFT = 4096
HOP = RATE // 100
LOWEST_HZ, HIGHEST_HZ = 65.4, 2093.0
"""The octaves whose pitches count, C2 to C7."""
FILTER_TAPS = 512


@dataclass(frozen=True, slots=True)
class ContentKept:
    """How much of the input's content is left.

    onsets     correlation of spectral flux, 10 ms apart, in [-1, 1].
    chroma     correlation of the pitch classes' shares over time, in [-1, 1].
    si_sdr_db  what remains after the best filter of 512 taps on the input: nothing but an equalizer
               and a gain leaves this high.
    """

    onsets: float
    chroma: float
    si_sdr_db: float

    def figures(self) -> dict[str, float]:
        return asdict(self)


def content_kept(output: Audio, source: Audio) -> ContentKept:
    """Compare a result with its input, both at RATE and without a lag; the longer one is cut."""
    if output.rate != RATE or source.rate != RATE:
        raise ValueError(f"both sounds must be at {RATE} Hz, not {output.rate} and {source.rate}")
    frames = min(output.frames, source.frames)
    ours, theirs = (as_stereo(sound.samples[:, :frames]).mean(0) for sound in (output, source))
    mine, other = _magnitudes(ours), _magnitudes(theirs)
    return ContentKept(
        onsets=_correlation(_flux(mine), _flux(other)),
        chroma=_correlation(_chroma(mine), _chroma(other)),
        si_sdr_db=_filtered_sdr_db(ours, theirs),
    )


def _magnitudes(samples: Tensor) -> Tensor:
    """(frames, bins)."""
    window = torch.hann_window(FFT)
    return torch.stft(samples, FFT, HOP, window=window, pad_mode="constant", return_complex=True).abs().T


def _flux(magnitudes: Tensor) -> Tensor:
    return magnitudes.diff(dim=0).clamp(min=0).sum(-1)


def _chroma(magnitudes: Tensor) -> Tensor:
    """(frames, 12) shares of the pitch classes in each frame's magnitude."""
    hertz = torch.arange(1, FFT // 2 + 1) * RATE / FFT
    pitch = torch.round(12 * torch.log2(hertz / 440)).long() % 12
    heard = (hertz >= LOWEST_HZ) & (hertz <= HIGHEST_HZ)
    fold = torch.nn.functional.one_hot(pitch, 12).float() * heard[:, None]
    chroma = magnitudes[:, 1:] @ fold
    return chroma / chroma.sum(-1, keepdim=True).clamp(min=1e-6)


def _correlation(first: Tensor, second: Tensor) -> float:
    return float(torch.corrcoef(torch.stack((first.flatten(), second.flatten())))[0, 1])


def _filtered_sdr_db(output: Tensor, source: Tensor) -> float:
    """SDR of the output against its best fit by a causal-and-anticausal FIR of the source."""
    length = next_fast_len(len(source) + 2 * FILTER_TAPS, real=True)
    spectrum = torch.fft.rfft(source.double(), length)
    # half of the taps look ahead, so that a linear-phase equalizer costs nothing
    target = torch.fft.rfft(
        torch.roll(torch.nn.functional.pad(output.double(), (0, length - len(output))), FILTER_TAPS // 2)
    )
    auto = torch.fft.irfft(spectrum.abs().square(), length)[:FILTER_TAPS].numpy().copy()
    cross = torch.fft.irfft(target * spectrum.conj(), length)[:FILTER_TAPS].numpy()
    auto[0] *= 1 + 1e-9
    taps = solve_toeplitz(auto, cross)
    explained = float(np.dot(taps, cross))  # energy of the projection onto the filtered source
    total = float(output.double().square().sum())
    return 10 * math.log10(max(explained, 1e-30) / max(total - explained, 1e-12 * total, 1e-30))
