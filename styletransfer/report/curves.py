"""The numbers behind the plots of a sound: spectrum, width, loudness over time, outline, goniometer."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from styletransfer.audio import Audio
from styletransfer.document import Figures

from .versions import Version

Curve = NDArray[np.float64]

WIDTH_FLOOR_DB = -40.0
"""A side so far below the mid can't be heard."""

_EMPTY_DB = -110.0  # a band below this holds nothing
_POINTS = 500  # on a line over time


def third_octaves_db(figures: Figures) -> Curve:
    """Level (30,) of mid and side together per third octave, re the sound's loudness; NaN where empty."""
    level_db = 10 * np.log10(_power(figures.mix.mid_db) + _power(figures.mix.side_db))
    return np.where(level_db > _EMPTY_DB, level_db - figures.mix.loudness_lufs, np.nan)


def width_by_band_db(figures: Figures) -> Curve:
    """Side over mid (30,) per third octave in dB, at least WIDTH_FLOOR_DB; NaN where both are empty."""
    mid_db, side_db = np.array(figures.mix.mid_db), np.array(figures.mix.side_db)
    heard = np.maximum(mid_db, side_db) > _EMPTY_DB
    return np.where(heard, np.maximum(side_db - mid_db, WIDTH_FLOOR_DB), np.nan)


def loudness_over_time(version: Version) -> tuple[Curve, Curve]:
    """Seconds and LUFS, at most 500 points, each the mean of the windows around it; NaN below −70 LUFS."""
    lufs = version.short_term_lufs
    if version.audio is None or len(lufs) == 0:
        return np.zeros(0), np.zeros(0)
    window_s = version.audio.duration_s - 0.1 * (len(lufs) - 1)
    seconds = window_s / 2 + 0.1 * np.arange(len(lufs))
    pieces = min(_POINTS, len(lufs))
    shortened = np.array([part.mean() for part in np.array_split(np.maximum(lufs, -100), pieces)])
    times = np.array([part.mean() for part in np.array_split(seconds, pieces)])
    return times, np.where(shortened > -70, shortened, np.nan)


def outline(audio: Audio, columns: int) -> tuple[Curve, Curve]:
    """Lowest and highest sample of (columns,) equal pieces of a sound, over its channels."""
    edges = np.linspace(0, audio.frames, columns + 1).astype(int)
    low, high = np.zeros(columns), np.zeros(columns)
    for column, (start, end) in enumerate(itertools.pairwise(edges)):
        if end > start:
            piece = audio.samples[:, start:end]
            low[column], high[column] = float(piece.min()), float(piece.max())
    return low, high


def goniometer(audio: Audio, points: int) -> tuple[Curve, Curve]:
    """Samples of a sound as a goniometer shows them: left leans left, mono stands upright.

    Returns  (R − L)/√2 and (L + R)/√2 of evenly spaced samples, scaled so that all but the
             loudest 1 % lie within the unit circle; those are drawn to its edge.
    """
    index = np.linspace(0, audio.frames - 1, min(points, audio.frames)).astype(int)
    left, right = audio.with_channels(2).samples[:, index].double().numpy()
    across, along = (right - left) / np.sqrt(2), (left + right) / np.sqrt(2)
    radius = np.hypot(across, along)
    scale = float(np.quantile(radius, 0.99)) or 1.0
    shrink = 1 / np.maximum(scale, radius)
    return across * shrink, along * shrink


def _power(level_db: list[float]) -> Curve:
    return np.asarray(10 ** (np.array(level_db) / 10))
