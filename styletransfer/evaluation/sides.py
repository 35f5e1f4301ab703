"""What does the AF distance not see? Loudness range, width in dB and short-term crest.

Its level term is nearly free and its crest hangs on one sample, so these stand beside it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.encoder.loudness import LoudnessMeter

from .af import as_stereo

BLOCK_S = 0.4
ACTIVE_DB = 40.0
WIDTH_FLOOR_DB = -60.0


@dataclass(frozen=True, slots=True)
class SideMeasures:
    """What stands beside the AF distance.

    range_lu       loudness range after EBU Tech 3342.
    width_db       energy of L−R over L+R, not below −60 dB.
    punch_db       short-term crest: median, over the blocks of 400 ms within 40 dB of the loudest, of
                   the peak over the RMS of both channels together.
    """

    range_lu: float
    width_db: float
    punch_db: float

    def apart(self, other: SideMeasures) -> dict[str, float]:
        """Absolute differences by name."""
        mine, theirs = asdict(self), asdict(other)
        return {name: abs(mine[name] - theirs[name]) for name in mine}


def side_measures(sound: Audio) -> SideMeasures:
    """The measures of a sound; a mono one counts as two equal channels."""
    samples = as_stereo(sound.samples)
    meter = LoudnessMeter(sound.rate, 2, true_peak=False)
    for block in torch.split(samples, sound.rate, -1):
        meter.add(block)
    mid, side = samples.sum(0).double().square().mean(), samples.diff(dim=0).double().square().mean()
    width_db = 10 * math.log10(max(float(side), 1e-30) / max(float(mid), 1e-30))
    return SideMeasures(
        meter.range_lu, max(width_db, WIDTH_FLOOR_DB), short_term_crest_db(samples, sound.rate)
    )


def short_term_crest_db(samples: Tensor, rate: int) -> float:
    """Median crest of the active blocks of 400 ms, both channels together; 0 for silence."""
    span = min(round(BLOCK_S * rate), samples.shape[-1])
    blocks = samples.unfold(-1, span, span)
    energy = blocks.double().square().mean((0, -1))
    active = energy > energy.max() * 10 ** (-ACTIVE_DB / 10)
    if not active.any():
        return 0.0
    peak = blocks.abs().amax((0, -1)).double()
    return float((20 * torch.log10(peak[active] / energy[active].sqrt())).quantile(0.5))
