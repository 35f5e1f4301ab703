"""What is a voice made of? Clips of speech, taken apart by WORLD and cut into syllables.

Pitch, spectral envelope and aperiodicity every 5 ms (Morise, Yokomori & Ozawa, IEICE Trans. E99-D, 2016).
Speech recorded at a low rate gets its missing treble from the slope of its envelope, as noise; what is below
a clip's noise floor is muted; a dull recording is measured, so that it can be sung brighter.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import BadZipFile

import numpy as np
import soxr
from scipy.signal import find_peaks

from styletransfer.errors import AudioError, ResourceError
from styletransfer.files import beside

from .folder import RATE

Array = np.ndarray[Any, Any]

FRAME_S = 0.005
FFT = 2048
ENVELOPE_SIZE = 60
LOWEST_HZ, HIGHEST_HZ = 70.0, 700.0
LONGEST_CLIP_S = 2.5
NARROWEST_HZ = 7000.0
"""Clips with less bandwidth are left out."""
GATE_DB = -42.0
"""Below this, under a clip's loudest frame, lies the recording's noise."""
CLOSED = 0.02
"""A vowel with less of its power between 600 Hz and 4 kHz is a hum, and no note is held on it."""
_BANDS = ((3000, RATE // 2), (600, 4000))
TONE_HZ = (250, 500, 1000, 2000, 4000, 8000, 16_000)
TONE_DB = (0, 0, -8, -16, -22, -30, -44)
"""A well recorded voice's spectrum, as power per bin in octave bands against the lowest two."""


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """What WORLD found in a speaker's clips, one after the other.

    voiced        (frames,) bool.
    envelope      (frames, ENVELOPE_SIZE) float32, coded by WORLD.
    aperiodicity  (frames, bands) float32, coded by WORLD.
    syllables     (count, 4) int: the frames at which onset, vowel and coda start, and the end.
    tone_db       gain per octave band of TONE_HZ that takes the recording toward a studio's.
    words         (count,) int: which clip a syllable is from.
    pitch         the median pitch of the speech, in MIDI semitones.
    """

    voiced: Array
    envelope: Array
    aperiodicity: Array
    syllables: Array
    words: Array
    tone_db: Array
    pitch: float


def world() -> ModuleType:
    """pyworld. ResourceError where it isn't installed."""
    try:
        return importlib.import_module("pyworld")
    except ImportError as error:
        raise ResourceError('voices are sung by pyworld; run pip install "automix[corpus]"') from error


def analyse(clips: Iterable[tuple[Array, int]]) -> Voice | None:
    """The voice in clips of one speaker, as (mono float samples, rate); None if no syllable is usable."""
    found: list[tuple[Array, ...]] = []
    pitches, words, spectra, total, word = [], [], [], 0, 0
    for samples, rate in clips:
        if (frames := _analyse_clip(samples, rate)) is None:
            continue
        f0_hz, coded, bands, spectrum, syllables = frames
        voiced = f0_hz > 0
        found.append((voiced, coded, bands, syllables + total))
        spectra.append(spectrum)
        pitches.append(69 + 12 * np.log2(f0_hz[voiced] / 440))
        words.append(np.full(len(syllables), word))
        total, word = total + len(f0_hz), word + 1
    if not found:
        return None
    voiced, envelope, aperiodicity, rows = (np.concatenate(parts) for parts in zip(*found, strict=True))
    pitch = float(np.median(np.concatenate(pitches)))
    tone_db = _tone_db(np.mean(spectra, 0))
    return Voice(voiced, envelope, aperiodicity, rows, np.concatenate(words), tone_db, pitch)


