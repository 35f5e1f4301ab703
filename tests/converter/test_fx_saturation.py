from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from fx_sounds import check_gradients, difference_db, music, noise, tone

from styletransfer.converter import fx


def spectrum_db(sound: torch.Tensor) -> torch.Tensor:
    """Of (1, 2, rate): dB relative to its largest bin, one bin per Hz."""
    frames = sound.shape[-1]
    window = torch.hann_window(frames, dtype=torch.float64)
    magnitude = torch.fft.rfft(sound[0, 0].double() * window).abs()
    return 20 * torch.log10(magnitude / magnitude.max() + 1e-12)


@pytest.mark.parametrize("drive_db", [0.001, 0.5, 3.0, 12.0, 30.0])
def test_each_sample_follows_the_curve(drive_db: float) -> None:
    drive = 10 ** (drive_db / 10) - 1
    sound = tone(997, 44_100, 0.1)
    expected = torch.tanh(math.sqrt(drive) * sound) / math.sqrt(drive)
    assert difference_db(fx.saturate(sound, drive_db=drive_db), expected) < -140


def test_quiet_sound_keeps_its_level() -> None:
    sound = tone(1000, 44_100, 0.2, 1e-3)
    assert difference_db(fx.saturate(sound, drive_db=12.0), sound) < -90


def test_overtones_are_odd_and_grow_with_drive() -> None:
    gentle, hard = (
        spectrum_db(fx.saturate(tone(1000, 44_100, 1.0), drive_db=drive_db)) for drive_db in (1.0, 9.0)
    )
    assert hard[3000] > gentle[3000] + 10
    assert gentle[3000] > -50
    assert hard[2000] < -100


@pytest.mark.parametrize(("frequency_hz", "amplitude", "limit_db"), [(2000, 1.0, -87), (5000, 0.25, -70)])
def test_aliases_of_what_music_holds_stay_low(frequency_hz: int, amplitude: float, limit_db: float) -> None:
    spectrum = spectrum_db(fx.saturate(tone(frequency_hz, 44_100, 1.0, amplitude), drive_db=6.0))
    for overtone in range(22_050 // frequency_hz + 1):
        spectrum[max(0, frequency_hz * overtone - 5) : frequency_hz * overtone + 6] = -300
    assert spectrum.max() < limit_db


def test_neutral_is_the_identity_with_a_living_gradient() -> None:
    sound = music(44_100, 0.5)
    drive_db = torch.zeros(1, requires_grad=True)
    out = fx.saturate(sound, drive_db=drive_db)
    assert torch.equal(out, sound)
    (slope,) = torch.autograd.grad((out * sound).sum(), drive_db)
    assert float(slope) < 0


@pytest.mark.parametrize("drive_db", [0.0, 0.01, 3.0, 12.0, 30.0])
def test_gradients_agree_with_differences(drive_db: float) -> None:
    check_gradients(fx.saturate, 5 * noise(8000, 0.1), {"drive_db": drive_db})


def test_training_and_rendering_agree_at_any_block_size() -> None:
    sound = music(44_100, 1.0)
    function = fx.saturate(sound, drive_db=6.0)[0]
    for block_frames in (1 << 16, 1237, 37):
        assert (
            difference_db(
                fx.render(sound[0], [fx.Local(partial(fx.saturate, drive_db=6.0))], block_frames), function
            )
            < -120
        )
