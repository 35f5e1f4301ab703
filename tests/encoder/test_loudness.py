"""Loudness against the standards' own signals, and against an independent meter on sounds like music."""

from __future__ import annotations

import math
import time

import numpy as np
import pyebur128
import pytest
import torch
from pyebur128 import MeasurementMode
from torch import Tensor

from styletransfer.encoder.loudness import LoudnessMeter, integrated_lufs, interpolator, true_peak_db

RATES = [22_050, 44_100, 48_000, 96_000]


def tone(level_db: float, duration_s: float, rate: int = 48_000, frequency: float = 1000.0) -> Tensor:
    """A stereo sine whose peak lies at so many dBFS."""
    times = torch.arange(round(duration_s * rate), dtype=torch.float64) / rate
    return (10 ** (level_db / 20) * torch.sin(2 * math.pi * frequency * times)).float().expand(2, -1)


def music(rate: int, channels: int, duration_s: float = 40.0) -> Tensor:
    """Pink-like noise with beats, swells, a pause and clicks: what the gates and the peak meter look at."""
    chance = np.random.default_rng(3)
    frames = round(duration_s * rate)
    times = np.arange(frames) / rate
    spectrum = np.fft.rfft(chance.standard_normal((channels, frames)))
    sound = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(frames, 1 / rate), 20)), frames)
    sound *= 0.1 / sound.std()
    sound *= (0.3 + np.exp(-8 * (times % 0.5))) * 10 ** (np.sin(times / 5) * 0.6)
    sound[:, round(0.4 * frames) : round(0.5 * frames)] *= 1e-4
    sound[:, :: rate // 3] += 0.6
    return torch.from_numpy((0.5 * sound).astype(np.float32))


def measured(samples: Tensor, rate: int, block: int = 10_007, *, true_peak: bool = True) -> LoudnessMeter:
    meter = LoudnessMeter(rate, samples.shape[0], true_peak=true_peak)
    for start in range(0, samples.shape[1], block):
        meter.add(samples[:, start : start + block])
    return meter


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000])
def test_a_full_scale_sine_reads_as_bs_1770_says(rate: int) -> None:
    """0 dBFS at 997 Hz on one channel: −3.01 LKFS at 48 kHz, and so at any rate."""
    both = tone(0, 5, rate, 997.0)
    assert integrated_lufs(both[:1], rate) == pytest.approx(-3.01, abs=0.05)
    assert integrated_lufs(both, rate) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("level_db", [-23.0, -33.0])
def test_tech_3341_cases_1_and_2_steady_tones(level_db: float) -> None:
    meter = measured(tone(level_db, 20), 48_000, true_peak=False)
    assert meter.integrated_lufs == pytest.approx(level_db, abs=0.1)
    assert meter.momentary_lufs == pytest.approx(np.full(197, level_db), abs=0.1)
    assert meter.short_term_lufs == pytest.approx(np.full(171, level_db), abs=0.1)


@pytest.mark.parametrize(
    "parts",
    [
        [(-36, 10), (-23, 60), (-36, 10)],
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        [(-26, 20), (-20, 20.1), (-26, 20)],
    ],
    ids=["case 3", "case 4", "case 5"],
)
def test_tech_3341_cases_3_to_5_gates(parts: list[tuple[float, float]]) -> None:
    sound = torch.cat([tone(level, duration) for level, duration in parts], -1)
    assert integrated_lufs(sound, 48_000) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(
    ("parts", "range_lu"),
    [
        ([(-20, 20), (-30, 20)], 10),
        ([(-20, 20), (-15, 20)], 5),
        ([(-40, 20), (-20, 20)], 20),
        ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15),
    ],
)
def test_tech_3342_cases_1_to_4_ranges(parts: list[tuple[float, float]], range_lu: float) -> None:
    sound = torch.cat([tone(level, duration) for level, duration in parts], -1)
    assert measured(sound, 48_000, true_peak=False).range_lu == pytest.approx(range_lu, abs=1)


