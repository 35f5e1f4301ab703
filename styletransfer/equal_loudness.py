"""Which gains make sounds comparable by ear? The same loudness for all, none turned up, none clipping."""

from __future__ import annotations

import math
from collections.abc import Mapping

from styletransfer.encoder.loudness import LoudnessMeter

CEILING_DB = -1.0
"""True peak in dBTP that matched sounds stay below, so that a lossy codec's overshoot clips nothing."""

FURTHEST_LU = 30.0
"""A sound so much quieter than the loudest is left as it is: all others would vanish with it."""


def matching_gains_db(meters: Mapping[str, LoudnessMeter]) -> dict[str, float]:
    """Gain in dB, 0 or less, that brings each sound to the loudness of the quietest, peaks included.

    Silence, what is too short to have a loudness, and what lies more than FURTHEST_LU below the
    loudest can't be matched: it gets only what its peaks need. `matchable` tells which those are.
    """
    headroom_db = {name: min(0.0, CEILING_DB - meter.true_peak_db) for name, meter in meters.items()}
    loudness = {name: meters[name].integrated_lufs for name in matchable(meters)}
    target_lufs = min((value + headroom_db[name] for name, value in loudness.items()), default=0.0)
    return {name: target_lufs - loudness[name] if name in loudness else headroom_db[name] for name in meters}


def matchable(meters: Mapping[str, LoudnessMeter]) -> list[str]:
    """The sounds whose loudness is known and near enough to the loudest's to be matched."""
    loudest = max((meter.integrated_lufs for meter in meters.values()), default=-math.inf)
    return [
        name
        for name, meter in meters.items()
        if math.isfinite(meter.integrated_lufs) and meter.integrated_lufs >= loudest - FURTHEST_LU
    ]
