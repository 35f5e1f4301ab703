from __future__ import annotations

import math

import pytest
import torch
from fx_sounds import check_gradients, difference_db, level_db, music, noise, tone
from torch import Tensor

from styletransfer.converter import fx

HARD = {"knee_db": 0.0, "attack_ms": 5.0, "release_ms": 50.0}
COMPRESSOR = {
    "threshold_db": -22.0,
    "ratio": 4.0,
    "knee_db": 6.0,
    "attack_ms": 8.0,
    "release_ms": 120.0,
    "makeup_db": 3.0,
}
EXPANDER = {"threshold_db": -25.0, "ratio": 2.0, "range_db": 24.0, "attack_ms": 3.0, "release_ms": 90.0}


def step(frequency_hz: float, rate: int, before_db: float, after_db: float, seconds: float = 1.0) -> Tensor:
    """A tone that changes its level halfway."""
    sound = tone(frequency_hz, rate, 2 * seconds)
    half = sound.shape[-1] // 2
    sound[..., :half] *= 10 ** (before_db / 20)
    sound[..., half:] *= 10 ** (after_db / 20)
    return sound


def time_to_63_percent_ms(gain_db: Tensor, rate: int) -> float:
    """From the middle of the sound until 63 % of the gain's way from its value there to its last."""
    half = gain_db.shape[-1] // 2
    start, end = float(gain_db[half - rate // 4]), float(gain_db[-rate // 20])
    progress = (gain_db[half:] - start) / (end - start)
    return 1000 * int((progress >= 1 - math.exp(-1)).nonzero()[0]) / rate


@pytest.mark.parametrize(("ratio", "expected_db"), [(4.0, 2.5), (20.0, 0.5), (1.0, 10.0), (0.5, 20.0)])
@pytest.mark.parametrize("frequency_hz", [100.0, 1000.0, 5000.0])
def test_a_tone_10_db_over_the_threshold_comes_out_as_the_ratio_says(
    ratio: float, expected_db: float, frequency_hz: float
) -> None:
    rate = 44_100
    sound = tone(frequency_hz, rate, 1.0, 10 ** (-20 / 20))
    out = fx.compress(sound, rate, threshold_db=-30.0, ratio=ratio, makeup_db=0.0, **HARD)
    assert level_db(out[..., rate // 2 : 3 * rate // 4]) == pytest.approx(-30 + expected_db, abs=0.2)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 192_000])
def test_the_detector_reads_a_tone_as_its_amplitude_without_ripple(rate: int) -> None:
    for frequency_hz in (80.0, 440.0, 3000.0):
        gain_db = fx.compression_gain_db(
            tone(frequency_hz, rate, 0.6, 0.5),
            rate,
            threshold_db=-26.02,
            ratio=20.0,
            knee_db=0.0,
            attack_ms=0.1,
            release_ms=0.1,
        )[0, rate // 5 : 2 * rate // 5]
        assert float(gain_db.mean()) == pytest.approx(-20 * 0.95, abs=0.1)
        assert float(gain_db.max() - gain_db.min()) < 0.2


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
@pytest.mark.parametrize(
    ("frequency_hz", "attack_ms"),
    [
        (100.0, 20.0),
        (100.0, 80.0),
        (1000.0, 5.0),
        (1000.0, 50.0),
        (3900.0, 10.0),
        (5000.0, 5.0),
        (5000.0, 30.0),
    ],
)
def test_attack_and_release_take_their_time(rate: int, frequency_hz: float, attack_ms: float) -> None:
    if frequency_hz > 0.45 * rate:
        frequency_hz = 3000.0
    release_ms = 2 * attack_ms
    setting = {"threshold_db": -40.0, "knee_db": 0.0, "attack_ms": attack_ms, "release_ms": release_ms}
    for ratio in (4.0, 0.5):
        louder = fx.compression_gain_db(step(frequency_hz, rate, -30, -15), rate, ratio=ratio, **setting)
        softer = fx.compression_gain_db(step(frequency_hz, rate, -15, -30), rate, ratio=ratio, **setting)
        assert time_to_63_percent_ms(louder[0], rate) == pytest.approx(attack_ms, rel=0.1)
        assert time_to_63_percent_ms(softer[0], rate) == pytest.approx(release_ms, rel=0.1)


def test_attack_may_be_slower_than_release() -> None:
    setting = {"threshold_db": -40.0, "ratio": 4.0, "knee_db": 0.0, "attack_ms": 90.0, "release_ms": 15.0}
    louder = fx.compression_gain_db(step(1000, 44_100, -30, -15), 44_100, **setting)
    softer = fx.compression_gain_db(step(1000, 44_100, -15, -30), 44_100, **setting)
    assert time_to_63_percent_ms(louder[0], 44_100) == pytest.approx(90, rel=0.1)
    assert time_to_63_percent_ms(softer[0], 44_100) == pytest.approx(15, rel=0.1)


def test_the_knee_bends_by_an_eighth_of_its_width_times_the_slope() -> None:
    sound = tone(1000, 44_100, 1.0, 10 ** (-30 / 20))
    setting = {"threshold_db": -30.0, "ratio": 4.0, "attack_ms": 5.0, "release_ms": 50.0}
    gain_db = fx.compression_gain_db(sound, 44_100, knee_db=12.0, **setting)
    assert float(gain_db[0, 22_050]) == pytest.approx(-0.75 * 12 / 8, abs=0.05)
    hard = fx.compression_gain_db(sound, 44_100, knee_db=0.0, **setting)
    assert abs(float(hard[0, 22_050])) < 0.05


def test_both_channels_get_the_gain_of_the_louder() -> None:
    sound = tone(1000, 44_100, 0.5, 0.5)
    sound[:, 1] *= 0.1
    out = fx.compress(sound, 44_100, **COMPRESSOR)
    assert torch.allclose(out[:, 1], 0.1 * out[:, 0], atol=1e-12)


def test_silence_stays_silent_with_finite_gradients() -> None:
    sound = torch.zeros(1, 2, 4000, requires_grad=True)
    out = fx.expand(fx.compress(sound, 44_100, **COMPRESSOR), 44_100, **EXPANDER)
    out.sum().backward()  # type: ignore[no-untyped-call]
    assert (out == 0).all()
    assert sound.grad is not None
    assert sound.grad.isfinite().all()


@pytest.mark.parametrize(("level", "expected"), [(-20.0, -20.0), (-35.0, -45.0), (-60.0, -84.0)])
def test_the_expander_turns_down_what_is_soft_as_far_as_its_range(level: float, expected: float) -> None:
    sound = tone(1000, 44_100, 2.0, 10 ** (level / 20))
    out = fx.expand(sound, 44_100, **EXPANDER)[..., 44_100:66_150]
    assert level_db(out) == pytest.approx(expected, abs=0.2)


def test_the_expander_opens_with_its_attack_and_closes_with_its_release() -> None:
    setting = {**EXPANDER, "attack_ms": 10.0, "release_ms": 60.0, "range_db": 60.0}
    for before, after, expected in ((-40, -30, 10.0), (-30, -40, 60.0)):
        sound = step(1000, 44_100, before, after)
        ratio = (fx.expand(sound, 44_100, **setting) / sound)[0, 0, 5::11]  # off the zero crossings
        gain_db = 20 * torch.log10(ratio.nan_to_num(1.0).clamp(min=1e-6))
        assert time_to_63_percent_ms(gain_db, 44_100 // 11) == pytest.approx(expected, rel=0.1)


def test_ratio_1_is_neutral_with_a_living_gradient() -> None:
    sound = music(44_100, 1.0)
    ratio = torch.ones(1, requires_grad=True)
    squeezed = fx.compress(sound, 44_100, **{**COMPRESSOR, "ratio": ratio, "makeup_db": 0.0})
    opened = fx.expand(sound, 44_100, **{**EXPANDER, "ratio": ratio})
    for out in (squeezed, opened):
        assert difference_db(out.detach(), sound) < -120
        (slope,) = torch.autograd.grad((out * sound).sum(), ratio)
        assert float(slope) < 0


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 192_000])
def test_training_and_rendering_agree_at_any_block_size(rate: int) -> None:
    sound = music(rate, 2.0)
    squeezed = fx.compress(sound, rate, **COMPRESSOR)[0]
    opened = fx.expand(sound, rate, **EXPANDER)[0]
    for block_frames in (1 << 16, 1237, 50_001):
        rendered = fx.render(sound[0], [fx.Compressor(rate, **COMPRESSOR)], block_frames)
        assert difference_db(rendered, squeezed) < -100
        rendered = fx.render(sound[0], [fx.Expander(rate, **EXPANDER)], block_frames)
        assert difference_db(rendered, opened) < -100


def test_upward_expansion_renders_too() -> None:
    setting = {**COMPRESSOR, "ratio": 0.6, "makeup_db": 0.0}
    sound = 0.3 * music(44_100, 2.0)
    rendered = fx.render(sound[0], [fx.Compressor(44_100, **setting)], 3001)
    assert difference_db(rendered, fx.compress(sound, 44_100, **setting)[0]) < -100
    assert rendered.abs().max() > sound.abs().max()


def test_each_example_of_a_batch_has_its_own_setting() -> None:
    sound = music(44_100, 0.7)
    batch = {name: torch.tensor([value, value]) for name, value in COMPRESSOR.items()}
    batch["ratio"], batch["attack_ms"] = torch.tensor([4.0, 0.7]), torch.tensor([8.0, 200.0])
    together = fx.compress(sound.expand(2, -1, -1), 44_100, **batch)
    for index in range(2):
        alone = fx.compress(sound, 44_100, **{name: float(value[index]) for name, value in batch.items()})
        assert difference_db(together[index], alone[0]) < -100


@pytest.mark.parametrize("ratio", [0.7, 1.0, 4.0])
def test_compressor_gradients_agree_with_differences(ratio: float) -> None:
    def function(samples: Tensor, **setting: Tensor) -> Tensor:
        return fx.compress(samples, 8000, **{**COMPRESSOR, "ratio": ratio, **setting})

    sound = music(8000, 0.6).double()
    if ratio == 1:  # where the others rightly have no influence
        check_gradients(function, sound, {"ratio": 1.0, "makeup_db": 3.0}, step=1e-6)
    else:
        check_gradients(function, sound, {**COMPRESSOR, "ratio": ratio}, step=1e-6)


def test_expander_gradients_agree_with_differences() -> None:
    def function(samples: Tensor, **setting: Tensor) -> Tensor:
        return fx.expand(samples, 8000, **setting)

    sound = torch.cat((music(8000, 0.4).double(), 1e-3 * noise(8000, 0.3)), dim=-1)
    check_gradients(function, sound, EXPANDER, step=1e-6)
