"""What does a network do? Long-term spectra of some held-out stems: before, as they should be, after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.corpus.folder import RATE
from styletransfer.files import beside

KINDS = ("true", "separated")
"""Of stems: one column each."""

_FFT = 8192
_LOWEST_DB = -110.0
_LINES = (("given", "before", "#999999"), ("truth", "target", "#222222"), ("made", "after", "#d1495b"))


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A stem (2, time) before, as it should be, and as the network made it, with a word on it."""

    stem: str
    kind: str
    given: Tensor
    truth: Tensor
    made: Tensor
    said: str


def draw(shown: Sequence[Shown], path: Path) -> None:
    """Write a picture: a row per stem, a column per kind of stems, of the first example of each.

    Mid drawn through, side dashed; thirds of octaves. AudioError where the disk refuses.
    """
    first: dict[tuple[str, str], Shown] = {}
    for one in shown:
        first.setdefault((one.stem, one.kind), one)
    stems = [stem for stem in STEMS if any((stem, kind) in first for kind in KINDS)]
    figure = Figure(figsize=(9, 2.1 * len(stems) + 0.6), layout="constrained")
    axes = figure.subplots(len(stems), len(KINDS), sharex=True, sharey=True, squeeze=False)
    for stem, row in zip(stems, axes, strict=True):
        for kind, axis in zip(KINDS, row, strict=True):
            if (stem, kind) not in first:
                axis.set_axis_off()
                continue
            one = first[stem, kind]
            sounds = {"given": one.given, "truth": one.truth, "made": one.made}
            for key, name, colour in _LINES:
                hertz, mid_db, side_db = _spectra(sounds[key])
                axis.semilogx(hertz, mid_db, color=colour, lw=1.3, label=name)
                axis.semilogx(hertz, side_db, color=colour, lw=0.9, ls="--")
            axis.set_title(f"{stem}, {kind} stem: {one.said}", fontsize=9)
            axis.set_xlim(30, 20_000)
            axis.grid(alpha=0.25, lw=0.5)
    axes[0, 0].legend(fontsize=8, frameon=False)
    for axis in axes[-1]:
        axis.set_xlabel("Hz")
    for axis in axes[:, 0]:
        axis.set_ylabel("dB; dashed: side")
    with beside(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], dpi=110)


def _spectra(samples: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Third octaves' centres in Hz, and the mean level of mid and of side in each, in dB."""
    mid_side = torch.stack((samples[0] + samples[1], samples[0] - samples[1])) / 2
    window = torch.hann_window(_FFT)
    powers = torch.stft(mid_side, _FFT, _FFT // 2, window=window, return_complex=True).abs().square()
    mean = (powers.mean(-1) / window.sum() ** 2).numpy()
    centres = 1000 * 2 ** (np.arange(-15, 14) / 3)
    bins = np.arange(mean.shape[1]) * RATE / _FFT
    levels = np.full((2, len(centres)), _LOWEST_DB)
    for index, centre in enumerate(centres):
        inside = (bins >= centre * 2 ** (-1 / 6)) & (bins < centre * 2 ** (1 / 6))
        inside[round(centre * _FFT / RATE)] = True
        levels[:, index] = 10 * np.log10(np.maximum(mean[:, inside].sum(1), 10 ** (_LOWEST_DB / 10)))
    return centres, levels[0], levels[1]
