"""What is heard in a page: equally loud, nothing turned up, nothing clipped, equally long."""

from __future__ import annotations

import io
import math

import pytest
import soundfile
import torch
from report_sounds import noise

from styletransfer.audio import Audio
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.equal_loudness import CEILING_DB, FURTHEST_LU, matchable, matching_gains_db
from styletransfer.mixdown import meter_of
from styletransfer.report import Player, player_of

RATES = (8_000, 44_100, 96_000)


def decoded(player: Player) -> dict[str, torch.Tensor]:
    return {
        sound.label: torch.from_numpy(soundfile.read(io.BytesIO(sound.opus), dtype="float32")[0].T)
        for sound in player.sounds
    }


def player_with(**sounds: Audio) -> Player:
    return player_of("mix", "the mix", {name: (n, a, 0.0) for n, (name, a) in enumerate(sounds.items())})


def test_sounds_are_within_a_tenth_of_a_lu_and_clip_nothing() -> None:
    quiet, loud = noise(5, -32), noise(5, -2, seed=1)
    spiky = noise(5, -28, seed=2)
    spiky.samples[:, 30_000] = 1.9
    player = player_with(quiet=quiet, loud=loud, spiky=spiky)
    heard = decoded(player)
    loudness = [integrated_lufs(samples, 48_000) for samples in heard.values()]
    assert max(loudness) - min(loudness) < 0.1
    for sound in player.sounds:
        assert sound.gain_db <= 0
        assert sound.matched
        peak = float(heard[sound.label].abs().max())
        assert peak < 1
        assert peak * 10 ** (sound.unmatched_db / 20) < 1


def test_without_matching_all_keep_their_own_distance() -> None:
    player = player_with(quiet=noise(4, -30), loud=noise(4, -12))
    heard = decoded(player)
    levels = {
        sound.label: integrated_lufs(heard[sound.label], 48_000) + sound.unmatched_db
        for sound in player.sounds
    }
    assert levels["loud"] - levels["quiet"] == pytest.approx(18, abs=0.1)


def test_silence_takes_nothing_along() -> None:
    sounds = {"silent": Audio(torch.zeros(2, 44_100), 44_100), "music": noise(3, -20)}
    meters = {name: meter_of(sound) for name, sound in sounds.items()}
    assert matchable(meters) == ["music"]
    assert matching_gains_db(meters) == {"silent": 0.0, "music": 0.0}
    meters["faint"] = meter_of(noise(3, -20 - FURTHEST_LU - 3))
    assert "faint" not in matchable(meters)
    player = player_with(**sounds)
    assert [sound.matched for sound in player.sounds] == [False, True]
    assert player.sounds[0].lufs is None


def test_overs_come_down_even_where_loudness_is_unknown() -> None:
    click = torch.zeros(1, 4410)
    click[0, 100] = 4.0
    gains_db = matching_gains_db({"click": meter_of(Audio(click, 44_100))})
    assert gains_db["click"] == pytest.approx(CEILING_DB - 20 * math.log10(4), abs=0.3)


@pytest.mark.parametrize("rate", RATES)
def test_all_rates_channels_and_lengths_are_aligned(rate: int) -> None:
    """A click is where it was, in mono and stereo, and all last as long as the longest."""
    mono, stereo = noise(1.5, -50, rate=rate, channels=1), noise(2.0, -50, rate=rate)
    for audio in (mono, stereo):
        audio.samples[:, rate // 2] = 0.8
    player = player_with(mono=mono, stereo=stereo)
    assert player.duration_s == 2.0
    for samples in decoded(player).values():
        assert samples.shape == (2, 96_000)
        assert abs(int(samples[0].abs().argmax()) - 24_000) <= 8


def test_mono_is_as_loud_as_the_same_on_both_sides() -> None:
    mono = noise(2, -20, channels=1)
    gains_db = {s.label: s.gain_db for s in player_with(mono=mono, both=mono.with_channels(2)).sounds}
    assert gains_db["mono"] == pytest.approx(gains_db["both"], abs=0.01)
