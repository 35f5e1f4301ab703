"""Fit a compressor to a wanted change of punch: how far peaks stand out in 400 ms of active sound."""

from __future__ import annotations

import torch
from torch import Tensor

from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import STRIP, Settings, neutral
from styletransfer.converter.fx import compression_gain_db
from styletransfer.encoder.measures import Measures, punch_db

from .strips import SongMeasures

DEADBAND_DB = 0.5
"""Changes smaller than this are not worth a compressor."""

STEM_PUNCH_DB = 3.0
MASTER_PUNCH_DB = 4.0
"""The most that punch is moved, on a stem and on the master."""

_STEM_TIMES = {
    "drums": {"attack_ms": 1.0, "release_ms": 80.0},
    "bass": {"attack_ms": 4.0, "release_ms": 150.0},
    "other": {"attack_ms": 2.0, "release_ms": 150.0},
    "vocals": {"attack_ms": 2.0, "release_ms": 120.0},
}
_GLUE_TIMES = {"attack_ms": 1.0, "release_ms": 120.0}
_KNEE_DB = 6.0
_EXCERPT_S = 12.0
_SLOPES = (-0.75, -0.6, -0.45, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.45, 0.6)
"""Gain over overshoot that is tried: ratio 4 down to ratio 0.625 up."""

_RELUCTANCE_DB = 1.5
"""How much closer in dB a slope of 1 has to bring the punch to be worth it."""


def fit_dynamics(
    strips: dict[str, Settings], ours: SongMeasures, theirs: SongMeasures, stems: Stems
) -> dict[str, Settings]:
    """The same strips, each present stem's compressor fitted to its counterpart's punch."""
    fitted = {}
    for name, settings in strips.items():
        fitted[name] = dict(settings)
        if settings["eq"] == neutral(STRIP)["eq"]:  # an absent stem
            continue
        change_db = theirs.stems[name].punch_db - ours.stems[name].punch_db
        change_db = min(max(change_db, -STEM_PUNCH_DB), STEM_PUNCH_DB)
        knobs = fit_compressor(stems[name], change_db, **_STEM_TIMES[name])
        if knobs is not None:
            fitted[name]["compressor"] = knobs
    return fitted


def fit_glue(bus: Audio, ours: Measures, theirs: Measures) -> dict[str, float] | None:
    """The master's compressor, toward the reference's punch; None where it isn't needed."""
    change_db = min(max(theirs.punch_db - ours.punch_db, -MASTER_PUNCH_DB), MASTER_PUNCH_DB)
    return fit_compressor(bus, change_db, **_GLUE_TIMES)


def fit_compressor(
    sound: Audio, change_db: float, *, attack_ms: float, release_ms: float
) -> dict[str, float] | None:
    """Compressor knobs that change a sound's punch by `change_db` (negative: flatter), or come closest.

    Its gain follows the level above the threshold and is proportional to the slope 1/ratio − 1, so one
    pass of the detector serves the whole search. Make-up keeps the RMS. None where nothing is gained.
    """
    if abs(change_db) < DEADBAND_DB:
        return None
    samples = _loudest(sound).samples.expand(2, -1)
    rate = sound.rate
    before = punch_db(samples, rate)
    level_db = float(10 * torch.log10(samples.square().mean(1).amax().clamp(min=1e-12)))
    threshold_db = min(max(level_db + 3.0, -80.0), 0.0)
    followed_db = -compression_gain_db(
        samples[None],
        rate,
        threshold_db=threshold_db,
        ratio=1e6,
        knee_db=_KNEE_DB,
        attack_ms=attack_ms,
        release_ms=release_ms,
    )[0]

    def missed_db(slope: float) -> float:
        reached_db = punch_db(_shaped(samples, followed_db, slope), rate) - before
        return abs(reached_db - change_db) + _RELUCTANCE_DB * abs(slope)

    slope = min(_SLOPES, key=missed_db)
    if missed_db(slope) >= abs(change_db):
        return None
    shaped = _shaped(samples, followed_db, slope)
    makeup_db = float(10 * torch.log10(samples.square().mean() / shaped.square().mean().clamp(min=1e-12)))
    return {
        "threshold_db": threshold_db,
        "ratio": 1 / (1 + slope),
        "knee_db": _KNEE_DB,
        "attack_ms": attack_ms,
        "release_ms": release_ms,
        "makeup_db": makeup_db,
    }


def _shaped(samples: Tensor, followed_db: Tensor, slope: float) -> Tensor:
    return samples * 10 ** (slope * followed_db / 20)


def _loudest(sound: Audio) -> Audio:
    """The stretch of _EXCERPT_S with the most energy."""
    length = round(_EXCERPT_S * sound.rate)
    if sound.frames <= length:
        return sound
    hop = sound.rate // 2
    energy = torch.stack([block.square().sum() for block in sound.blocks(hop)])
    running = energy.unfold(0, 2 * round(_EXCERPT_S), 1).sum(-1)
    start_s = float(running.argmax()) * hop / sound.rate
    return sound.excerpt(start_s, start_s + _EXCERPT_S)
