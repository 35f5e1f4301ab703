from __future__ import annotations

import math

import pytest
import torch
from fx_sounds import check_gradients, difference_db, level_db, music, noise
from scipy.signal import butter, sosfiltfilt
from torch import Tensor

from styletransfer.converter import fx

ROOM = {"decay_s": 1.2, "damping": 0.5, "predelay_ms": 15.0, "wet": 0.4}


def response(rate: int, seconds: float, **room: float) -> Tensor:
    """What the room adds to a click: (2, time)."""
    click = torch.zeros(1, 2, round(rate * seconds), dtype=torch.float64)
    click[..., 0] = 1
    return (fx.reverberate(click, rate, **{**ROOM, "wet": 1.0, **room}) - click)[0]


def rt60_s(sound: Tensor, rate: int, low_hz: float, high_hz: float) -> float:
    """By Schroeder's backward integration between -5 and -35 dB within a band."""
    band = sosfiltfilt(butter(4, (low_hz, high_hz), "bandpass", fs=rate, output="sos"), sound.numpy())
    energy = torch.from_numpy(band.copy()).square().sum(0).flip(0).cumsum(0).flip(0)
    decay_db = 10 * torch.log10(energy / energy[0])
    start, end = (int((decay_db < level).nonzero()[0]) for level in (-5, -35))
    return 2 * (end - start) / rate


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
@pytest.mark.parametrize("decay_s", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("damping", [0.0, 0.8])
def test_mid_frequencies_fall_60_db_in_the_decay_time(rate: int, decay_s: float, damping: float) -> None:
    sound = response(rate, 2 * decay_s, decay_s=decay_s, damping=damping)
    assert rt60_s(sound, rate, 700, 1400) == pytest.approx(decay_s, rel=0.1)


def test_damping_shortens_high_bands_only() -> None:
    bright, dull = (response(44_100, 3.0, damping=damping) for damping in (0.0, 1.0))
    assert rt60_s(bright, 44_100, 9000, 16_000) == pytest.approx(1.2, rel=0.1)
    assert rt60_s(dull, 44_100, 9000, 16_000) == pytest.approx(0.12, rel=0.15)
    assert rt60_s(dull, 44_100, 2400, 3500) == pytest.approx(0.6, rel=0.15)
    assert rt60_s(dull, 44_100, 100, 400) == pytest.approx(1.2, rel=0.1)


def test_the_room_answers_after_the_predelay() -> None:
    sound = response(44_100, 1.0, predelay_ms=50.0)
    assert sound[:, :2200].abs().max() < 0.05 * sound.abs().max()
    assert level_db(sound[:, 2206:2400]) > level_db(sound[:, :2200]) + 20


@pytest.mark.parametrize("room", [{}, {"decay_s": 0.2}, {"damping": 1.0}])
def test_fully_wet_noise_meets_a_reverb_as_strong_as_itself(room: dict[str, float]) -> None:
    sound = noise(44_100, 6.0)
    added = fx.reverberate(sound, 44_100, **{**ROOM, "wet": 1.0, **room}) - sound
    steady = slice(3 * 44_100, None)
    assert level_db(added[..., steady]) == pytest.approx(level_db(sound[..., steady]), abs=0.5)


def test_left_and_right_are_decorrelated() -> None:
    left, right = response(44_100, 2.0)
    assert abs(float((left * right).sum() / (left.norm() * right.norm()))) < 0.05


def test_neutral_is_the_identity_with_a_living_gradient() -> None:
    sound = music(44_100, 1.0)
    wet = torch.zeros(1, requires_grad=True)
    out = fx.reverberate(sound, 44_100, **{**ROOM, "wet": wet})
    assert torch.equal(out, sound)
    (slope,) = torch.autograd.grad((out * sound.roll(3000, -1)).sum(), wet)
    assert math.isfinite(float(slope))
    assert float(slope) != 0


def test_gradients_agree_with_differences() -> None:
    def function(samples: Tensor, **room: Tensor) -> Tensor:
        return fx.reverberate(samples, 8000, **room)

    check_gradients(function, noise(8000, 0.8), {**ROOM, "decay_s": 0.6})


def test_what_was_rendered_in_inference_mode_still_trains() -> None:
    """The noise that rendering leaves in the cache must not be a tensor that refuses gradients."""
    rate = 9000  # of no other test, so that this one fills the cache
    sound = music(rate, 0.3)
    with torch.inference_mode():
        fx.render(sound[0], [fx.Reverb(rate, **ROOM)])
    decay_s = torch.tensor(ROOM["decay_s"], requires_grad=True)
    fx.reverberate(sound, rate, **{**ROOM, "decay_s": decay_s}).square().sum().backward()  # type: ignore[no-untyped-call]
    assert decay_s.grad is not None
    assert float(decay_s.grad) != 0


@pytest.mark.parametrize(
    "room", [{"decay_s": 0.1}, {"decay_s": 10.0}, {"predelay_ms": 0.0}, {"predelay_ms": 200.0}]
)
def test_the_ends_of_the_ranges_work(room: dict[str, float]) -> None:
    sound = response(8000, 12.0, **{"damping": 0.0, **room})
    assert sound.isfinite().all()
    assert float(sound.square().sum()) == pytest.approx(2.0, rel=0.02)
    first = int((sound[0].abs() > 0.1 * sound[0].abs().max()).nonzero()[0])
    assert first / 8 == pytest.approx(room.get("predelay_ms", 15.0), abs=2.0)


def test_each_example_of_a_batch_has_its_own_room() -> None:
    sound = music(44_100, 1.0)
    batch = {name: torch.tensor([value, value / 2]) for name, value in ROOM.items()}
    together = fx.reverberate(sound.expand(2, -1, -1), 44_100, **batch)
    for index in range(2):
        alone = fx.reverberate(sound, 44_100, **{name: float(value[index]) for name, value in batch.items()})
        assert difference_db(together[index], alone[0]) < -70


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_training_and_rendering_agree_at_any_block_size(rate: int) -> None:
    sound = music(rate, 2.0)
    function = fx.reverberate(sound, rate, **ROOM)[0]
    for block_frames in (1 << 16, 50_001, rate // 7):
        assert difference_db(fx.render(sound[0], [fx.Reverb(rate, **ROOM)], block_frames), function) < -100
