"""The differentiable console renders what the renderer renders, and its knobs have gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from styletransfer.converter import fx, mixing, parameters
from styletransfer.converter.console import MASTER, STRIP, Settings, for_louder, neutral
from styletransfer.converter.rendering import stages_of

RATE = 44100


def noise(batch: int, seconds: float) -> Tensor:
    decay = torch.exp(-(torch.arange(round(RATE * seconds)) % (RATE // 4)) / 3000)
    return 0.2 * torch.randn(batch, 2, round(RATE * seconds), generator=Generator().manual_seed(1)) * decay


def busy() -> Settings:
    settings = neutral(STRIP)
    settings["eq"] |= {"peak_1_gain_db": 5.0, "high_shelf_gain_db": -4.0}
    settings["side_eq"] |= {"peak_3_gain_db": 6.0}
    settings["compressor"] |= {"ratio": 4.0, "threshold_db": -20.0, "makeup_db": 3.0}
    settings["expander"] |= {"ratio": 2.0, "threshold_db": -15.0, "range_db": 6.0}
    settings["saturation"] |= {"drive_db": 6.0}
    settings["width"] |= {"width": 1.5}
    settings["balance"] |= {"balance": 0.2}
    settings["reverb"] |= {"wet": 0.3}
    settings["gain"] |= {"gain_db": -2.0}
    return settings


def test_a_batch_comes_out_as_the_renderer_renders_each() -> None:
    samples = noise(2, 2.0)
    both = torch.stack([parameters.positions(STRIP, busy()), parameters.positions(STRIP, neutral(STRIP))])
    mixed = mixing.process(samples, RATE, STRIP, parameters.values_at(STRIP, both))
    rendered = fx.render(samples[0], stages_of(STRIP, busy(), RATE))
    later = (mixed[0] - rendered)[:, RATE:]  # there, the second detector began in silence
    assert later.square().mean() < 1e-8 * rendered.square().mean()
    assert (mixed[1] - samples[1]).square().mean() < 1e-9 * samples[1].square().mean()


def test_settings_for_a_louder_sound_do_the_same_to_it() -> None:
    samples = noise(1, 2.0)[0]
    plain = fx.render(samples, stages_of(STRIP, busy(), RATE))
    for by_db in (-12.0, 9.0):
        factor = 10 ** (by_db / 20)
        louder = fx.render(samples * factor, stages_of(STRIP, for_louder(STRIP, busy(), by_db), RATE))
        assert (louder / factor - plain).square().mean() < 1e-8 * plain.square().mean()
        still = fx.render(samples * factor, stages_of(STRIP, busy(), RATE))
        assert (still / factor - plain).square().mean() > 1e-3 * plain.square().mean()
    assert for_louder(STRIP, neutral(STRIP), 12.0) == neutral(STRIP)


def test_what_floats_leave_of_neutral_is_no_stage_and_cannot_be_heard() -> None:
    samples = noise(1, 0.3)[0]
    for name, stage in STRIP.items():
        for knob, meaning in stage.knobs.items():
            if not meaning.strength:
                continue
            dust, grain = neutral(STRIP), neutral(STRIP)
            dust[name][knob] += 0.9e-6 * (meaning.high - meaning.low)
            grain[name][knob] += 1e-3 * (meaning.high - meaning.low)
            assert not stages_of(STRIP, dust, RATE)
            assert stages_of(STRIP, grain, RATE)
            values = parameters.values_at(STRIP, parameters.positions(STRIP, dust)[None])
            heard = mixing.process(samples[None], RATE, STRIP, values)[0]
            assert (heard - samples).square().mean() < 1e-9 * samples.square().mean(), (name, knob)


def test_leaving_out_what_all_leave_neutral_changes_nothing() -> None:
    settings = neutral(STRIP)
    settings["width"]["width"] = 0.5
    values = parameters.values_at(STRIP, parameters.positions(STRIP, settings)[None])
    assert mixing.used(STRIP, values) == ("width",)
    samples = noise(1, 0.3)
    whole = mixing.process(samples, RATE, STRIP, values)
    torch.testing.assert_close(
        mixing.process(samples, RATE, STRIP, values, ("width",)), whole, atol=1e-5, rtol=0
    )


def test_every_knob_of_a_strip_has_a_gradient() -> None:
    vector = parameters.positions(STRIP, busy())[None].requires_grad_()
    mixed = mixing.process(noise(1, 0.5), RATE, STRIP, parameters.values_at(STRIP, vector))
    (mixed.abs().sum()).backward()
    assert vector.grad is not None
    assert torch.isfinite(vector.grad).all()
    still = [
        f"{stage}.{name}"
        for (stage, name, _), slope in zip(parameters.knobs_of(STRIP), vector.grad[0], strict=True)
        if slope == 0
    ]
    idle = {
        f"eq.{band}_{knob}"
        for band in ("low_shelf", "peak_2", "peak_3", "peak_4")
        for knob in ("frequency_hz", "q")
    }
    idle |= {
        f"side_eq.{band}_{knob}"
        for band in ("low_shelf", "peak_1", "peak_2", "peak_4", "high_shelf")
        for knob in ("frequency_hz", "q")
    }
    assert set(still) <= idle  # a band at 0 dB has no frequency


@pytest.mark.parametrize("strip", [STRIP, MASTER])
def test_settings_and_positions_are_two_ways_to_say_the_same(strip: dict) -> None:  # type: ignore[type-arg]
    settings = neutral(strip)
    settings["compressor"]["ratio"] = 3.0
    back = parameters.settings_at(strip, parameters.positions(strip, settings))
    for stage, knobs in settings.items():
        assert back[stage] == pytest.approx(knobs, rel=1e-5, abs=1e-5)


def test_beyond_a_range_the_value_stays_at_its_end_and_the_gradient_lives() -> None:
    low, high = parameters.limits(STRIP)
    vector = (high + 1)[None].requires_grad_()
    values = parameters.values_at(STRIP, vector)
    assert values["saturation"]["drive_db"].item() == STRIP["saturation"].knobs["drive_db"].high
    values["saturation"]["drive_db"].sum().backward()
    assert vector.grad is not None
    assert vector.grad.sum() == 1
    assert (low < high).all()
