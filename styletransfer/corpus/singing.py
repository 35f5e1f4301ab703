"""How does speech become singing? Its syllables are put on notes, and WORLD sings them.

A consonant keeps its own speed and ends on the beat, the vowel is stretched, the pitch is drawn anew from
the melody, with glides, vibrato and drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .folder import RATE
from .voiceprint import FRAME_S, TONE_HZ, Array, Voice, world

Note = tuple[float, float, float]
"""Start and duration in seconds, pitch in MIDI semitones (69 is 440 Hz)."""


FFT = 1024
"""Of what is sung: half of what is analysed, since envelopes are smooth; WORLD then sings twice as fast."""
HISS_DB = -9.0
"""How loud a consonant without voice may be, against its vowel."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a singer sings a song.

    formants         factor on the formants: 1.05 is a shorter vocal tract.
    vibrato_hz       its rate; `vibrato_cents` its depth on long notes.
    drift_cents      standard deviation of the slow wander of the pitch.
    glide_s          how long the pitch takes from note to note.
    late_s           offset of all notes.
    """

    formants: float = 1.0
    vibrato_hz: float = 5.5
    vibrato_cents: float = 25.0
    drift_cents: float = 8.0
    glide_s: float = 0.07
    late_s: float = 0.0


def sing(
    voice: Voice, notes: Sequence[Note], words: Sequence[int], manner: Manner, random: np.random.Generator
) -> tuple[Array, float]:
    """One phrase, mono float64 at RATE, and the time at which its first sample belongs.

    notes   in order, not overlapping.
    words   one syllable (a row of voice.syllables) per note; −1 goes on with the one before.
    """
    pw = world()
    units = _units(voice, notes, words, manner.late_s)
    begin_s = units[0].start_s - units[0].onset_s - 0.05
    count = int(np.ceil((units[-1].end_s + 0.1 - begin_s) / FRAME_S))
    time_s = begin_s + FRAME_S * np.arange(count)
    source, owner, fade_db = _course(voice, units, time_s)
    live = owner >= 0
    pitch = _pitch(notes, units, time_s, manner, random)
    nearest = np.clip(np.round(source).astype(int), 0, len(voice.voiced) - 1)
    voiced = voice.voiced[nearest] & live
    f0_hz = np.where(voiced, 440 * 2 ** ((pitch - 69) / 12), 0.0)
    envelope = pw.decode_spectral_envelope(_between(voice.envelope, source), RATE, FFT)
    aperiodicity = pw.decode_aperiodicity(_between(voice.aperiodicity, source), RATE, FFT)
    if manner.formants != 1:
        envelope = _stretched(envelope, manner.formants)
    hertz = np.linspace(0, RATE / 2, FFT // 2 + 1)
    envelope *= 10 ** (np.interp(np.log2(hertz + 1), np.log2(TONE_HZ), voice.tone_db) / 10)
    gain_db = fade_db + _level_db(
        units, time_s, owner, 10 * np.log10(envelope.sum(1) + 1e-20), voiced, random
    )
    envelope = np.maximum(envelope * 10 ** (gain_db / 10)[:, None], 1e-16)
    return pw.synthesize(f0_hz, envelope, np.ascontiguousarray(aperiodicity), RATE, 1000 * FRAME_S), begin_s


def breath(voice: Voice, duration_s: float, random: np.random.Generator) -> Array:
    """Air drawn in before a phrase: faint noise through the speaker's own vocal tract, mono at RATE."""
    pw = world()
    count = int(duration_s / FRAME_S)
    where = random.integers(0, len(voice.syllables))
    vowel = voice.syllables[where, 1]
    coded = np.repeat(voice.envelope[vowel : vowel + 1].astype(np.float64), count, 0)
    envelope = np.sqrt(pw.decode_spectral_envelope(coded, RATE, FFT))  # flatter, as whispered
    hertz = np.linspace(0, RATE / 2, FFT // 2 + 1)
    envelope *= (hertz / (hertz + 900)) ** 2 / (1 + (hertz / 9000) ** 4)
    swell = np.sin(np.pi * np.linspace(0, 1, count) ** 0.7) ** 2
    envelope = envelope / envelope.sum(1, keepdims=True)
    noise: Array = pw.synthesize(
        np.zeros(count), np.maximum(envelope * swell[:, None], 1e-16), np.ones_like(envelope), RATE, 5.0
    )
    loudest = np.sqrt(np.convolve(noise**2, np.ones(2205) / 2205, "same").max())
    return noise * (0.035 * 10 ** (random.normal(0, 3) / 20) / max(float(loudest), 1e-12))


@dataclass(frozen=True, slots=True)
class _Unit:
    """A syllable in its place: its row, when its vowel starts and its sound ends, its consonants' lengths."""

    row: int
    start_s: float
    end_s: float
    onset_s: float
    coda_s: float

    @property
    def vowel_end_s(self) -> float:
        return self.end_s - self.coda_s


def _units(voice: Voice, notes: Sequence[Note], words: Sequence[int], late_s: float) -> list[_Unit]:
    heads = [index for index, row in enumerate(words) if row >= 0]
    units: list[_Unit] = []
    for head, following in zip(heads, [*heads[1:], len(notes)], strict=True):
        onset, vowel, coda, end = voice.syllables[words[head]]
        start_s, last = notes[head][0] + late_s, notes[following - 1]
        end_s = last[0] + last[1] + late_s
        onset_s = min((vowel - onset) * FRAME_S, 0.25)
        if units:
            before = units[-1]
            onset_s = min(onset_s, 0.45 * (start_s - before.start_s))
            if start_s - before.end_s < 0.08 or before.end_s > start_s - onset_s:
                length_s = start_s - onset_s - before.start_s
                coda_s = min(before.coda_s, 0.35 * length_s)
                units[-1] = _Unit(before.row, before.start_s, start_s - onset_s, before.onset_s, coda_s)
        coda_s = min((end - coda) * FRAME_S, 0.2, 0.35 * (end_s - start_s))
        units.append(_Unit(words[head], start_s, end_s, onset_s, coda_s))
    return units


def _course(voice: Voice, units: list[_Unit], time_s: Array) -> tuple[Array, Array, Array]:
    """Per frame of the phrase: the (fractional) frame of the voice that sounds, whose unit it is, fades."""
    source, owner = np.zeros(len(time_s)), np.full(len(time_s), -1)
    fade_db = np.full(len(time_s), -120.0)
    for index, unit in enumerate(units):
        _, vowel, coda, _ = (int(frame) for frame in voice.syllables[unit.row])
        edge_s = min(0.03, FRAME_S * (coda - vowel) / 4, (unit.vowel_end_s - unit.start_s) / 4)
        course = (
            (unit.start_s - unit.onset_s, vowel - unit.onset_s / FRAME_S),
            (unit.start_s, vowel),
            (unit.start_s + edge_s, vowel + edge_s / FRAME_S),
            (unit.vowel_end_s - edge_s, coda - 1 - edge_s / FRAME_S),
            (unit.vowel_end_s, coda - 1),
            (unit.end_s, coda - 1 + unit.coda_s / FRAME_S),
        )
        times, frames = np.array(course).T
        inside = (time_s >= times[0]) & (time_s < times[-1])
        source[inside] = np.interp(time_s[inside], times, frames)
        owner[inside] = index
        out = np.clip((times[-1] - time_s[inside]) / 0.03, 1e-3, 1)
        into = np.clip((time_s[inside] - times[0]) / 0.01 + 0.5, 1e-3, 1)
        fade_db[inside] = 20 * np.log10(out * into)
    return source, owner, fade_db


def _level_db(
    units: list[_Unit],
    time_s: Array,
    owner: Array,
    power_db: Array,
    voiced: Array,
    random: np.random.Generator,
) -> Array:
    """Gains that make vowels equally loud, but for an arc over the phrase, and consonants no louder."""
    gain_db = np.zeros(len(time_s))
    middle_s, span_s = 0.5 * (time_s[0] + time_s[-1]), time_s[-1] - time_s[0]
    for index, unit in enumerate(units):
        own = owner == index
        vowel = own & (time_s >= unit.start_s) & (time_s <= max(unit.vowel_end_s, unit.start_s + 0.03))
        if not vowel.any():
            continue
        level_db = power_db[vowel].mean()
        arc_db = -12 * ((unit.start_s - middle_s) / span_s) ** 2
        limit_db = level_db + np.where(voiced[own], 1.0, HISS_DB) - power_db[own]
        gain_db[own] = arc_db + random.normal(0, 1) - level_db + np.minimum(limit_db, 0)
    return gain_db


def _pitch(
    notes: Sequence[Note], units: list[_Unit], time_s: Array, manner: Manner, random: np.random.Generator
) -> Array:
    """The pitch per frame in MIDI semitones: notes joined by glides, with scoop, vibrato and drift."""
    pitch = np.full(len(time_s), notes[0][2] + random.normal(0, 0.05))
    for before, note in pairwise(notes):
        width_s = manner.glide_s * random.uniform(0.6, 1.5)
        width_s = min(width_s, 0.5 * before[1] + 0.02, 0.5 * note[1] + 0.02)
        glide = (time_s - note[0] - manner.late_s) / (width_s / 6)
        pitch += (note[2] - before[2] + random.normal(0, 0.03)) / (1 + np.exp(-np.clip(glide, -30, 30)))
    for start_s, duration_s, _ in notes:
        begin_s = start_s + manner.late_s
        if duration_s > 0.35:
            grown = np.clip((time_s - begin_s - random.uniform(0.1, 0.3)) / 0.3, 0, 1)
            grown *= np.clip((begin_s + duration_s + 0.02 - time_s) / 0.05, 0, 1)
            rate_hz = manner.vibrato_hz * random.uniform(0.94, 1.06)
            phase = 2 * np.pi * rate_hz * (time_s - begin_s) + random.uniform(0, 2 * np.pi)
            pitch += manner.vibrato_cents / 100 * random.uniform(0.6, 1.2) * grown * np.sin(phase)
    if random.uniform() < 0.4:
        pitch -= random.uniform(0.5, 1.5) * np.exp(-np.clip(time_s - units[0].start_s, 0, None) / 0.04)
    knots = random.normal(0, manner.drift_cents / 100, len(time_s) // 60 + 2)
    return pitch + np.interp(np.arange(len(time_s)) / 60, np.arange(len(knots)), knots)


def _between(frames: Array, where: Array) -> Array:
    """Rows at fractional positions, as contiguous float64."""
    low = np.clip(np.floor(where).astype(int), 0, len(frames) - 1)
    high = np.minimum(low + 1, len(frames) - 1)
    share = (where - low)[:, None]
    return np.ascontiguousarray(frames[low] * (1 - share) + frames[high] * share, dtype=np.float64)


def _stretched(envelope: Array, factor: float) -> Array:
    """Envelopes (frames, bins) with the frequency axis stretched by a factor."""
    where = np.minimum(np.arange(envelope.shape[1]) / factor, envelope.shape[1] - 1.001)
    low = where.astype(int)
    share = where - low
    return np.ascontiguousarray(envelope[:, low] * (1 - share) + envelope[:, low + 1] * share)
