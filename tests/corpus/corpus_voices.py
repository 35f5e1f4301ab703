"""A speaker made of pulses and noise: syllables like "sa sa sa", for the tests of singing."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

RATE = 44_100


def spoken(pitch_hz: float = 130.0, syllables: int = 5, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Mono float: per syllable 60 ms of hiss, 180 ms of a vowel at that pitch, 40 ms of nothing."""
    random = np.random.default_rng(seed)
    parts = []
    for index in range(syllables):
        hiss = random.normal(0, 0.05, int(0.06 * rate)) * np.hanning(int(0.06 * rate))
        frames = int(0.18 * rate)
        pulses = np.zeros(frames)
        pulses[:: round(rate / pitch_hz)] = 1.0
        vowel = pulses + random.normal(0, 1e-3, frames)
        for formant_hz, width_hz in ((700 + 40 * index, 90), (1200, 110), (2600, 200)):
            radius = np.exp(-np.pi * width_hz / rate)
            angle = 2 * np.pi * formant_hz / rate
            vowel = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], vowel)
        vowel *= np.hanning(frames) ** 0.5
        parts += [hiss, 0.8 * vowel / np.abs(vowel).max(), np.zeros(int(0.04 * rate))]
    return np.concatenate(parts)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))


def power_above(samples: np.ndarray, hertz: float) -> float:
    """The share in dB of a sound's power that lies above a frequency."""
    power = np.square(np.abs(np.fft.rfft(samples)))
    return float(10 * np.log10(power[int(hertz * len(samples) / RATE) :].sum() / power.sum() + 1e-12))
