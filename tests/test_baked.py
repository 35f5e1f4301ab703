"""What no console takes out is told where it is, and only there."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from styletransfer import transfer
from styletransfer.audio import STEMS, Audio
from styletransfer.baked import CEILING_SHARE, TOPS_PER_S, ceiling_share, flat_tops_per_s, ringing_s
from styletransfer.converter.console import STRIP, neutral
from styletransfer.files import read
from styletransfer.mixdown import apply_level
from styletransfer.tasks import apply_settings

RATE = 44100
BAKED = {"dynamics-crushed", "clipping-baked", "reverb-baked"}


def bursts(seed: int = 0, seconds: float = 12.0) -> Audio:
    """Dull noise that falls away after each beat; every beat has a strength of its own."""
    generator = torch.Generator().manual_seed(seed)
    frames = round(seconds * RATE)
    beat = torch.arange(frames) / RATE
    strength = (0.2 + 0.8 * torch.rand(round(seconds / 0.5) + 1, generator=generator))[(beat / 0.5).long()]
    noise = torch.randn(2, frames + 15, generator=generator).unfold(1, 16, 1).mean(-1)
    return Audio(0.4 * strength * torch.exp(-30 * (beat % 0.5)) * noise, RATE)


def limited(sound: Audio, gain_db: float) -> Audio:
    ceiling = 20 * math.log10(float(sound.samples.abs().max()))
    return apply_level(sound, gain_db, ceiling, 30.0)


def clipped(sound: Audio, overshoot_db: float) -> Audio:
    top = float(sound.samples.abs().max()) * 10 ** (-overshoot_db / 20)
    return Audio(sound.samples.clamp(-top, top), sound.rate)


def with_room(sound: Audio, decay_s: float, wet: float) -> Audio:
    strip = neutral(STRIP)
    strip["reverb"] |= {"decay_s": decay_s, "wet": wet}
    return Audio(apply_settings({"": sound.samples}, {"": strip})[""], sound.rate)


def test_a_limiter_brings_all_peaks_to_one_level() -> None:
    dry = bursts()
    assert ceiling_share(dry) < 0.2
    assert ceiling_share(limited(dry, 12)) > CEILING_SHARE
    assert ceiling_share(Audio(0.1 * limited(dry, 12).samples, RATE)) > CEILING_SHARE  # at any level


def test_clipping_leaves_flat_tops_and_limiting_does_not() -> None:
    dry = bursts()
    assert flat_tops_per_s(dry) == 0
    assert flat_tops_per_s(limited(dry, 6)) < TOPS_PER_S
    low = torch.sin(2 * math.pi * 80 * torch.arange(4 * RATE) / RATE).expand(2, -1)
    assert flat_tops_per_s(Audio(0.5 * low, RATE)) == 0
    ends = 2 * 2  # of each wave, in each channel
    assert flat_tops_per_s(clipped(Audio(0.5 * low, RATE), 1.0)) == pytest.approx(80 * ends, abs=ends)
    assert flat_tops_per_s(Audio(torch.zeros(2, RATE), RATE)) == 0


def test_a_room_rings_longer() -> None:
    dry = bursts()
    assert ringing_s(with_room(dry, 2.0, 0.4)) > 1.5 * ringing_s(dry)
    assert ringing_s(Audio(0.1 * dry.samples, RATE)) == pytest.approx(ringing_s(dry), rel=0.05)


def stems_folder(folder: Path, voice: Audio) -> Path:
    folder.mkdir()
    for name in STEMS:
        sound = voice if name == "vocals" else Audio(torch.zeros(2, voice.frames), RATE)
        sound.write(folder / f"{name}.wav", "FLOAT")
    return folder


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda sound: limited(sound, 25), "dynamics-crushed"),
        (lambda sound: clipped(sound, 9), "clipping-baked"),
        (lambda sound: with_room(sound, 4.0, 0.7), "reverb-baked"),
    ],
)
def test_a_transfer_tells_what_stays(spoil: Callable[[Audio], Audio], code: str, tmp_path: Path) -> None:
    made = {"dry": bursts(1), "spoilt": spoil(bursts())}
    dry, spoilt = (stems_folder(tmp_path / name, sound) for name, sound in made.items())

    def told(ours: Path, theirs: Path) -> set[str]:
        mix = read(theirs / "vocals.wav")
        result = transfer(
            None, mix, stems_in=ours, reference_stems=theirs, converter="closed", polish=False, gate=False
        )
        return {note.code for note in result.warnings} & BAKED

    assert code in told(spoilt, dry)
    assert not told(dry, spoilt)
    assert not told(spoilt, spoilt)


def test_only_the_passages_that_are_measured_are_listened_to(tmp_path: Path) -> None:
    dry, room = bursts(1), with_room(bursts(), 4.0, 0.7)
    half = Audio(torch.cat((dry.samples, room.samples), 1), RATE)  # spoilt in its second half
    ours, theirs = stems_folder(tmp_path / "ours", half), stems_folder(tmp_path / "theirs", half)

    def told(in_range: tuple[float, float], reference_range: tuple[float, float]) -> bool:
        result = transfer(
            None,
            read(theirs / "vocals.wav"),
            stems_in=ours,
            reference_stems=theirs,
            converter="closed",
            polish=False,
            gate=False,
            in_range=in_range,
            reference_range=reference_range,
        )
        return "reverb-baked" in {note.code for note in result.warnings}

    first, second = (0.0, 12.0), (12.0, 24.0)
    assert told(second, first)
    assert not told(first, second)
    assert not told(second, second)


def test_songs_that_are_as_they_should_be_raise_no_alarm(songs: dict[str, Path]) -> None:
    for name in ("input", "reference", "electronic", "vocal"):
        sound = read(songs[name])
        assert flat_tops_per_s(sound) < TOPS_PER_S, name
        assert ceiling_share(sound) < CEILING_SHARE, name
