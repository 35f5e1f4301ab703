from __future__ import annotations

import pytest
import torch
from fx_sounds import check_gradients, difference_db, level_db, noise

from styletransfer.converter import fx


def test_gain_moves_the_level_by_its_decibels() -> None:
    sound = noise(44_100, 0.2)
    assert level_db(fx.gain(sound, gain_db=-7.3)) == pytest.approx(level_db(sound) - 7.3, abs=1e-6)


def test_gain_takes_one_value_per_example() -> None:
    sound = noise(44_100, 0.1).expand(2, -1, -1)
    louder = fx.gain(sound, gain_db=torch.tensor([0.0, 6.0]))
    assert torch.equal(louder[0], sound[0])
    assert level_db(louder[1]) == pytest.approx(level_db(sound[1]) + 6, abs=1e-6)


@pytest.mark.parametrize("position", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_balance_keeps_the_power_of_a_mono_sound(position: float) -> None:
    sound = noise(44_100, 0.1)[:, :1].expand(-1, 2, -1)
    assert level_db(fx.balance(sound, balance=position)) == pytest.approx(level_db(sound), abs=1e-6)


def test_balance_at_its_ends_silences_one_side() -> None:
    sound = noise(44_100, 0.1)
    left, right = fx.balance(sound, balance=-1.0)[0], fx.balance(sound, balance=1.0)[0]
    assert left[1].abs().max() < 1e-12
    assert right[0].abs().max() < 1e-12
    assert level_db(left[0]) == pytest.approx(level_db(sound[0, 0]) + 3.01, abs=0.01)


def test_width_zero_is_mono_and_two_doubles_the_side() -> None:
    sound = noise(44_100, 0.1)
    mono, wide = fx.widen(sound, width=0.0), fx.widen(sound, width=2.0)
    assert torch.allclose(mono[:, 0], mono[:, 1], atol=1e-15)
    assert torch.allclose(wide.sum(1), sound.sum(1), atol=1e-15)
    assert torch.allclose(wide[:, 0] - wide[:, 1], 2 * (sound[:, 0] - sound[:, 1]), atol=1e-15)


def test_neutral_settings_change_no_bit() -> None:
    sound = noise(44_100, 0.1).float()
    for neutral in (fx.gain(sound, gain_db=0.0), fx.balance(sound, balance=0.0), fx.widen(sound, width=1.0)):
        assert torch.equal(neutral, sound)


@pytest.mark.parametrize("value", [-0.4, 0.0, 1.0])
def test_gradients_agree_with_differences(value: float) -> None:
    sound = noise(8000, 0.05)
    check_gradients(fx.gain, sound, {"gain_db": value})
    check_gradients(fx.balance, sound, {"balance": value})
    check_gradients(fx.widen, sound, {"width": value})


def test_memoryless_effects_render_as_they_are() -> None:
    sound = noise(44_100, 0.3).float()
    stages = [fx.Local(lambda block: fx.widen(block, width=1.6))]
    assert difference_db(fx.render(sound[0], stages, 997), fx.widen(sound, width=1.6)[0]) < -140


@pytest.mark.parametrize("shape", [(2, 100), (1, 1, 100), (1, 3, 100)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="samples must be float"):
        fx.gain(torch.zeros(shape), gain_db=0.0)


def test_parameters_of_another_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="parameter must be one number or"):
        fx.gain(torch.zeros(2, 2, 10), gain_db=torch.zeros(3))
