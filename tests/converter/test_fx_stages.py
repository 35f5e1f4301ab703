"""What every effect owes: any rate, any block size, any thread, and one sound in training and rendering."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import torch
from fx_sounds import difference_db, music
from torch import Tensor

from styletransfer.converter import fx

RATES = [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]

BANDS = fx.Bands(
    (4.0, -3.0, 6.0, -12.0, 2.0, -5.0),
    (30.0, 200.0, 600.0, 3500.0, 8000.0, 16_000.0),
    (0.7, 1.0, 6.0, 0.1, 2.0, 0.7),
)
SIDE = BANDS._replace(gain_db=(0.0, 5.0, 0.0, 18.0, 0.0, -18.0))
COMPRESSOR: dict[str, Any] = {
    "threshold_db": -30.0,
    "ratio": 4.0,
    "knee_db": 6.0,
    "attack_ms": 1.0,
    "release_ms": 100.0,
    "makeup_db": 6.0,
}
UPWARD: dict[str, Any] = {**COMPRESSOR, "ratio": 0.5, "knee_db": 0.0, "attack_ms": 200.0, "release_ms": 20.0}
EXPANDER: dict[str, Any] = {
    "threshold_db": -10.0,
    "ratio": 3.0,
    "range_db": 30.0,
    "attack_ms": 2.0,
    "release_ms": 80.0,
}
ROOM: dict[str, Any] = {"decay_s": 0.4, "damping": 0.7, "predelay_ms": 21.3, "wet": 0.5}
CEILING: dict[str, Any] = {"ceiling_db": -8.0, "release_ms": 60.0}

EFFECTS: dict[str, tuple[Callable[[Tensor, int], Tensor], Callable[[int], fx.Stage]]] = {
    "equalizer": (
        lambda sound, rate: fx.equalize(sound, rate, **BANDS._asdict()),
        lambda rate: fx.Equalizer(rate, **BANDS._asdict()),
    ),
    "mid/side equalizer": (
        lambda sound, rate: fx.mid_side_equalize(sound, rate, mid=BANDS, side=SIDE),
        lambda rate: fx.MidSideEqualizer(rate, mid=BANDS, side=SIDE),
    ),
    "compressor": (
        lambda sound, rate: fx.compress(sound, rate, **COMPRESSOR),
        lambda rate: fx.Compressor(rate, **COMPRESSOR),
    ),
    "upward expansion": (
        lambda sound, rate: fx.compress(sound, rate, **UPWARD),
        lambda rate: fx.Compressor(rate, **UPWARD),
    ),
    "expander": (
        lambda sound, rate: fx.expand(sound, rate, **EXPANDER),
        lambda rate: fx.Expander(rate, **EXPANDER),
    ),
    "saturation": (
        lambda sound, rate: fx.saturate(sound, drive_db=9.0),
        lambda rate: fx.Local(partial(fx.saturate, drive_db=9.0)),
    ),
    "width": (
        lambda sound, rate: fx.widen(sound, width=1.4),
        lambda rate: fx.Local(partial(fx.widen, width=1.4)),
    ),
    "balance": (
        lambda sound, rate: fx.balance(sound, balance=-0.3),
        lambda rate: fx.Local(partial(fx.balance, balance=-0.3)),
    ),
    "gain": (
        lambda sound, rate: fx.gain(sound, gain_db=-7.0),
        lambda rate: fx.Local(partial(fx.gain, gain_db=-7.0)),
    ),
    "reverb": (
        lambda sound, rate: fx.reverberate(sound, rate, **ROOM),
        lambda rate: fx.Reverb(rate, **ROOM),
    ),
    "limiter": (
        lambda sound, rate: fx.limit(sound, rate, **CEILING),
        lambda rate: fx.Limiter(rate, **CEILING),
    ),
}
effects = pytest.mark.parametrize("name", EFFECTS)


@pytest.mark.parametrize("rate", RATES)
@effects
def test_training_and_rendering_agree_at_any_rate(name: str, rate: int) -> None:
    function, stage = EFFECTS[name]
    sound = music(rate, 0.25)
    rendered = fx.render(sound[0], [stage(rate)])
    assert rendered.shape == sound[0].shape
    assert difference_db(function(sound, rate)[0], rendered) < -90
    assert difference_db(rendered, sound[0]) > -40  # it did something


@pytest.mark.parametrize("block_frames", [1, 37, 4096])
@effects
def test_any_block_size_renders_alike(name: str, block_frames: int) -> None:
    _, stage = EFFECTS[name]
    sound = music(8000, 0.3)[0, :, : 400 if block_frames == 1 and name == "reverb" else None]
    whole = fx.render(sound, [stage(8000)])
    assert difference_db(fx.render(sound, [stage(8000)], block_frames), whole) < -100


def test_two_threads_do_not_disturb_each_other() -> None:
    rate = 10_000
    sounds = [music(rate, 0.5, seed)[0] for seed in range(4)]

    def all_stages(sound: Tensor) -> Tensor:
        return fx.render(sound, [stage(rate) for _, stage in EFFECTS.values()], 1013)

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(all_stages, sounds))
    for sound, rendered in zip(sounds, together, strict=True):
        assert torch.equal(rendered, all_stages(sound))


def test_whole_numbers_are_numbers_too() -> None:
    """People write `"decay_s": 1` into their settings."""
    sound = music(8000, 0.2)[0]
    stages: list[Callable[[type], fx.Stage]] = [
        lambda kind: fx.Equalizer(8000, gain_db=[kind(3)] * 2, frequency_hz=[kind(80)] * 2, q=[kind(1)] * 2),
        lambda kind: fx.Compressor(
            8000,
            threshold_db=kind(-30),
            ratio=kind(2),
            knee_db=kind(0),
            attack_ms=kind(5),
            release_ms=kind(50),
            makeup_db=kind(1),
        ),
        lambda kind: fx.Expander(
            8000,
            threshold_db=kind(-20),
            ratio=kind(2),
            range_db=kind(10),
            attack_ms=kind(5),
            release_ms=kind(50),
        ),
        lambda kind: fx.Local(partial(fx.saturate, drive_db=kind(6))),
        lambda kind: fx.Local(partial(fx.widen, width=kind(2))),
        lambda kind: fx.Local(partial(fx.balance, balance=kind(1))),
        lambda kind: fx.Reverb(8000, decay_s=kind(1), damping=kind(1), predelay_ms=kind(0), wet=kind(1)),
        lambda kind: fx.Limiter(8000, ceiling_db=kind(-6), release_ms=kind(50)),
    ]
    for stage in stages:
        assert torch.equal(fx.render(sound, [stage(int)]), fx.render(sound, [stage(float)]))


@effects
def test_silence_stays_silent(name: str) -> None:
    function, stage = EFFECTS[name]
    silence = torch.zeros(1, 2, 5000)
    assert function(silence, 44_100).abs().max() == 0
    assert fx.render(silence[0], [stage(44_100)], 777).abs().max() == 0
