"""Content kept: an equalizer and a gain keep it, other music does not."""

from __future__ import annotations

import pytest
import torch

from styletransfer.audio import Audio
from styletransfer.evaluation.content import content_kept
from styletransfer.evaluation.sides import short_term_crest_db, side_measures
from styletransfer.evaluation.sound import RATE


def tune(seed: int, seconds: int = 12) -> Audio:
    """Plucked notes at random times and pitches of a scale."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(RATE) / RATE
    samples = torch.zeros(2, seconds * RATE)
    for _ in range(6 * seconds):
        degree = int(torch.randint(15, (1,), generator=generator))
        hertz = 110 * 2 ** ((degree * 12 // 7) / 12)
        start = int(torch.randint((seconds - 1) * RATE, (1,), generator=generator))
        note = torch.exp(-8 * time) * sum(torch.sin(6.2832 * hertz * k * time) / k for k in (1, 2, 3, 4))
        samples[:, start : start + RATE] += 0.1 * note
    return Audio(samples + 1e-4 * torch.randn(samples.shape, generator=generator), RATE)


def filtered(sound: Audio) -> Audio:
    """A short filter that lifts treble and halves the level."""
    taps = torch.tensor([0.0, -0.3, 1.0, -0.3, 0.05]).flip(0)[None, None] / 2
    return Audio(torch.nn.functional.conv1d(sound.samples[:, None], taps, padding=2)[:, 0].contiguous(), RATE)


def test_the_same_sound_keeps_everything():
    kept = content_kept(tune(0), tune(0))
    assert kept.onsets == pytest.approx(1, abs=1e-4)
    assert kept.chroma == pytest.approx(1, abs=1e-4)
    assert kept.si_sdr_db > 60


def test_an_equalizer_and_a_gain_keep_it():
    kept = content_kept(filtered(tune(0)), tune(0))
    assert kept.onsets > 0.98
    assert kept.chroma > 0.98
    assert kept.si_sdr_db > 60


def test_noise_reads_as_its_level():
    sound = tune(0)
    noise = torch.randn(sound.samples.shape[-1], generator=torch.Generator().manual_seed(1))
    power = sound.samples.square().mean()
    dirty = Audio(sound.samples + noise * (power * 0.01).sqrt(), RATE)
    assert content_kept(dirty, sound).si_sdr_db == pytest.approx(20, abs=0.3)


def test_what_rings_in_a_pause_is_no_other_harmony():
    sound = tune(0)
    sound.samples[:, 2 * RATE : 4 * RATE] = 0
    ringing = sound.samples.clone()
    ringing[:, 2 * RATE : 4 * RATE] = 1e-3 * tune(1).samples[:, 2 * RATE : 4 * RATE]
    assert content_kept(Audio(ringing, RATE), sound).chroma > 0.98
    assert content_kept(sound, Audio(ringing, RATE)).chroma > 0.98


def test_other_music_keeps_nothing():
    kept = content_kept(tune(1), tune(0))
    assert kept.onsets < 0.4
    assert kept.chroma < 0.7
    assert kept.si_sdr_db < 3


def test_both_must_be_at_the_measuring_rate():
    with pytest.raises(ValueError, match="44100"):
        content_kept(Audio(torch.zeros(2, 100), 48_000), tune(0))


def test_side_measures_read_known_figures():
    noise = torch.randn(2, 10 * RATE, generator=torch.Generator().manual_seed(0)) * 0.1
    noise = Audio(noise, RATE)
    wide = side_measures(noise)
    assert wide.width_db == pytest.approx(0, abs=0.1)
    mid = noise.samples.mean(0, keepdim=True)
    narrow = side_measures(Audio(mid + 0.1 * (noise.samples - mid), RATE))
    assert narrow.width_db == pytest.approx(-20, abs=0.1)
    assert side_measures(Audio(mid, RATE)).width_db == -60
    quiet_half = noise.samples.clone()
    quiet_half[:, : 5 * RATE] *= 10 ** (-8 / 20)
    assert side_measures(Audio(quiet_half, RATE)).range_lu == pytest.approx(8, abs=0.8)
    assert wide.range_lu < 0.5
    assert narrow.apart(wide)["width_db"] == pytest.approx(20, abs=0.2)


def test_short_term_crest_ignores_one_peak_and_silence():
    sine = 0.5 * torch.sin(6.283185307 * 440 * torch.arange(20 * RATE, dtype=torch.float64) / RATE)
    samples = sine.float().expand(2, -1).clone()
    samples[:, RATE] = 1.0
    samples[:, 10 * RATE :] = 0
    assert short_term_crest_db(samples, RATE) == pytest.approx(3.01, abs=0.02)
    assert short_term_crest_db(torch.zeros(2, RATE), RATE) == 0
