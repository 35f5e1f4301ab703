"""The effects do what their names promise: physics, and closeness to the console where it is claimed."""

from __future__ import annotations

import math

import pytest
import torch
from chain_sounds import RATE, difference_db, music, settings, through, tone
from torch import Tensor

from styletransfer.chains.effects import IMPLEMENTATIONS
from styletransfer.chains.parameters import BANDS
from styletransfer.converter import fx


def level_db(samples: Tensor) -> float:
    return 10 * math.log10(float(samples.double().square().mean()) + 1e-30)


def balance_db(samples: Tensor) -> float:
    return level_db(samples[:, 1]) - level_db(samples[:, 0])


def side_over_mid_db(samples: Tensor) -> float:
    return level_db(samples[:, 0] - samples[:, 1]) - level_db(samples[:, 0] + samples[:, 1])


def test_the_equalizer_is_the_consoles() -> None:
    values = settings("eq", 3)
    bands = [
        torch.stack([values[f"{b}{end}"] for b in BANDS], 1) for end in ("_gain_db", "_frequency_hz", "_q")
    ]
    expected = fx.equalize(music(), RATE, gain_db=bands[0], frequency_hz=bands[1], q=bands[2])
    assert difference_db(through("eq", "console", music()), expected) < -60


def test_the_side_equalizer_is_the_consoles() -> None:
    values = settings("mid_side_eq", 3)

    def bands(prefix: str) -> fx.Bands:
        names = (prefix + "{}_gain_db", "{}_frequency_hz", "{}_q")
        return fx.Bands(*(torch.stack([values[name.format(b)] for b in BANDS], 1) for name in names))

    expected = fx.mid_side_equalize(music(), RATE, mid=bands("mid_"), side=bands("side_"))
    assert difference_db(through("mid_side_eq", "console", music()), expected) < -60


def test_the_dynamics_follow_the_consoles_laws() -> None:
    compressed = fx.compress(music(), RATE, **settings("compressor", 3), makeup_db=0.0)
    assert difference_db(through("compressor", "console", music()), compressed) < -18
    expanded = fx.expand(music(), RATE, **settings("expander", 3))
    assert difference_db(through("expander", "console", music()), expanded) < -18
    limited = fx.limit(music(), RATE, **settings("limiter", 3))
    assert difference_db(through("limiter", "console", music()), limited) < -18


def test_the_saturation_is_the_consoles() -> None:
    expected = fx.saturate(music(), drive_db=24.0)
    assert difference_db(through("saturation", "console", music()), expected) < -100


@pytest.mark.parametrize("name", ["console", "linear_phase", "bells", "graphic"])
def test_a_boosted_band_rises_and_others_stay(name: str) -> None:
    resting = {f"{band}_gain_db": 0.0 for band in BANDS} | {f"{band}_q": 1.0 for band in BANDS}
    boost = resting | {"middle_gain_db": 12.0}
    low, middle = tone(80), tone(1732)
    assert level_db(through("eq", name, middle, **boost)) - level_db(middle) == pytest.approx(12, abs=3)
    assert abs(level_db(through("eq", name, low, **boost)) - level_db(low)) < 1


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["eq"]))
def test_end_bands_tilt_the_sound_as_asked(name: str) -> None:
    quiet = {f"{band}_gain_db": 0.0 for band in BANDS}
    bright = quiet | {"low_gain_db": -12.0, "high_gain_db": 12.0, "low_q": 0.7, "high_q": 0.7}
    low = level_db(through("eq", name, tone(35), **bright)) - level_db(tone(35))
    high = level_db(through("eq", name, tone(12_000), **bright)) - level_db(tone(12_000))
    assert low < -4
    assert high > 4


@pytest.mark.parametrize("name", [n for n in IMPLEMENTATIONS["compressor"] if n != "parallel"])
def test_compressors_reduce_steps_by_their_ratio(name: str) -> None:
    """A tone 20 dB above the threshold at 4:1 ends 15 dB softer; detectors may differ by 3 dB."""
    samples = tone(1000, 2.0, amplitude=0.1)
    output = through(
        "compressor",
        name,
        samples,
        threshold_db=-40.0,
        ratio=4.0,
        knee_db=0.1,
        attack_ms=5.0,
        release_ms=50.0,
    )
    end = slice(RATE, None)
    change = level_db(output[..., end]) - level_db(samples[..., end])
    assert change == pytest.approx(-15, abs=2.5)


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["compressor"]))
def test_compressors_leave_what_is_below_the_threshold(name: str) -> None:
    samples = tone(440, 1.0, amplitude=0.01)
    assert difference_db(through("compressor", name, samples, threshold_db=-20.0, knee_db=1.0), samples) < -60


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["expander"]))
def test_expanders_turn_the_soft_down_and_leave_the_loud(name: str) -> None:
    loud, soft = tone(440, 1.0, amplitude=0.5), tone(440, 1.0, amplitude=0.005)
    late = slice(RATE // 2, None)
    setting = {"threshold_db": -30.0, "range_db": 20.0, "ratio": 6.0, "attack_ms": 2.0, "release_ms": 60.0}
    assert level_db(through("expander", name, loud, **setting)[..., late]) == pytest.approx(
        level_db(loud[..., late]), abs=0.1
    )
    assert level_db(through("expander", name, soft, **setting)[..., late]) == pytest.approx(
        level_db(soft[..., late]) - 20, abs=1
    )


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["limiter"]))
def test_limiters_keep_the_ceiling(name: str) -> None:
    output = through("limiter", name, music(), ceiling_db=-20.0)
    assert float(output.abs().max()) <= 10 ** (-20 / 20) * 1.03


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["saturation"]))
def test_more_drive_bends_more(name: str) -> None:
    samples = music()
    changes = []
    for drive_db in (10.0, 30.0):
        output = through("saturation", name, samples, drive_db=drive_db)
        scale = (output * samples).sum() / samples.square().sum()
        changes.append(difference_db(output, scale * samples))
    assert changes[1] > changes[0] + 3


