"""Each effect's source, run as shipped, against the effect of the console that it stands for."""

from __future__ import annotations

import math

import pytest
import torch
from eel2 import Effect
from torch import Tensor

from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, Stage, neutral
from styletransfer.converter.rendering import stages_of
from styletransfer.daw.effects import SLIDERS, named, slider_values, sources
from styletransfer.daw.session import Device

EFFECTS = {name: Effect(text) for name, text in sources().items()}
RATES = (44100, 48000)


def music(rate: int, seconds: float = 0.6, seed: int = 0) -> Tensor:
    """(2, time) float32: noise in bursts over a decaying chord, wide, near full scale."""
    generator = torch.Generator().manual_seed(seed)
    time_s = torch.arange(round(rate * seconds)) / rate
    chord = torch.stack([torch.sin(2 * math.pi * f * time_s) for f in (82.0, 247.0, 1318.0)]).sum(0) / 4
    bursts = torch.exp(-12 * (time_s * 5 % 1)) * torch.randn(2, len(time_s), generator=generator) / 3
    return (chord * torch.exp(-2 * time_s) + bursts).float()


def run(device: Device, samples: Tensor, rate: int) -> Tensor:
    return EFFECTS[named(device).removeprefix("automix/")].render(samples, rate, slider_values(device))


def residual_db(found: Tensor, wanted: Tensor) -> float:
    error = (found - wanted.double()).square().mean()
    return 10 * math.log10(float(error / wanted.double().square().mean()) + 1e-30)


def against_ours(
    table: dict[str, Stage], stage: str, values: dict[str, float], rate: int
) -> tuple[Tensor, Tensor]:
    settings = neutral(table)
    settings[stage] |= values
    samples = music(rate)
    ours = fx.render(samples, stages_of(table, settings, rate))
    assert not torch.equal(ours, samples)
    return run(Device(stage, settings[stage]), samples, rate), ours


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("stage", ["eq", "side_eq"])
def test_the_strips_equalizer(stage: str, rate: int) -> None:
    values = {
        "low_shelf_gain_db": 6.0,
        "low_shelf_frequency_hz": 90.0,
        "peak_2_gain_db": -9.0,
        "peak_2_q": 3.0,
    }
    values |= {"peak_4_gain_db": 4.0, "high_shelf_gain_db": -5.0, "high_shelf_q": 0.5}
    assert residual_db(*against_ours(STRIP, stage, values, rate)) < -120


def test_the_masters_equalizer() -> None:
    values = {name: 5.0 * (-1) ** i for i, name in enumerate(MASTER["eq"].knobs) if name.endswith("gain_db")}
    assert residual_db(*against_ours(MASTER, "eq", values, 44100)) < -120


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
@pytest.mark.parametrize("ratio", [4.0, 0.6])
def test_the_compressor(ratio: float, rate: int) -> None:
    values = {"threshold_db": -24.0, "ratio": ratio, "knee_db": 9.0, "attack_ms": 4.0, "release_ms": 70.0}
    assert residual_db(*against_ours(STRIP, "compressor", values | {"makeup_db": 5.0}, rate)) < -90


@pytest.mark.parametrize("rate", RATES)
def test_the_expander(rate: int) -> None:
    values = {"threshold_db": -12.0, "ratio": 3.0, "range_db": 20.0, "attack_ms": 2.0, "release_ms": 50.0}
    assert residual_db(*against_ours(STRIP, "expander", values, rate)) < -90


@pytest.mark.parametrize("drive_db", [1.0, 12.0])
def test_saturation(drive_db: float) -> None:
    assert residual_db(*against_ours(STRIP, "saturation", {"drive_db": drive_db}, 44100)) < -120


def test_width_balance_and_gain() -> None:
    samples = music(44100)[None]
    wanted = fx.gain(fx.balance(fx.widen(samples, width=1.7), balance=-0.4), gain_db=3.0)[0]
    device = Device("image", {"width": 1.7, "balance": -0.4, "gain_db": 3.0})
    assert residual_db(run(device, samples[0], 44100), wanted) < -120


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
@pytest.mark.parametrize("ceiling_db", [-6.0, 6.0])
def test_the_limiter(ceiling_db: float, rate: int) -> None:
    samples = music(rate, seconds=0.3)
    values = {"ceiling_db": ceiling_db, "release_ms": 80.0}
    wanted = fx.limit(samples[None], rate, **values)[0]
    found = run(Device("limiter", values), samples, rate)
    assert residual_db(found, wanted) < -90
    assert residual_db(found, samples) > -40 or ceiling_db > 0


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_at_rest_an_effect_changes_nothing(name: str) -> None:
    samples = music(44100, seconds=0.2)
    values = [default for default, *_ in EFFECTS[name].sliders]
    if name == "limiter.jsfx":
        values[0] = 24.0
    assert residual_db(EFFECTS[name].render(samples, 44100, values), samples) < -150


def test_sliders_have_the_consoles_ranges() -> None:
    assert max(len(effect.sliders) for effect in EFFECTS.values()) <= SLIDERS
    for name, stage in (STRIP | {"limiter": MASTER["limiter"]}).items():
        if name in ("reverb", "balance", "gain", "width"):
            continue
        sliders = EFFECTS[named(Device(name, neutral({name: stage})[name])).removeprefix("automix/")].sliders
        for knob, (default, low, high, _) in zip(stage.knobs.values(), sliders, strict=False):
            assert (default, low, high) == pytest.approx((knob.neutral, knob.low, knob.high))
