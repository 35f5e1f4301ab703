from __future__ import annotations

from functools import partial

import pytest
import torch
from fx_sounds import difference_db, music

from styletransfer.converter import fx

RATE = 44_100


def chain() -> list[fx.Stage]:
    bands = fx.Bands((3.0, -4.0, 2.0), (90.0, 700.0, 9000.0), (0.71, 1.0, 0.71))
    return [
        fx.MidSideEqualizer(RATE, mid=bands, side=bands),
        fx.Compressor(RATE, threshold_db=-20, ratio=3, knee_db=6, attack_ms=10, release_ms=100, makeup_db=2),
        fx.Local(partial(fx.saturate, drive_db=3.0)),
        fx.Local(lambda block: fx.widen(block, width=1.3)),
        fx.Limiter(RATE, ceiling_db=-3, release_ms=100),
    ]


@pytest.mark.parametrize("block_frames", [311, 10_007, RATE])
def test_a_chain_renders_alike_at_any_block_size_and_stays_aligned(block_frames: int) -> None:
    sound = music(RATE, 2.0)[0]
    whole = fx.render(sound, chain(), sound.shape[1])
    assert whole.shape == sound.shape
    assert difference_db(fx.render(sound, chain(), block_frames), whole) < -100


def test_latency_is_compensated_to_the_sample() -> None:
    click = torch.zeros(2, 30_000)
    click[:, 12_345] = 0.5
    stages: list[fx.Stage] = [
        fx.Limiter(RATE, ceiling_db=0.0, release_ms=50.0),
        fx.Local(partial(fx.saturate, drive_db=0.0)),
    ]
    assert sum(stage.latency for stage in stages) > 0
    assert torch.equal(fx.render(click, stages, 777), click)


def test_blocks_of_any_size_may_alternate() -> None:
    sound = music(RATE, 1.0)[0]
    blocks = torch.split(sound, [1, 7, 0, 20_000, 3, sound.shape[1] - 20_011], dim=1)
    streamed = torch.cat(list(fx.stream(iter(blocks), chain())), dim=1)
    assert difference_db(streamed, fx.render(sound, chain())) < -100


@pytest.mark.parametrize("frames", [0, 1, 50, 3000])
def test_sounds_shorter_than_the_latency_come_out_whole(frames: int) -> None:
    sound = 0.1 * torch.ones(2, frames)
    assert fx.render(sound, chain(), 1000).shape == sound.shape


def test_no_stages_leave_every_bit() -> None:
    sound = music(RATE, 0.5)[0]
    assert torch.equal(fx.render(sound, [], 1000), sound)


def test_the_input_is_never_written_to() -> None:
    sound = music(RATE, 0.5)[0]
    before = sound.clone()
    room = fx.Reverb(RATE, decay_s=0.5, damping=0.2, predelay_ms=5, wet=0.5)
    fx.render(sound, [*chain(), room], 4000)
    assert torch.equal(sound, before)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="must be \\(2, time\\)"):
        fx.render(torch.zeros(1, 2, 100), [])
