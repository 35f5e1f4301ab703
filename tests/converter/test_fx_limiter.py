from __future__ import annotations

import math

import numpy as np
import pyebur128
import pytest
import torch
from fx_sounds import check_gradients, difference_db, music, noise, tone
from torch import Tensor

from styletransfer.converter import fx


def true_peak_db(sound: Tensor, rate: int) -> float:
    """By libebur128, of (2, time)."""
    meter = pyebur128.R128State(2, rate, pyebur128.MeasurementMode.MODE_TRUE_PEAK)
    frames = np.ascontiguousarray(sound.double().numpy().T)
    meter.add_frames(frames.ravel(), len(frames))
    return 20 * math.log10(max(pyebur128.get_true_peak(meter, channel) for channel in (0, 1)))


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 96_000, 192_000])
def test_music_pushed_6_db_into_the_ceiling_stays_below_it(rate: int) -> None:
    sound = music(rate, 4.0) * 10 ** (5 / 20)
    out = fx.render(sound[0], [fx.Limiter(rate, ceiling_db=-1.0, release_ms=80.0)])
    assert -1.3 < true_peak_db(out, rate) < -0.9


@pytest.mark.parametrize("phase", [0.25, 0.5, 0.8])
def test_peaks_between_samples_count(phase: float) -> None:
    """A tone at a quarter of the rate, sampled off its crests, is louder than its samples."""
    time = torch.arange(44_100, dtype=torch.float64)
    fade = torch.sin(math.pi * time / len(time))
    sound = (fade * torch.sin(math.pi / 2 * time + math.pi * phase)).expand(1, 2, -1)
    out = fx.limit(sound, 44_100, ceiling_db=-3.0, release_ms=100.0)[0]
    assert -3.1 < true_peak_db(out, 44_100) < -2.9


@pytest.mark.parametrize("place", [0, 1, 7, 8, 15, 16, 3000, 3999])
def test_a_single_click_anywhere_is_caught(place: int) -> None:
    sound = 0.1 * torch.ones(1, 2, 4000)
    sound[0, 1, place] = -3
    out = fx.limit(sound, 44_100, ceiling_db=0.0, release_ms=50.0)
    assert out.abs().max() <= 1.0001
    assert out[0, 1, place] < -0.9


def test_sound_below_the_ceiling_is_untouched() -> None:
    sound = 0.5 * music(44_100, 1.0)
    for ceiling_db in (-3.0, 12.0):  # the second is beyond anything interpolation could reach
        assert torch.equal(fx.limit(sound, 44_100, ceiling_db=ceiling_db, release_ms=100.0), sound)


def test_the_gain_comes_back_with_its_release() -> None:
    sound = tone(1000, 44_100, 2.0, 0.1)
    sound[..., :44_100] *= 40  # 12 dB over full scale
    out = fx.limit(sound, 44_100, ceiling_db=0.0, release_ms=200.0)
    reduction_db = -20 * torch.log10(out[0, 0, 5::11] / sound[0, 0, 5::11])
    assert float(reduction_db[2000]) == pytest.approx(12.04, abs=0.05)
    assert float(reduction_db[(44_100 + 8820) // 11]) == pytest.approx(12.04 * math.exp(-1), rel=0.05)


def test_the_gain_moves_without_clicks() -> None:
    """A swelling bass note has no treble of its own; what is there after limiting, the gain put there."""
    time_s = torch.arange(2 * 44_100, dtype=torch.float64) / 44_100 - 1
    swell = 0.1 + torch.exp(-(time_s / 0.08).square())
    sound = (swell * torch.sin(2 * math.pi * 110 * time_s)).expand(1, 2, -1)
    out = fx.limit(sound, 44_100, ceiling_db=-12.0, release_ms=60.0)
    power = torch.fft.rfft(out[0, 0] * torch.hann_window(2 * 44_100, dtype=torch.float64)).abs().square()
    assert 10 * math.log10(float(power[2 * 3000 :].sum() / power.sum())) < -85


def test_both_channels_get_one_gain() -> None:
    sound = 3 * music(44_100, 0.5)
    sound[:, 1] = 0.1 * sound[:, 0]
    out = fx.limit(sound, 44_100, ceiling_db=-1.0, release_ms=100.0)
    assert torch.allclose(out[:, 1], 0.1 * out[:, 0], atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_training_and_rendering_agree_at_any_block_size(rate: int) -> None:
    sound = music(rate, 2.0) * 2
    function = fx.limit(sound, rate, ceiling_db=-1.0, release_ms=100.0)[0]
    for block_frames in (1 << 16, 1237, 50_001):
        stage = fx.Limiter(rate, ceiling_db=-1.0, release_ms=100.0)
        assert difference_db(fx.render(sound[0], [stage], block_frames), function) < -100
        assert stage.largest_reduction_db == pytest.approx(7, abs=0.5)


def test_gradients_agree_with_differences() -> None:
    def function(samples: Tensor, **setting: Tensor) -> Tensor:
        return fx.limit(samples, 8000, **setting)

    check_gradients(function, 12 * noise(8000, 0.3), {"ceiling_db": -1.0, "release_ms": 60.0}, step=1e-6)
