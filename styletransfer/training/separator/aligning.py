"""Which songs fit together? Remixes in one key and tempo, so that stems overlap as they do in a song.

Songs are only ever played faster or slower, pitch and all, so one factor has to bring both.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from styletransfer.corpus.folder import RATE, CorpusSong, read_song
from styletransfer.encoder.content import HOP_S, Content

_HEARD_S = 30.0
_SHORTEST_S, _LONGEST_S = 0.3, 1.0
_USUAL_S, _OCTAVES = 0.5, 0.9
"""Where beats are looked for, and the middle and width of the log-normal window over them."""


@dataclass(frozen=True, slots=True)
class Character:
    """Of one song.

    beat_s   how long a beat lasts, by the autocorrelation of its onsets.
    chroma   (12,) mean shares of the pitch classes, less their mean, of unit norm.
    Source   beats: Ellis, "Beat Tracking by Dynamic Programming", J. New Music Research 36, 2007.
    """

    beat_s: float
    chroma: Tensor

    def likeness(self, other: Character, semitones: float) -> float:
        """How alike the keys are, −1 to 1, where this one is played so many semitones higher."""
        below = math.floor(semitones)
        share = semitones - below
        moved = self.chroma.roll(below) * (1 - share) + self.chroma.roll(below + 1) * share
        return float((moved * other.chroma).sum())


def character(song: CorpusSong) -> Character:
    """Of a song's mix, from 30 s in its middle; each song is listened to once per process."""
    return _character(song.path)


@functools.lru_cache(maxsize=4096)
def _character(path: Path) -> Character:
    song = read_song(path)
    start_s = max(0.0, (song.duration_s - _HEARD_S) / 2)
    content = Content(song.read("mix", start_s, _HEARD_S), RATE)
    chroma = content.chroma.mean(0)
    chroma = chroma - chroma.mean()
    return Character(beat_of(content.onsets), chroma / chroma.norm().clamp(min=1e-6))


def beat_of(onsets: Tensor) -> float:
    """The seconds after which onsets (frames of HOP_S,) come again, between .3 and 1."""
    flat = onsets - onsets.mean()
    power = torch.fft.rfft(flat, 2 * len(flat)).abs().square()
    again = torch.fft.irfft(power)[: len(flat)]
    lags = torch.arange(round(_SHORTEST_S / HOP_S), min(round(_LONGEST_S / HOP_S) + 1, len(flat)))
    weight = torch.exp(-0.5 * (torch.log2(lags * HOP_S / _USUAL_S) / _OCTAVES).square())
    return float(lags[int((again[lags] * weight).argmax())]) * HOP_S


def fitting_factor(song: Character, beat_s: float, most: float) -> float | None:
    """By what a song is played faster so that its beats, or every other one, last `beat_s`; None if by more
    than a share of `most` either way."""
    octaves = math.log2(song.beat_s / beat_s)
    factor = 2 ** (octaves - round(octaves))
    return factor if abs(factor - 1) <= most else None


def offset_on_beat(sound: Tensor, anchor: Tensor, beat_s: float) -> int:
    """The frame of a sound (2, more time) from which its onsets fall best on an anchor's (2, time), within a
    beat."""
    theirs = Content(anchor, RATE).onsets
    ours = Content(sound, RATE).onsets
    room = min(round(beat_s / HOP_S), len(ours) - len(theirs))
    if room < 1:
        return 0
    shifted = ours.unfold(0, len(theirs), 1)[:room]
    return int((shifted @ (theirs - theirs.mean())).argmax()) * round(HOP_S * RATE)