@pytest.mark.parametrize(
    ("frequency_share", "phase_deg", "peak", "want_db"),
    [
        (1 / 4, 0, 0.5, -6),
        (1 / 4, 45, 0.5, -6),
        (1 / 6, 60, 0.5, -6),
        (1 / 8, 67.5, 0.5, -6),
        (1 / 4, 45, 1.41, 3),
    ],
    ids=["case 15", "case 16", "case 17", "case 18", "case 19"],
)
def test_tech_3341_cases_15_to_19_true_peaks(
    frequency_share: float, phase_deg: float, peak: float, want_db: float
) -> None:
    """Sines whose samples miss the crests; tolerance +0.2, −0.4 dB; they fade in, not to ring."""
    angle = 2 * math.pi * frequency_share * torch.arange(48_000) + math.radians(phase_deg)
    fade = (torch.arange(48_000) / 4800).clamp(max=1) * (torch.arange(48_000).flip(0) / 4800).clamp(max=1)
    sound = (peak * fade * torch.sin(angle))[None]
    assert -0.4 <= true_peak_db(sound, 48_000) - want_db <= 0.2
    if phase_deg == 45:
        assert measured(sound, 48_000).sample_peak_db < want_db - 2.5


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", RATES)
def test_agrees_with_an_independent_meter(rate: int, channels: int) -> None:
    sound = music(rate, channels)
    meter = measured(sound, rate)
    mode = MeasurementMode.MODE_I | MeasurementMode.MODE_LRA | MeasurementMode.MODE_TRUE_PEAK
    other = pyebur128.R128State(channels, rate, mode)
    other.add_frames(np.ascontiguousarray(sound.numpy().T).ravel(), sound.shape[1])
    peaks = [pyebur128.get_true_peak(other, channel) for channel in range(channels)]
    assert meter.integrated_lufs == pytest.approx(pyebur128.get_loudness_global(other), abs=0.05)
    assert meter.range_lu == pytest.approx(pyebur128.get_loudness_range(other), abs=0.1)
    assert meter.true_peak_db == pytest.approx(20 * math.log10(max(peaks)), abs=0.2)


@pytest.mark.parametrize("block", [1, 7, 441, 4410, 2**18])
def test_blocks_of_any_size_measure_alike(block: int) -> None:
    sound = music(44_100, 2, 4.0)[:, : 4000 * block]
    whole, split = measured(sound, 44_100, sound.shape[1]), measured(sound, 44_100, block)
    assert split.momentary_lufs == pytest.approx(whole.momentary_lufs, abs=1e-6)
    assert split.true_peak_db == pytest.approx(whole.true_peak_db, abs=1e-5)
    assert split.sample_peak_db == whole.sample_peak_db


def test_skipping_quiet_stretches_never_misses_a_peak() -> None:
    """Against an interpolation of everything."""
    sound = music(44_100, 2, 6.0)
    windows = torch.nn.functional.pad(sound, (23, 23)).unfold(-1, 24, 1)
    every = (windows @ interpolator(44_100).T).abs().max()
    want = 20 * math.log10(max(every.item(), sound.abs().max().item()))
    assert true_peak_db(sound, 44_100) == pytest.approx(want, abs=1e-4)


def test_a_peak_at_the_very_end_is_found() -> None:
    sound = torch.zeros(1, 5000)
    sound[0, -2:] = 0.5  # between two equal samples the sound rises above them
    assert true_peak_db(sound, 44_100) > 20 * math.log10(0.5) + 1


def test_silence_and_brevity_read_as_documented() -> None:
    meter = measured(torch.zeros(2, 48_000), 48_000)
    assert meter.integrated_lufs == meter.true_peak_db == meter.sample_peak_db == -math.inf
    assert meter.range_lu == 0
    assert (meter.momentary_lufs == -math.inf).all()
    assert integrated_lufs(tone(-20, 0.39), 48_000) == -math.inf
    assert integrated_lufs(tone(-20, 0.41), 48_000) == pytest.approx(-20, abs=0.2)
    assert LoudnessMeter(44_100, 2).integrated_lufs == -math.inf


def test_asking_in_between_changes_nothing() -> None:
    sound = music(44_100, 2, 8.0)
    asked = LoudnessMeter(44_100, 2)
    for block in torch.split(sound, 5000, -1):
        asked.add(block)
        _ = (asked.integrated_lufs, asked.true_peak_db, asked.range_lu)
    never = measured(sound, 44_100, 5000)
    assert (asked.integrated_lufs, asked.range_lu) == (never.integrated_lufs, never.range_lu)
    assert asked.true_peak_db == never.true_peak_db


@pytest.mark.parametrize(("rate", "channels"), [(7999, 2), (192_001, 2), (44_100, 3), (44_100, 0)])
def test_what_it_cannot_measure_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        LoudnessMeter(rate, channels)


def test_wrong_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="block must be"):
        LoudnessMeter(44_100, 2).add(torch.zeros(1, 10))
    with pytest.raises(ValueError, match="true_peak"):
        _ = LoudnessMeter(44_100, 2, true_peak=False).true_peak_db


def test_is_fast() -> None:
    """About 1 ms per second of stereo on one idle core; ten here, since tests share theirs."""
    sound = music(44_100, 2, 20.0)

    def seconds() -> float:
        began = time.process_time()
        measured(sound, 44_100, 2**16)
        return time.process_time() - began

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # waiting threads count as busy ones
    try:
        assert min(seconds() for _ in range(4)) / 20 < 0.010
    finally:
        torch.set_num_threads(threads)
