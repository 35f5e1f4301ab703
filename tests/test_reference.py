"""References as values: from one sound, from several, per stem; what is mixed lies between."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from styletransfer import STEMS, Audio, Result, UsageError, transfer
from styletransfer.blending import blend, blend_songs, blend_styles, style_with_stems
from styletransfer.converter.console import MASTER, STRIP, is_neutral
from styletransfer.encoder.loudness import Loudness
from styletransfer.encoder.measures import Measures, k_weighted_lufs, measure
from styletransfer.errors import ConfigError
from styletransfer.files import read
from styletransfer.matching import SongMeasures
from styletransfer.reference import Reference, listen, mixed, with_stems
from styletransfer.separation import choose
from styletransfer.sources import load
from styletransfer.stem_cache import StemCache, separate_cached
from styletransfer.style import SILENT_LUFS, SongStyle, Style

Sounds = dict[str, Audio]


def noise(level_db: float, side: float = 0.3, low_pass: int = 1, seed: int = 0) -> Audio:
    generator = torch.Generator().manual_seed(seed)
    mid, side_signal = torch.randn(2, 3 * 44100, generator=generator)
    kernel = torch.ones(1, 1, low_pass) / low_pass
    mid = torch.nn.functional.conv1d(mid[None, None], kernel, padding="same")[0, 0]
    samples = torch.stack((mid + side * side_signal, mid - side * side_signal))
    return Audio(samples * 10 ** (level_db / 20), 44100)


def measured(audio: Audio) -> Measures:
    return measure(audio.samples, audio.rate)


def song(**stems: Audio) -> SongMeasures:
    every = {name: stems.get(name, Audio(torch.zeros(2, 3 * 44100), 44100)) for name in STEMS}
    total = Audio(torch.stack([stem.samples for stem in every.values()]).sum(0), 44100)
    return SongMeasures(measured(total), {name: measured(stem) for name, stem in every.items()})


def reference(measures: SongMeasures) -> Reference:
    return Reference(Loudness(measures.mix.loudness_lufs, 5.0, -1.0), measures, [])


@pytest.fixture(scope="module")
def sounds(songs: dict[str, Path]) -> Sounds:
    """Five seconds of each example."""
    every = {name: read(path) for name, path in songs.items()}
    return {name: audio.excerpt(*audio.loudest_s(5.0)) for name, audio in every.items()}


PLAINLY: dict[str, Any] = {"separator": "builtin", "gate": False, "converter": "closed", "polish": False}
"""By measures alone: what a network hears and a polish reads of a reference is tested elsewhere."""


@pytest.fixture(scope="module")
def plain(sounds: Sounds) -> dict[str, Result]:
    return {name: transfer(sounds["input"], sounds[name], **PLAINLY) for name in ("reference", "vocal")}


@pytest.fixture(scope="module")
def heard(sounds: Sounds) -> dict[str, Reference]:
    found = {}
    for name in ("reference", "vocal"):
        sound = load(sounds[name], "the reference")
        stems = separate_cached(sound.audio, choose("builtin"), StemCache())
        found[name] = listen(sound, stems, confident=True)
    return found


def test_a_whole_weight_is_the_reference_itself(heard: dict[str, Reference]) -> None:
    both = list(heard.values())
    for weights, expected in (([1, 0], both[0]), ([0, 2.5], both[1])):
        alone = mixed(both, weights)
        assert alone.measures is expected.measures
        assert alone.loudness is expected.loudness
        assert [told.weight for told in alone.sources] == [weight / max(weights) for weight in weights]
    assert mixed(both[:1]).measures is both[0].measures


def test_levels_between_stems_are_means_in_loudness_units() -> None:
    first = song(drums=noise(-20), bass=noise(-16, low_pass=41, seed=1))
    second = song(drums=noise(-26, seed=2), bass=noise(-10, low_pass=41, seed=3))
    between = mixed([reference(first), reference(second)], [0.25, 0.75]).measures

    def level(one: SongMeasures, name: str) -> float:
        return one.stems[name].loudness_lufs - one.mix_of(name).loudness_lufs

    for name in ("drums", "bass"):
        expected = 0.25 * level(first, name) + 0.75 * level(second, name)
        assert level(between, name) == pytest.approx(expected, abs=1e-6)


def test_levels_of_styles_are_over_their_own_mixes() -> None:
    def style(mix_lufs: float, **stems: float) -> SongStyle:
        one, nothing = torch.ones(1), torch.zeros(1)
        heard = {
            n: Style(one, nothing, one, nothing, lufs) for n, lufs in ({"mix": mix_lufs} | stems).items()
        }
        return SongStyle(heard.pop("mix"), heard, "0123abcd")

    silent = SILENT_LUFS
    first, second = style(-14, drums=-20, bass=silent), style(-8, drums=-18, bass=-16)
    between = blend_styles([first, second], [0.25, 0.75])
    taken = style_with_stems(first, {"drums": second, "bass": second})
    assert between is not None
    assert taken is not None
    assert between.levels_db == pytest.approx({"drums": 0.25 * -6 + 0.75 * -10, "bass": -8})
    assert taken.levels_db == pytest.approx({"drums": -10, "bass": -8})


def test_a_louder_reference_counts_no_more() -> None:
    first, second = (
        song(drums=noise(-20)),
        song(drums=noise(-20, side=0.8, seed=4), bass=noise(-24, low_pass=41)),
    )
    loud = song(drums=noise(-10, side=0.8, seed=4), bass=noise(-14, low_pass=41))
    plain, louder = blend_songs([first, second], [0.5, 0.5]), blend_songs([first, loud], [0.5, 0.5])
    shape, lifted = plain.mix.mid_db, louder.mix.mid_db - 5
    assert torch.allclose(shape, lifted, atol=0.01)
    assert plain.mix.width_db == pytest.approx(louder.mix.width_db, abs=1e-6)


def test_a_stem_that_one_lacks_follows_the_others() -> None:
    first, second = song(drums=noise(-20)), song(drums=noise(-20, seed=1), vocals=noise(-22, seed=2))
    between = blend_songs([first, second], [0.9, 0.1])
    assert between.present("vocals")
    gap = between.stems["vocals"].loudness_lufs - between.mix.loudness_lufs
    expected = second.stems["vocals"].loudness_lufs - second.mix.loudness_lufs
    assert gap == pytest.approx(expected, abs=1e-6)
    assert not blend_songs([first, first], [0.5, 0.5]).present("vocals")


def test_treble_that_one_lacks_follows_the_others_and_mono_is_no_abyss() -> None:
    full = measured(noise(-20))
    dull = replace(full, bandwidth_hz=8000.0, mid_db=full.mid_db.clone())
    dull.mid_db[-4:] = -120.0
    between = blend([full, dull], [0.5, 0.5])
    assert between.bandwidth_hz == full.bandwidth_hz
    lift = between.mid_db - full.mid_db
    assert float(lift.max() - lift.min()) < 1e-6
    mono = measured(noise(-20, side=0.0))
    assert mono.width_db < -100
    assert blend([full, mono], [0.5, 0.5]).width_db == pytest.approx((full.width_db - 40) / 2, abs=1e-6)


def test_the_spectrum_is_as_loud_as_it_says() -> None:
    bright, dark = measured(noise(-20)), measured(noise(-8, low_pass=61, seed=1))
    between = blend([bright, dark], [0.5, 0.5])
    power = 10 ** (between.mid_db / 10), 10 ** (between.side_db / 10)
    assert k_weighted_lufs(*power) == pytest.approx(between.loudness_lufs, abs=0.7)
    tilt = between.mid_db - (bright.mid_db + dark.mid_db) / 2
    assert float(tilt.max() - tilt.min()) < 1e-9


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [-1.0, 2.0], [math.nan, 1.0]])
def test_weights_that_make_no_sense(heard: dict[str, Reference], weights: list[float]) -> None:
    with pytest.raises(UsageError, match="weights"):
        mixed(list(heard.values()), weights)


def test_a_stem_of_its_own_reference_is_set_as_by_that_reference(
    sounds: Sounds, heard: dict[str, Reference], plain: dict[str, Result]
) -> None:
    both = with_stems(heard["reference"], {"drums": heard["vocal"]})
    assert both.measures.mix is heard["reference"].measures.mix
    assert both.measures.mix_of("drums") is heard["vocal"].measures.mix
    assert [source.stem for source in both.sources] == [None, "drums"]
    result = transfer(
        sounds["input"],
        sounds["reference"],
        stem_references={"drums": sounds["vocal"]},
        **PLAINLY,
    )
    crossed, main, other = (one.document.console for one in (result, plain["reference"], plain["vocal"]))
    assert crossed.drums["eq"] == other.drums["eq"] != main.drums["eq"]
    assert crossed.drums["width"] == other.drums["width"]
    assert crossed.bass["eq"] == main.bass["eq"] != other.bass["eq"]
    with pytest.raises(UsageError, match="no stem 'choir'"):
        transfer(sounds["input"], sounds["vocal"], stem_references={"choir": sounds["vocal"]})


def test_several_references_are_listed_and_bring_the_result_between(
    sounds: Sounds, plain: dict[str, Result]
) -> None:
    both = transfer(
        sounds["input"],
        [sounds["reference"], sounds["vocal"]],
        weights=[3, 7],
        **PLAINLY,
    )
    assert [told.weight for told in both.document.references] == pytest.approx([0.3, 0.7])
    assert both.document.reference == both.document.references[1]
    figures = [one.document.reference_figures for one in (plain["reference"], both, plain["vocal"])]
    for name in ("width_db", "punch_db", "crest_db"):
        first, between, second = (getattr(one.mix, name) for one in figures if one is not None)
        assert between == pytest.approx(0.3 * first + 0.7 * second, abs=0.002)
    balance = [
        one.document.console.other["gain"]["gain_db"] for one in (plain["reference"], both, plain["vocal"])
    ]
    assert min(balance[::2]) - 0.5 < balance[1] < max(balance[::2]) + 0.5


def test_a_reference_without_sound_serves_as_well(
    sounds: Sounds, heard: dict[str, Reference], plain: dict[str, Result]
) -> None:
    kept = replace(heard["reference"], song=None, stems=None)
    result = transfer(sounds["input"], kept, **PLAINLY)
    assert torch.equal(result.mix.samples, plain["reference"].mix.samples)
    assert result.reference is None


@pytest.mark.parametrize("gate", [True, False])
def test_a_locked_strip_stays_neutral(sounds: Sounds, gate: bool) -> None:
    result = transfer(
        sounds["input"], sounds["reference"], separator="builtin", lock=["drums", "master"], gate=gate
    )
    console = result.document.console
    assert all(is_neutral(stage, console.drums[name]) for name, stage in STRIP.items())
    assert all(is_neutral(stage, console.master[name]) for name, stage in MASTER.items())
    assert any(not is_neutral(STRIP["eq"], strip["eq"]) for strip in console.stems().values())
    assert {"drums", "master"}.isdisjoint({warning.strip for warning in result.warnings})


def test_everything_locked_is_the_input(sounds: Sounds) -> None:
    result = transfer(sounds["input"], sounds["reference"], separator="builtin", lock=[*STEMS, "master"])
    assert result.unchanged
    with pytest.raises(ConfigError, match="lock"):
        transfer(sounds["input"], sounds["reference"], lock=["choir"])
    with pytest.raises(ConfigError, match="locked"):
        transfer(sounds["input"], sounds["reference"], lock=["master"], lufs=-14.0)
