"""How loud is each stem in a song? A rough balance: as rendered, kept within what mixes have."""

from __future__ import annotations

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


def balanced(stems: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Instruments (2, frames) at their own balance, moved by 1.5 dB at random and into plausible ranges."""
    lufs = {name: integrated_lufs(samples, RATE) for name, samples in stems.items()}
    anchor = lufs.get("other", max(lufs.values()))
    result = {}
    for name in STEMS:
        if name not in stems:
            continue
        gain_db = 1.5 * float(torch.randn((), generator=generator))
        if name in _RANGES_LU and lufs[name] > -70 and "other" in stems:
            least, most = _RANGES_LU[name]
            gain_db += min(max(lufs[name] - anchor, least), most) - (lufs[name] - anchor)
        result[name] = stems[name] * 10 ** (gain_db / 20)
    return result


def with_vocals(stems: dict[str, Tensor], vocals: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """The song with a voice at a level drawn from −6 to 1 LU against the accompaniment."""
    least, most = _VOCALS_LU
    wanted = least + (most - least) * float(torch.rand((), generator=generator))
    accompaniment = integrated_lufs(torch.stack([*stems.values()]).sum(0), RATE)
    gain_db = accompaniment + wanted - integrated_lufs(vocals, RATE)
    return {**stems, "vocals": vocals * 10 ** (gain_db / 20)}


def at_peak(stems: dict[str, Tensor]) -> dict[str, Tensor]:
    """All stems by one factor, so that the mix peaks at −1 dBFS and no stem above that."""
    mix = torch.stack([*stems.values()]).sum(0)
    highest = max(float(samples.abs().max()) for samples in (mix, *stems.values()))
    return {name: samples * (PEAK / highest) for name, samples in stems.items()} if highest > 0 else stems


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
