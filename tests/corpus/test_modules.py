"""A module comes apart into stems that sum to it, each instrument in its class."""

from __future__ import annotations

import ctypes.util

import pytest
import torch
from corpus_sounds import module, tone

from styletransfer.corpus import modules
from styletransfer.corpus.modules import Look
from styletransfer.corpus.openmpt import Module
from styletransfer.errors import AudioError

needs_openmpt = pytest.mark.skipif(ctypes.util.find_library("openmpt") is None, reason="no libopenmpt here")


@needs_openmpt
def test_instruments_alone_sum_to_the_mix() -> None:
    parts = []
    for instruments in ([0], [1], [2], [0, 1, 2]):
        with Module(module()) as opened:
            opened.set_up(separation_percent=50)
            opened.play_only(instruments)
            parts.append(opened.render(44_100, 0.0, 5.0))
    mix = parts.pop()
    assert all(part.abs().max() > 0.01 for part in parts)
    error = (torch.stack(parts).sum(0) - mix).square().sum() / mix.square().sum()
    assert 10 * torch.log10(error) < -60


@needs_openmpt
def test_strikes_tell_when_what_is_struck() -> None:
    with Module(module()) as opened:
        assert opened.duration_s == pytest.approx(4 * 64 * 6 * 0.02, abs=0.1)
        strikes = opened.strikes(0.0, 4.0)
    noises = [time_s for time_s, instrument, _ in strikes if instrument == 0]
    assert noises[:4] == pytest.approx([0.0, 0.48, 0.96, 1.44], abs=0.02)  # four rows of six ticks of 20 ms
    assert {instrument for _, instrument, _ in strikes} == {0, 1, 2}


@needs_openmpt
def test_noise_is_drums_the_low_saw_bass_and_the_high_one_other() -> None:
    song = modules.render(module(), 20.0, torch.Generator().manual_seed(0))
    assert set(song.stems) == {"drums", "bass", "other"}
    assert song.title == "made here"
    spectra = {name: torch.fft.rfft(samples.mean(0)).abs() for name, samples in song.stems.items()}
    hertz = torch.fft.rfftfreq(song.stems["bass"].shape[1], 1 / 44_100)
    centre = {name: float((hertz * power**2).sum() / (power**2).sum()) for name, power in spectra.items()}
    assert centre["bass"] < centre["other"]
    assert centre["bass"] < 400


@needs_openmpt
def test_the_same_seed_renders_alike_and_another_does_not() -> None:
    first, again, other = (
        modules.render(module(), 12.0, torch.Generator().manual_seed(seed)).stems for seed in (1, 1, 2)
    )
    assert torch.equal(first["bass"], again["bass"])
    assert first["bass"].shape != other["bass"].shape or not torch.equal(first["bass"], other["bass"])


@needs_openmpt
def test_no_module_and_no_song() -> None:
    with pytest.raises(AudioError, match="no tracker module"):
        Module(b"not a module")


@pytest.mark.parametrize(
    ("name", "look", "stem"),
    [
        ("BassDrum 2", Look(1, 0.9, 0.01, 0.2, 50, 1), "drums"),
        ("slap bass", Look(1, 0.2, 0.01, 0.5, 50, 8), "bass"),
        ("", Look(1, 0.05, 0.3, 0.1, 100, 1), "drums"),
        ("", Look(1, 0.9, 0.002, 0.15, 100, 1), "drums"),
        ("", Look(1, 0.8, 0.002, 0.5, 60, 7), "bass"),
        ("", Look(1, 0.1, 0.002, 0.8, 60, 9), "other"),
        ("strings", Look(1, 0.1, 0.02, 1.5, 4, 1), "other"),
    ],
)
def test_classes_by_name_by_sound_and_by_use(name: str, look: Look, stem: str) -> None:
    assert modules.classify(name, look) == stem


@pytest.mark.parametrize("pitch", [45.0, 57.3, 69.0, 84.0])
def test_the_pitch_of_a_tone(pitch: float) -> None:
    samples = tone(440 * 2 ** ((pitch - 69) / 12))[0, :4096]
    assert modules.pitch_of(samples, 44_100) == pytest.approx(pitch, abs=0.1)


def test_noise_has_no_pitch() -> None:
    noise = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    assert modules.pitch_of(noise, 44_100) is None
