"""Rendering by difference: what isn't changed stays, and what is changed adds up."""

from __future__ import annotations

import math

import pytest
import torch

from styletransfer import STEMS, mixdown
from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import MASTER, STRIP, Settings, clamped, neutral, scaled

RATE = 44100


def noise(seed: int, frames: int = 3 * RATE, rate: int = RATE, level: float = 0.05) -> Audio:
    generator = torch.Generator().manual_seed(seed)
    return Audio(level * torch.randn(2, frames, generator=generator), rate)


@pytest.fixture
def stems() -> Stems:
    return {name: noise(seed) for seed, name in enumerate(STEMS)}


def song_of(stems: Stems) -> Audio:
    return Audio(sum(stem.samples for stem in stems.values()) + 0.01, RATE)


def resting() -> dict[str, Settings]:
    return {name: neutral(STRIP) for name in STEMS}


def test_neutral_strips_give_the_input_itself(stems: Stems) -> None:
    song = song_of(stems)
    bus = mixdown.mix_bus(song, stems, resting())
    assert bus is song
    assert mixdown.master_bus(bus, neutral(MASTER)) is bus


def test_a_fader_moves_its_stem_and_nothing_else(stems: Stems) -> None:
    song, strips = song_of(stems), resting()
    strips["bass"]["gain"]["gain_db"] = 6.0
    change = mixdown.mix_bus(song, stems, strips).samples - song.samples
    wanted = stems["bass"].samples * (10 ** (6 / 20) - 1)
    assert (change - wanted).abs().max() < 1e-6


def test_the_difference_is_resampled_and_the_music_is_not(stems: Stems) -> None:
    song = noise(9, frames=3 * 96000, rate=96000)
    strips = resting()
    strips["drums"]["gain"]["gain_db"] = -6.0
    bus = mixdown.mix_bus(song, stems, strips)
    assert bus.samples.shape == song.samples.shape
    spectrum = torch.fft.rfft((bus.samples - song.samples).double() * torch.hann_window(song.frames))
    energy = spectrum.abs().square().sum(0)
    above = round(23000 / 96000 * song.frames)
    assert 10 * math.log10(float(energy[above:].sum() / energy.sum())) < -80
    wanted = Audio(stems["drums"].samples * (10 ** (-6 / 20) - 1), RATE).at_rate(96000)
    error = (bus.samples - song.samples - wanted.samples)[:, 2000:-2000]
    assert 20 * math.log10(float(error.std() / wanted.samples.std())) < -60


def test_block_size_never_changes_the_result(stems: Stems, monkeypatch: pytest.MonkeyPatch) -> None:
    song, strips = song_of(stems), resting()
    for name in STEMS:
        strips[name]["eq"]["peak_2_gain_db"] = 5.0
        strips[name]["compressor"] |= {"ratio": 4.0, "threshold_db": -30.0}
        strips[name]["reverb"]["wet"] = 0.2
    master = neutral(MASTER)
    master["side_eq"]["peak_4_gain_db"] = -6.0
    master["compressor"] |= {"ratio": 2.0, "threshold_db": -20.0}
    results = []
    for block in (2**17, 5003):
        monkeypatch.setattr(mixdown, "BLOCK", block)
        bus = mixdown.master_bus(mixdown.mix_bus(song, stems, strips), master)
        results.append(mixdown.apply_level(bus, 6.0, -6.0, 100.0).samples)
    error = (results[0] - results[1]).square().mean() / results[0].square().mean()
    assert 10 * math.log10(float(error) + 1e-30) < -100


@pytest.mark.parametrize("target", [-30.0, -16.0])
def test_level_meets_its_target_under_the_ceiling(stems: Stems, target: float) -> None:
    song = song_of(stems)
    levelled = mixdown.level(song, mixdown.meter_of(song), target, -1.0, 100.0)
    meter = mixdown.meter_of(levelled.audio)
    assert abs(meter.integrated_lufs - target) < 0.3
    assert meter.true_peak_db < -0.9
    assert levelled.short_by_lu < 0.3


def test_level_rather_misses_its_target_than_crushes(stems: Stems) -> None:
    song = song_of(stems)
    meter = mixdown.meter_of(song)
    levelled = mixdown.level(song, meter, -2.0, -1.0, 100.0)
    assert levelled.short_by_lu > 1
    assert levelled.gain_db == pytest.approx(-1.0 + mixdown.REDUCTION_DB - meter.true_peak_db)
    assert levelled.reduction_db <= mixdown.REDUCTION_DB + 0.3


def test_amounts_scale_strengths_and_keep_the_rest() -> None:
    settings = neutral(STRIP)
    settings["eq"] |= {"peak_1_gain_db": 6.0, "peak_1_frequency_hz": 300.0}
    settings["compressor"] |= {"ratio": 4.0, "threshold_db": -33.0}
    settings["width"]["width"] = 2.0
    half = scaled(STRIP, settings, 0.5)
    assert half["eq"]["peak_1_gain_db"] == 3.0
    assert half["eq"]["peak_1_frequency_hz"] == 300.0
    assert half["compressor"]["ratio"] == pytest.approx(2.0)
    assert half["compressor"]["threshold_db"] == -33.0
    assert half["width"]["width"] == 1.5
    assert scaled(STRIP, settings, 0.0)["compressor"]["ratio"] == 1.0
    wild = settings | {"gain": {"gain_db": 1000.0}}
    assert clamped(STRIP, wild)["gain"]["gain_db"] == STRIP["gain"].knobs["gain_db"].high
