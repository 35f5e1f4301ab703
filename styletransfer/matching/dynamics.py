"""Fit a compressor to a wanted change of punch: how far peaks stand out in 400 ms of active sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import STRIP, Settings, neutral
from styletransfer.converter.fx import amplitude, compression_gain_db
from styletransfer.encoder.measures import Measures, Peaks, peaks

from .strips import SongMeasures

STEM_PUNCH_DB = 1.5
MASTER_PUNCH_DB = 4.0
"""The most that punch is moved, on a stem and on the master."""


@dataclass(frozen=True, slots=True)
class Times:
    """How fast a compressor acts."""

    attack_ms: float
    release_ms: float


@dataclass(frozen=True, slots=True)
class Wish:
    """Changes in dB that a compressor should bring: of punch, and of crest where that counts too."""

    punch_db: float
    crest_db: float | None = None

    def missed_db(self, punch_db: float, crest_db: float) -> float:
        """How far changes are from the wish; a crest too high is the limiter's to mend, up to a point."""
        missed = abs(punch_db - self.punch_db)
        if self.crest_db is not None:
            excess = crest_db - self.crest_db
            missed += 0.5 * (max(0.0, -excess) + max(0.0, excess - _LIMITER_DB))
        return missed


_LIMITER_DB = 4.0
_STEM_TIMES = {
    "drums": Times(1.0, 80.0),
    "bass": Times(4.0, 150.0),
    "other": Times(2.0, 150.0),
    "vocals": Times(2.0, 120.0),
}
_GLUE_TIMES = (Times(1.0, 40.0), Times(1.0, 120.0))
_THRESHOLD_DB = 3.0  # above the RMS
_KNEE_DB = 6.0
_EXCERPT_S = 12.0
_SLOPES = (-0.75, -0.6, -0.45, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.45, 0.6)
"""Gain over overshoot that is tried: ratio 4 down to ratio 0.625 up."""

_RELUCTANCE_DB = 2.0
"""How much closer in dB a slope of 1 has to bring the punch to be worth it."""


def fit_dynamics(
    strips: dict[str, Settings], ours: SongMeasures, theirs: SongMeasures, stems: Stems
) -> dict[str, Settings]:
    """The same strips, each present stem's compressor fitted to its counterpart's punch."""
    present = [name for name, settings in strips.items() if settings["eq"] != neutral(STRIP)["eq"]]
    tried = {name: stem_compressions(stems[name], name) for name in present}
    return choose_dynamics(strips, ours, theirs, tried)


def stem_compressions(stem: Audio, name: str) -> list[Compression]:
    """What the compressors that are tried on that stem do to it."""
    return compressions(stem, (_STEM_TIMES[name],))


def choose_dynamics(
    strips: dict[str, Settings],
    ours: SongMeasures,
    theirs: SongMeasures,
    tried: Mapping[str, list[Compression]],
) -> dict[str, Settings]:
    """The same strips, with the compressor among those tried that comes closest; none for other stems."""
    fitted = {name: dict(settings) for name, settings in strips.items()}
    for name, choice in tried.items():
        change_db = theirs.stems[name].punch_db - ours.stems[name].punch_db
        knobs = chosen(choice, Wish(min(max(change_db, -STEM_PUNCH_DB), STEM_PUNCH_DB)))
        if knobs is not None:
            fitted[name]["compressor"] = knobs
    return fitted


def fit_glue(bus: Audio, ours: Measures, theirs: Measures) -> dict[str, float] | None:
    """The master's compressor, toward the reference's punch and crest; None where it isn't needed."""
    return choose_glue(bus_compressions(bus), ours, theirs)


def bus_compressions(bus: Audio) -> list[Compression]:
    """What the compressors that are tried on a mix do to it."""
    return compressions(bus, _GLUE_TIMES)


def choose_glue(tried: list[Compression], ours: Measures, theirs: Measures) -> dict[str, float] | None:
    """The one among those tried that comes closest to the reference's punch and crest; None if none helps."""
    punch = min(max(theirs.punch_db - ours.punch_db, -MASTER_PUNCH_DB), MASTER_PUNCH_DB)
    return chosen(tried, Wish(punch, theirs.crest_db - ours.crest_db))


def fit_compressor(
    sound: Audio, wish: Wish, times: tuple[Times, ...], punch: Callable[[Tensor, int], float] | None = None
) -> dict[str, float] | None:
    """Compressor knobs that bring a sound closest to a wish; None where none comes closer.

    times   attack and release that may be chosen.
    punch   how punch is measured, of (2, time) at a rate, in dB; as `measures.peaks` does without.
    """
    return chosen(compressions(sound, times, punch), wish)


@dataclass(frozen=True, slots=True)
class Compression:
    """What a compressor's knobs do to a sound: the changes in dB, and the slope of the gain."""

    knobs: dict[str, float]
    slope: float
    punch_db: float
    crest_db: float


def compressions(
    sound: Audio, times: tuple[Times, ...], punch: Callable[[Tensor, int], float] | None = None
) -> list[Compression]:
    """What each compressor that is tried does to a sound, whatever is wished for.

    The gain follows the level above the threshold and is proportional to the slope 1/ratio − 1, so one pass
    of the detector serves all ratios. Make-up keeps the RMS.
    """
    samples = sound.excerpt(*sound.loudest_s(_EXCERPT_S)).samples.expand(2, -1)

    def measured(shaped: Tensor) -> Peaks:
        found = peaks(shaped, sound.rate)
        return found if punch is None else found._replace(punch_db=punch(shaped, sound.rate))

    level_db = float(10 * torch.log10(samples.square().mean(1).amax().clamp(min=1e-12)))
    before = measured(samples)
    tried = []
    for time in times:
        knobs = {
            "threshold_db": min(max(level_db + _THRESHOLD_DB, -80.0), 0.0),
            "knee_db": _KNEE_DB,
            "attack_ms": time.attack_ms,
            "release_ms": time.release_ms,
        }
        followed_db = -compression_gain_db(samples[None], sound.rate, ratio=1e6, **knobs)[0]
        for slope in _SLOPES:
            after = measured(samples * amplitude(slope * followed_db))
            makeup_db = 10 * math.log10(max(before.mean_square, 1e-12) / max(after.mean_square, 1e-12))
            set_to = knobs | {"ratio": 1 / (1 + slope), "makeup_db": makeup_db}
            changes = after.punch_db - before.punch_db, after.crest_db - before.crest_db
            tried.append(Compression(set_to, slope, *changes))
    return tried


def chosen(tried: list[Compression], wish: Wish) -> dict[str, float] | None:
    """The knobs that come closest to a wish; None where none comes closer than no compressor."""
    least, knobs = wish.missed_db(0.0, 0.0), None
    for one in tried:
        missed = wish.missed_db(one.punch_db, one.crest_db) + _RELUCTANCE_DB * abs(one.slope)
        if missed < least:
            least, knobs = missed, one.knobs
    return knobs
