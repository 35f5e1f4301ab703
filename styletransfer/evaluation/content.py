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
from styletransfer.encoder.content import Content

from .af import as_stereo
from .sound import RATE

FILTER_TAPS = 512


@dataclass(frozen=True, slots=True)
class ContentKept:
    """How much of the input's content is left.

    onsets     correlation of spectral flux, 10 ms apart, in [-1, 1].
    chroma     correlation of the pitch classes' shares over time, where the input sounds, in [-1, 1].
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
    mine, other = (as_stereo(sound.samples[:, :frames]) for sound in (output, source))
    after, before = Content(mine, RATE), Content(other, RATE)
    return ContentKept(
        onsets=after.onsets_kept(before),
        chroma=after.chroma_kept(before),
        si_sdr_db=_filtered_sdr_db(mine.mean(0), other.mean(0)),
    )


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
