"""The AF distance: nothing for equal sounds, and each term answers to its own manipulation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from styletransfer.evaluation.af import (
    AFDistance,
    af_distance,
    audio_features,
    bark_bank,
    mean_magnitude,
)

RATE = 44_100


def pink_clicks(seconds: float = 6.0, seed: int = 0, click: float = 0.5) -> Tensor:
    """Stereo noise, partly common to both sides, pink above 100 Hz, with a click twice a second."""
    generator = torch.Generator().manual_seed(seed)
    frames = int(seconds * RATE)
    common, left, right = (torch.randn(frames, generator=generator) for _ in range(3))
    spectrum = torch.fft.rfft(torch.stack((common + 0.5 * left, common + 0.5 * right)))
    tilt = torch.arange(spectrum.shape[-1]).float().clamp(min=100 * seconds).rsqrt()
    samples = torch.fft.irfft(spectrum * tilt, frames)
    samples = 0.05 * samples / samples.square().mean().sqrt()
    samples[:, RATE // 4 :: RATE // 2] += click
    return samples


def largest(distance: AFDistance) -> str:
    terms = distance.terms()
    return max(terms, key=lambda name: terms[name])


def test_equal_sounds_are_no_distance_apart():
    sound = pink_clicks()
    assert af_distance(sound, sound, RATE).total == 0
    assert set(af_distance(sound, sound, RATE).terms()) == {"rms", "crest", "width", "imbalance", "bark"}


@pytest.mark.parametrize("gain", [0.05, 0.5, 3.0])
def test_the_output_gain_is_free(gain: float):
    sound, other = pink_clicks(seed=0), pink_clicks(seed=1) * torch.tensor([[1.0], [0.6]])
    plain, scaled = af_distance(sound, other, RATE), af_distance(gain * sound, other, RATE)
    assert scaled.total == pytest.approx(plain.total, rel=1e-4)


def test_imbalance_answers_to_a_louder_side():
    sound = pink_clicks()
    distance = af_distance(sound * torch.tensor([[1.2], [0.8]]), sound, RATE)
    # energies 1.44 and 0.64: (0.64 − 1.44) / 2.08
    assert distance.imbalance == pytest.approx((0.8 / 2.08) ** 2, rel=0.05)
    assert largest(distance) == "imbalance"
    # the level term is linear: the sides are apart, their joint RMS is not
    expected = (1.2 / math.sqrt(1.04) - 1) ** 2 + (0.8 / math.sqrt(1.04) - 1) ** 2
    level = sound.square().mean()
    assert distance.rms == pytest.approx(0.1 * 0.5 * expected * float(level), rel=0.05)


def test_bark_answers_to_a_tilt():
    sound = pink_clicks(click=0)
    spectrum = torch.fft.rfft(sound)
    hertz = torch.fft.rfftfreq(sound.shape[-1], 1 / RATE)
    tilted = torch.fft.irfft(spectrum * (hertz.clamp(min=20) / 1000) ** 0.3, sound.shape[-1])
    distance = af_distance(tilted, sound, RATE)
    assert largest(distance) == "bark"
    assert distance.bark > 0.01
    assert distance.width < 1e-4
    assert distance.imbalance < 1e-4


def test_bark_reads_a_gain_in_one_band_as_its_logarithm():
    sound = pink_clicks()
    spectrum = torch.fft.rfft(sound)
    hertz = torch.fft.rfftfreq(sound.shape[-1], 1 / RATE)
    boosted = torch.fft.irfft(torch.where(hertz > 5000, 2 * spectrum, spectrum), sound.shape[-1])
    moved = audio_features(boosted, RATE).bark - audio_features(sound, RATE).bark
    assert moved[:, -3:] == pytest.approx(torch.full((2, 3), math.log(2), dtype=torch.float64), abs=0.02)
    assert moved[:, :10].abs().max() < 1e-3


def test_width_answers_to_the_side():
    sound = pink_clicks()
    mid = sound.mean(0, keepdim=True)
    distance = af_distance(mid + 2 * (sound - mid), sound, RATE)
    before = float(audio_features(sound, RATE).width)
    assert distance.width == pytest.approx((3 * before) ** 2, rel=1e-3)
    assert distance.width > 10 * distance.rms
    assert distance.imbalance < 1e-3


def test_crest_answers_to_a_limiter():
    sound = pink_clicks()
    limited = sound.clamp(-0.3, 0.3)
    lost_db = audio_features(sound, RATE).crest_db - audio_features(limited, RATE).crest_db
    distance = af_distance(limited, sound, RATE)
    assert lost_db.min() > 3
    assert distance.crest == pytest.approx(0.001 * float(lost_db.square().mean()))
    assert largest(distance) == "crest"
    assert distance.width < 1e-4
    assert distance.imbalance < 1e-4


def test_the_crest_of_a_sine_is_three_decibels():
    time = torch.arange(RATE, dtype=torch.float64) / RATE
    sine = 0.3 * torch.sin(2 * math.pi * 441 * time).float().expand(2, -1)
    features = audio_features(sine, RATE)
    assert features.crest_db.tolist() == pytest.approx([3.01, 3.01], abs=0.01)
    assert float(features.width) == 0
    assert float(features.imbalance) == 0


def test_a_full_scale_sine_reads_half_in_its_bin():
    step = RATE / 32768
    time = torch.arange(RATE * 3, dtype=torch.float64) / RATE
    magnitude = mean_magnitude(torch.sin(2 * math.pi * 600 * step * time))
    assert int(magnitude.argmax()) == 600
    assert float(magnitude.max()) == pytest.approx(0.5, abs=1e-4)


def test_bands_cover_the_range_and_each_sums_to_one():
    bank = bark_bank(RATE)
    assert bank.shape == (24, 16385)
    assert bank.sum(-1) == pytest.approx(torch.ones(24, dtype=torch.float64))
    centres = bank.argmax(-1) * RATE / 32768
    assert (centres.diff() > 0).all()
    assert 40 < centres[0] < 150
    assert 14_000 < centres[-1] < 17_000


def test_bands_beyond_half_the_rate_are_empty():
    bank = bark_bank(8000)
    assert bank[-1].sum() == 0
    assert af_distance(pink_clicks()[:, :16000], pink_clicks(seed=1)[:, :16000], 8000).bark >= 0


def test_the_side_of_a_mono_sound_is_floored():
    mono = pink_clicks()[:1]
    bark = audio_features(mono, RATE).bark
    assert (bark[0] - bark[1]).max() <= math.log(1000) + 1e-3
    # a side far below hearing is as good as none
    faint = torch.cat((mono, mono * (1 + 1e-6)))
    assert af_distance(faint, mono, RATE).bark < 1e-6


def test_silence_has_no_distance():
    with pytest.raises(ValueError, match="silent"):
        af_distance(torch.zeros(2, RATE), pink_clicks(), RATE)
    with pytest.raises(ValueError, match="channels, time"):
        af_distance(torch.zeros(3, RATE), pink_clicks(), RATE)
