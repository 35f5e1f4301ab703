"""The separator that comes along: what it tells apart, and what it must leave alone."""

from __future__ import annotations

import pytest
import torch
from separation_sounds import RATE, level_db, parts, song

from styletransfer.audio import STEMS, Audio, resampled_frames
from styletransfer.separation import choose, rest_of, separate
from styletransfer.separation.builtin import OVERLAP, PATCH, Builtin
from styletransfer.separation.overlap import cross_faded
from styletransfer.weights import path_of


def test_each_part_goes_to_its_stem(builtin: Builtin) -> None:
    known = parts(6)
    stems = separate(song(6), builtin)
    assert tuple(stems) == STEMS
    for name, part in known.items():
        error = stems[name].samples - part
        assert level_db(part) - level_db(error) > 6, name
    assert level_db(stems["vocals"].samples) < level_db(song(6).samples) - 15


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (48000, 1), (22050, 2)])
def test_stems_and_rest_are_the_mix(builtin: Builtin, rate: int, channels: int) -> None:
    mix = song(4, rate).with_channels(channels)
    stems = separate(mix, builtin)
    frames = resampled_frames(mix.frames, rate, 44100)
    assert {(s.rate, s.channels, s.frames) for s in stems.values()} == {(44100, 2, frames)}
    left = rest_of(mix, stems)
    whole = mix.with_channels(2).at_rate(44100).samples
    total = torch.stack([s.samples for s in (*stems.values(), left)]).sum(0)
    assert level_db(total - whole) < -90
    assert level_db(left.samples) < -90


def test_both_sides_of_a_mono_mix_stay_alike(builtin: Builtin) -> None:
    for stem in separate(song(2).with_channels(1), builtin).values():
        assert level_db(stem.samples[0] - stem.samples[1]) < -90


def test_nothing_is_late(builtin: Builtin) -> None:
    known = parts(6)
    for name, stem in separate(song(6), builtin).items():
        if name in known:
            correlation = torch.fft.irfft(
                torch.fft.rfft(stem.samples.sum(0)) * torch.fft.rfft(known[name].sum(0)).conj()
            )
            assert correlation.argmax() == 0, name


def test_a_gain_on_the_mix_is_a_gain_on_the_stems(builtin: Builtin) -> None:
    mix = song(3)
    loud, quiet = separate(mix, builtin), separate(Audio(mix.samples * 0.01, RATE), builtin)
    for name in STEMS:
        error = loud[name].samples - 100 * quiet[name].samples
        assert level_db(error) < level_db(mix.samples) - 60


def test_silence_gives_silence(builtin: Builtin) -> None:
    for stem in separate(Audio(torch.zeros(2, RATE), RATE), builtin).values():
        assert not stem.samples.any()


def test_half_a_second_is_enough(builtin: Builtin) -> None:
    stems = separate(song(0.5), builtin)
    assert level_db(stems["bass"].samples) > level_db(parts(0.5)["bass"]) - 3


def test_what_follows_changes_nothing_before(builtin: Builtin) -> None:
    """The patches lie on a grid from the start, so a song's stems don't depend on how it goes on."""
    once = song(PATCH / RATE).samples
    short = separate(Audio(once, RATE), builtin)
    long = separate(Audio(torch.cat((once, once), 1), RATE), builtin)
    safe = PATCH - OVERLAP
    for name in STEMS:
        error = short[name].samples[:, :safe] - long[name].samples[:, :safe]
        assert level_db(error) < level_db(once) - 60


def test_patches_meet_without_a_click(builtin: Builtin) -> None:
    """A steady chord's stem has no more high frequencies around the seams than elsewhere."""
    chord = parts(20)["other"]
    stem = separate(Audio(chord, RATE), builtin)["other"].samples
    difference = stem.diff().diff().abs().amax(0)
    seam = slice(PATCH - OVERLAP - 2000, PATCH + 2000)
    assert difference[seam].max() < 1.2 * difference[RATE : PATCH - OVERLAP - 2000].max()


@pytest.mark.parametrize("frames", [1, 699, 700, 701, 1000, 1001, 5000])
def test_overlapping_patches_give_the_whole_back(frames: int) -> None:
    mix = torch.randn(2, frames, generator=torch.Generator().manual_seed(0))
    blocks = list(cross_faded(mix, 1000, 300, lambda patch: torch.stack((patch, -2 * patch))))
    joined = torch.cat(blocks, -1)
    torch.testing.assert_close(joined, torch.stack((mix, -2 * mix)))


def test_progress(builtin: Builtin) -> None:
    told: list[float] = []
    separate(song(15), builtin, told.append)
    assert told == sorted(told)
    assert len(told) > 1
    assert told[-1] == 1


def test_fingerprint_names_weights_and_settings(builtin: Builtin) -> None:
    assert builtin.fingerprint == choose("builtin").fingerprint
    assert path_of("splitter-small").stem[-8:] in builtin.fingerprint
    assert str(OVERLAP) in builtin.fingerprint