def save(voice: Voice | None, path: Path) -> None:
    """Keep a voice, or that there is none, in a file of plain arrays."""
    arrays = {} if voice is None else {name: getattr(voice, name) for name in Voice.__slots__}
    with beside(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def load(path: Path) -> Voice | None:
    """The voice that `save` kept. AudioError where the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in Voice.__slots__ if kept.files}
        return Voice(**{**arrays, "pitch": float(arrays["pitch"])}) if arrays else None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise AudioError(f"{path} is damaged; remove it, and it will be made anew") from error


def _analyse_clip(samples: Array, rate: int) -> tuple[Array, ...] | None:
    """f0_hz, coded envelope and aperiodicity per frame, the mean spectrum, and the syllables.

    None where the clip won't do: silent, short, dull, or without a vowel.
    """
    pw = world()
    samples = samples.astype(np.float64) - samples.mean()
    loudest = np.abs(samples).max() if len(samples) else 0.0
    if loudest < 1e-3 or len(samples) < 0.12 * rate:
        return None
    samples = np.ascontiguousarray(soxr.resample(samples / loudest, rate, RATE) if rate != RATE else samples)
    samples /= np.abs(samples).max()
    active = np.flatnonzero(np.abs(samples) > 0.02)
    samples = samples[max(active[0] - 2205, 0) : active[-1] + 2205][: int(LONGEST_CLIP_S * RATE)]
    if (bandwidth_hz := bandwidth(samples, rate)) < NARROWEST_HZ:
        return None
    f0_hz, times = pw.harvest(samples, RATE, LOWEST_HZ, HIGHEST_HZ, 1000 * FRAME_S)
    envelope = pw.cheaptrick(samples, f0_hz, times, RATE, fft_size=FFT)
    aperiodicity = _aperiodicity(samples, f0_hz, times)
    power_db = 10 * np.log10(envelope.sum(1) + 1e-20)
    power_db -= power_db.max()
    envelope *= np.clip(10 ** (2 * (power_db - GATE_DB) / 10), 1e-6, 1)[:, None]
    f0_hz[power_db < GATE_DB] = 0
    if bandwidth_hz < 16_000:
        _add_treble(envelope, aperiodicity, f0_hz > 0, 0.92 * bandwidth_hz)
    total = envelope.sum(1) + 1e-20
    hiss, body = (envelope[:, low * FFT // RATE : high * FFT // RATE].sum(1) / total for low, high in _BANDS)
    f0_hz[hiss > 0.5] = 0
    syllables = _syllables((f0_hz > 0) & (hiss < 0.3), 10 * np.log10(total))
    open_ = [body[vowel:coda].mean() > CLOSED for _, vowel, coda, _ in syllables]
    if not any(open_):
        return None
    coded = pw.code_spectral_envelope(np.maximum(envelope, 1e-16), RATE, ENVELOPE_SIZE).astype(np.float32)
    bands = pw.code_aperiodicity(aperiodicity, RATE).astype(np.float32)
    return f0_hz, coded, bands, envelope.mean(0), syllables[np.array(open_)]


def _aperiodicity(samples: Array, f0_hz: Array, times: Array) -> Array:
    """(frames, bins), measured at every second frame, and between them the mean: half the work."""
    even = world().d4c(
        samples, np.ascontiguousarray(f0_hz[::2]), np.ascontiguousarray(times[::2]), RATE, fft_size=FFT
    )
    frames = np.arange(len(f0_hz))
    mean: Array = (even[frames // 2] + even[np.minimum((frames + 1) // 2, len(even) - 1)]) / 2
    return mean


def bandwidth(samples: Array, rate: int) -> float:
    """The frequency in Hz up to which a mono sound at RATE, recorded at `rate`, reaches above −65 dB."""
    blocks = samples[: len(samples) // FFT * FFT].reshape(-1, FFT) * np.hanning(FFT)
    power = np.square(np.abs(np.fft.rfft(blocks))).mean(0) if len(blocks) else np.ones(FFT // 2 + 1)
    above = np.flatnonzero(power > power.max() * 10**-6.5)
    return min(float(above[-1]) * RATE / FFT, 0.49 * rate)


def _add_treble(envelope: Array, aperiodicity: Array, voiced: Array, edge_hz: float) -> None:
    """Continue envelopes (in place) beyond an edge: 9 dB per octave where voiced, 4 where not, as noise."""
    hertz = np.linspace(0, RATE / 2, envelope.shape[1])
    known = (hertz > 0.75 * edge_hz) & (hertz < edge_hz)
    level = np.log(envelope[:, known] + 1e-16).mean(1, keepdims=True)
    octaves = np.log2(np.maximum(hertz, 1.0) / (0.87 * edge_hz))
    slope = np.where(voiced, -9.0, -4.0)[:, None] * np.log(10) / 10
    beyond = hertz > edge_hz
    envelope[:, beyond] = np.exp(level + slope * octaves[beyond])
    aperiodicity[:, beyond] = np.maximum(aperiodicity[:, beyond], 0.9)


def _tone_db(spectrum: Array) -> Array:
    """Gains in dB at TONE_HZ that bring a mean power spectrum (bins,) seven tenths of the way to TONE_DB."""
    hertz = np.linspace(0, RATE / 2, len(spectrum))
    bands = [(hertz > centre / 2**0.5) & (hertz <= centre * 2**0.5) for centre in TONE_HZ]
    level_db = 10 * np.log10(np.array([spectrum[band].mean() for band in bands]) + 1e-16)
    wanted_db = np.array(TONE_DB) + level_db[:2].max() - level_db
    gain_db: Array = 0.7 * np.clip(wanted_db, -10, 24)
    return gain_db


def _syllables(voiced: Array, power_db: Array) -> Array:
    """(count, 4) frames: starts of onset, vowel, coda, and the end, of each syllable of a clip."""
    smooth = np.convolve(power_db, np.hanning(9) / np.hanning(9).sum(), "same")
    peaks, _ = find_peaks(np.where(voiced, smooth, -200.0), prominence=3.0, distance=18)
    peaks = [peak for peak in peaks if voiced[peak]]
    rows = []
    for index, peak in enumerate(peaks):
        left = peaks[index - 1] + int(smooth[peaks[index - 1] : peak].argmin()) if index else 0
        right = len(voiced) - 1
        if index + 1 < len(peaks):
            right = peak + int(smooth[peak : peaks[index + 1]].argmin())
        full = voiced & (smooth > smooth[peak] - 6)
        vowel = coda = peak
        while vowel > left and full[vowel - 1]:
            vowel -= 1
        while coda < right and full[coda]:
            coda += 1
        if coda - vowel >= 8:  # 40 ms
            rows.append((max(left, vowel - 50), vowel, coda, min(right, coda + 40)))
    return np.array(rows, dtype=np.int64).reshape(-1, 4)
