"""How loud is each stem in a song? A rough balance: as rendered, kept within what mixes have."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.signal import butter, sosfilt
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.encoder.loudness import integrated_lufs

from .folder import RATE

PEAK = 0.89
"""Of a song's mix, and of each of its stems at most: −1 dBFS."""

_RANGES_LU = {"drums": (-9.0, 4.0), "bass": (-11.0, 3.0)}
"""Where drums and bass lie against `other`; an engineering judgement, wider than finished mixes."""
_VOCALS_LU = (-6.0, 1.0)
"""Where a voice lies against all that accompanies it."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A stem (2, frames) at 44.1 kHz and its integrated loudness in LUFS, which moves with each gain."""

    samples: Tensor
    lufs: float

    @classmethod
    def measured(cls, samples: Tensor) -> Part:
        return cls(samples, integrated_lufs(samples, RATE))

    def by(self, gain_db: float) -> Part:
        return Part(self.samples * 10 ** (gain_db / 20), self.lufs + gain_db)


def balanced(stems: dict[str, Part], generator: torch.Generator) -> dict[str, Part]:
    """Instruments at their own balance, moved by 1.5 dB at random and into plausible ranges."""
    anchor = stems["other"].lufs if "other" in stems else max(part.lufs for part in stems.values())
    result = {}
    for name in STEMS:
        if name not in stems:
            continue
        gain_db = 1.5 * float(torch.randn((), generator=generator))
        if name in _RANGES_LU and stems[name].lufs > -70 and "other" in stems:
            least, most = _RANGES_LU[name]
            above = stems[name].lufs - anchor
            gain_db += min(max(above, least), most) - above
        result[name] = stems[name].by(gain_db)
    return result


def with_vocals(stems: dict[str, Part], vocals: Part, generator: torch.Generator) -> dict[str, Part]:
    """The song with a voice at a level drawn from −6 to 1 LU against the accompaniment."""
    least, most = _VOCALS_LU
    wanted = least + (most - least) * float(torch.rand((), generator=generator))
    accompaniment = integrated_lufs(_mix(stems), RATE)
    return {**stems, "vocals": vocals.by(accompaniment + wanted - vocals.lufs)}


def at_peak(stems: dict[str, Part]) -> dict[str, Part]:
    """All stems by one factor, so that the mix peaks at −1 dBFS and no stem above that."""
    sounds = (_mix(stems), *(part.samples for part in stems.values()))
    highest = max(float(torch.linalg.vector_norm(samples, math.inf)) for samples in sounds)
    gain_db = 20 * math.log10(PEAK / highest) if highest > 0 else 0.0
    return {name: part.by(gain_db) for name, part in stems.items()}


def _mix(stems: dict[str, Part]) -> Tensor:
    return sum((part.samples for part in stems.values()), torch.zeros(()))


def without_edges(samples: Tensor) -> Tensor:
    """(2, frames) without offset (a first-order high-pass at 5 Hz), faded out over 50 ms: the stretch is cut.

    Silence stays silence.
    """
    high_pass = butter(1, 5, "highpass", fs=RATE, output="sos")
    samples = torch.from_numpy(sosfilt(high_pass, samples.numpy()).astype(np.float32))
    samples[samples.abs() < 1e-6] = 0
    tail = min(RATE // 20, samples.shape[-1])
    samples[:, samples.shape[-1] - tail :] *= torch.linspace(1, 0, tail)
    return samples
