"""How close is an estimated stem to the true one? Three figures, all in dB, larger is closer."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

AUDIBLE_DB = -45.0
"""A stem whose energy lies further than this below its mix's is absent: it has no score."""

_FRAME_S = 1.0
_SILENT = 1e-8  # mean square of a second in which BSS-eval asks for no figure, −80 dBFS


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one stem of one song.

    sdr_db     10·log10(‖s‖² / ‖s − ŝ‖²) over the whole song and both channels: the headline.
    si_sdr_db  the same after the truth was scaled to fit; Le Roux et al., "SDR – half-baked or well done?",
               ICASSP 2019.
    bss_sdr_db BSS-eval's SDR of images, version 4: the median over seconds in which truth and estimate
               sound. Its error terms (spatial, interference, artefacts) add up to ŝ − s, so no filters
               need be fitted for it. Vincent et al., TASLP 14(4), 2006; Stöter et al., "The 2018 signal
               separation evaluation campaign", LVA/ICA 2018.
    """

    sdr_db: float
    si_sdr_db: float
    bss_sdr_db: float

    def figures(self) -> dict[str, float | None]:
        return {key: None if math.isnan(value) else value for key, value in asdict(self).items()}


FIGURES = ("sdr_db", "si_sdr_db", "bss_sdr_db")


def score(estimate: Tensor, truth: Tensor, rate: int) -> Scores:
    """The scores of an estimate, (2, time) as the truth. ValueError where their shapes differ."""
    if estimate.shape != truth.shape:
        raise ValueError(f"the estimate {tuple(estimate.shape)} is not as the truth {tuple(truth.shape)}")
    estimate, truth = estimate.double(), truth.double()
    scale = (estimate * truth).sum() / truth.square().sum().clamp(min=1e-12)
    return Scores(
        _ratio_db(truth, estimate - truth),
        _ratio_db(scale * truth, estimate - scale * truth),
        _bss_sdr_db(estimate, truth, rate),
    )


def audible(stem: Tensor, mix: Tensor) -> bool:
    """Whether a stem has enough energy in its mix to be scored."""
    return bool(stem.square().sum() > 10 ** (AUDIBLE_DB / 10) * mix.square().sum())


def _bss_sdr_db(estimate: Tensor, truth: Tensor, rate: int) -> float:
    size = min(round(_FRAME_S * rate), truth.shape[1])
    frames = truth.shape[1] // size
    seconds = [x[:, : frames * size].unflatten(1, (frames, size)) for x in (estimate, truth)]
    sounding = torch.stack([x.square().mean((0, 2)) > _SILENT for x in seconds]).all(0)
    if not sounding.any():
        return math.nan
    error = (seconds[0] - seconds[1]).square().sum((0, 2)).clamp(min=1e-12)
    ratios = 10 * torch.log10(seconds[1].square().sum((0, 2)) / error)
    return float(ratios[sounding].quantile(0.5))


def _ratio_db(above: Tensor, below: Tensor) -> float:
    ratio = above.square().sum().clamp(min=1e-12) / below.square().sum().clamp(min=1e-12)
    return float(10 * torch.log10(ratio))
