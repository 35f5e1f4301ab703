"""How far apart two mixes are in style, at equal loudness: the gate's own measure.

It is not the benchmark's AF distance: it works in dB on third octaves, on medians instead of single
peaks, and no term of it is squared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from styletransfer.encoder.measures import Measures

_SIDE_FLOOR_DB = -40.0  # below the mid: a quieter side can't be heard


@dataclass(frozen=True, slots=True)
class Distance:
    """Terms in dB, and what each says.

    tone     mean |difference| of the mid's third octaves.
    space    the same for the side, floored 40 dB below the mid.
    punch    |difference| of short-term crest.
    crest    |difference| of peak over RMS.
    width    |difference| of side over mid, floored.
    balance  |difference| of right over left.
    """

    tone: float
    space: float
    punch: float
    crest: float
    width: float
    balance: float

    @property
    def total(self) -> float:
        """One figure in dB: tone and side weigh most, since they hold most bands."""
        return (
            self.tone
            + 0.5 * self.space
            + 0.5 * self.punch
            + 0.25 * self.crest
            + 0.5 * self.width
            + 0.5 * self.balance
        )


def distance(sound: Measures, reference: Measures) -> Distance:
    """How far a sound lies from a reference, both brought to the same K-weighted loudness."""
    level = reference.spectrum_lufs - sound.spectrum_lufs
    audible = reference.mid_db > reference.mid_db.max() - 66
    mid = sound.mid_db + level
    return Distance(
        tone=_mean(torch.abs(mid - reference.mid_db), audible),
        space=_mean(torch.abs(_floored(sound) + level - _floored(reference)), audible),
        punch=abs(sound.punch_db - reference.punch_db),
        crest=abs(sound.crest_db - reference.crest_db),
        width=abs(max(sound.width_db, _SIDE_FLOOR_DB) - max(reference.width_db, _SIDE_FLOOR_DB)),
        balance=abs(sound.balance_db - reference.balance_db),
    )


def stems_apart(stems: Mapping[str, Measures], reference: Mapping[str, Measures]) -> float:
    """How far stems lie from a reference's of the same names, in dB: the mean of their distances and of how
    far their levels are off, once both sides' mean level is the same."""
    levels = {name: theirs.loudness_lufs - stems[name].loudness_lufs for name, theirs in reference.items()}
    common = fmean(levels.values())
    return fmean(
        distance(stems[name], theirs).total + abs(levels[name] - common) for name, theirs in reference.items()
    )


def _floored(measures: Measures) -> Tensor:
    return torch.maximum(measures.side_db, measures.mid_db + _SIDE_FLOOR_DB)


def _mean(values: Tensor, mask: Tensor) -> float:
    return float(values[mask].clamp(max=40).mean()) if mask.any() else 0.0