def test_even_overtones_come_from_the_asymmetric_bend_alone() -> None:
    samples = tone(441, 1.0, amplitude=0.2)

    def second_db(name: str) -> float:
        power = torch.fft.rfft(through("saturation", name, samples)[0, 0].double()).abs().square()
        return 10 * math.log10(float(power[882] / power[441]) + 1e-30)

    assert second_db("asymmetric") > -30
    assert second_db("console") < -80


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["pan"]))
def test_pan_moves_the_balance_to_the_side_asked_for(name: str) -> None:
    samples = music()
    centre, left, right = (
        balance_db(through("pan", name, samples, position=position)) for position in (0.5, 0.15, 0.85)
    )
    assert left < centre - 2.5
    assert right > centre + 2.5
    if name != "console":
        return
    # the −4.5 dB law: the ratio of the channels is the square root of ((1 − p)·cos)/(p·sin)
    law_db = 10 * math.log10(0.85 * math.sin(0.85 * math.pi / 2) / (0.15 * math.cos(0.85 * math.pi / 2)))
    assert right - centre == pytest.approx(law_db, abs=0.01)
    middle = through("pan", name, samples, position=0.5)
    assert level_db(middle) - level_db(samples) == pytest.approx(-4.515, abs=0.01)


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["width"]))
def test_width_goes_from_mono_to_wider(name: str) -> None:
    samples = tone(100, 1.0) + 0.5 * tone(330, 1.0) * torch.tensor([[[1.0], [-1.0]]])
    before = side_over_mid_db(samples)
    assert side_over_mid_db(through("width", name, samples, width=0.0)) < before - (
        12 if name == "shuffling" else 60
    )
    assert side_over_mid_db(through("width", name, samples, width=3.0)) > before + 1
    assert difference_db(through("width", name, samples, width=1.0), samples) < -60


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["reverb"]))
def test_a_low_cut_keeps_lows_out_of_the_room(name: str) -> None:
    low, high = tone(60, 2.0), tone(2000, 2.0)
    cut = {"low_cut_hz": 250.0, "wet": 1.0, "damping": 0.0}
    assert difference_db(through("reverb", name, low, **cut), low) < -25
    assert difference_db(through("reverb", name, high, **cut), high) > -25


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["reverb"]))
def test_rooms_are_as_strong_as_their_wet_level(name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    noise = 0.1 * torch.randn(1, 2, 3 * RATE, generator=generator)
    room = through("reverb", name, noise, wet=0.5, damping=0.3) - noise
    assert level_db(room) - level_db(noise) == pytest.approx(-6, abs=1.5)


@pytest.mark.parametrize("name", ["console", "chamber", "velvet", "combs"])
def test_rooms_ring_as_long_as_they_say(name: str) -> None:
    click = torch.zeros(1, 2, 4 * RATE)
    click[..., 0] = 1
    tail = (through("reverb", name, click, decay_s=2.0, damping=0.0, predelay_ms=0.0, wet=1.0) - click)[0, 0]
    early, late = (level_db(tail[round(a * RATE) : round((a + 0.3) * RATE)]) for a in (0.2, 1.2))
    assert early - late == pytest.approx(30, abs=6)


@pytest.mark.parametrize("name", list(IMPLEMENTATIONS["codec"]))
def test_codecs_do_not_shift_the_sound(name: str) -> None:
    samples = music()[:1]
    for kilobits in (64.0, 128.0, 256.0):
        output = through("codec", name, samples, kilobits_per_s=kilobits)
        spectrum = torch.fft.rfft(output[0, 0]) * torch.fft.rfft(samples[0, 0]).conj()
        assert int(torch.fft.irfft(spectrum, samples.shape[-1]).argmax()) == 0
        assert difference_db(output, samples) < -5
