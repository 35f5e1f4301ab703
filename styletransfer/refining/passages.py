"""Which 20 s of a song refinement reads, and which other passage is held out to check it."""

from __future__ import annotations

from typing import NamedTuple

import torch

from styletransfer.audio import Audio

READ_S = 20.0
LEAST_S = 2.0
"""A passage that is shorter than this can't be checked on."""

Span = tuple[float, float]


class Split(NamedTuple):
    """Two passages of one sound, in seconds, that don't overlap."""

    read_s: Span
    held_s: Span


def split(sound: Audio) -> Split | None:
    """The loudest 20 s that leave room, and the loudest of what is beside them; None for too short a sound.

    Of sounds below 60 s, two thirds at most are read, and a third is held out.
    """
    read_s = min(READ_S, sound.duration_s * 2 / 3)
    held_s = min(READ_S, sound.duration_s / 3)
    if held_s < LEAST_S:
        return None
    last = sound.duration_s - read_s
    places = [place for place in _grid(last) if max(place, last - place) >= held_s - 1e-6]
    start = max(places, key=lambda place: _energy(sound, place, place + read_s))
    beside = list(_grid(start - held_s))
    beside += [start + read_s + place for place in _grid(last - start - held_s)]
    held = max(beside, key=lambda place: _energy(sound, place, place + held_s))
    return Split((start, start + read_s), (held, held + held_s))


def _grid(last: float) -> list[float]:
    """Whole seconds from 0 up to `last`, and that itself; none below 0."""
    if last < -1e-6:
        return []
    return [*map(float, range(int(max(last, 0.0)) + 1)), max(last, 0.0)]


def _energy(sound: Audio, start_s: float, end_s: float) -> float:
    return float(sound.excerpt(start_s, end_s).samples.square().sum(dtype=torch.float64))
