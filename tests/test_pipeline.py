"""The whole path on real music, through `builtin`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from styletransfer import STEMS, Audio, Result, UsageError, apply, transfer
from styletransfer.converter.console import GROUPS, MASTER, STRIP, is_neutral, neutral
from styletransfer.document import Document
from styletransfer.encoder.loudness import integrated_lufs, true_peak_db
from styletransfer.errors import AudioError, ConfigError, SeparationError
from styletransfer.files import read
from styletransfer.matching import SongMeasures, louder_lu
from styletransfer.save import save_all

Songs = dict[str, Path]


@pytest.fixture(scope="module")
def result(songs: Songs) -> Result:
    return transfer(songs["input"], songs["reference"], separator="builtin")


def residual_db(first: Audio, second: Audio) -> float:
    difference = (first.samples - second.samples).square().mean()
    return float(10 * torch.log10(difference / second.samples.square().mean() + 1e-30))


def test_the_result_is_closer_whole_and_safe(result: Result, songs: Songs) -> None:
    source, gate = read(songs["input"]), result.document.gate
    assert gate is not None
    assert gate.distance_kept < 0.7 * gate.distance_input
    assert (result.mix.rate, result.mix.samples.shape) == (source.rate, source.samples.shape)
    assert torch.isfinite(result.mix.samples).all()
    assert true_peak_db(result.mix.samples, result.mix.rate) <= -0.9


def test_the_loudness_is_the_references_or_the_miss_is_told(result: Result, songs: Songs) -> None:
    reference = read(songs["reference"])
    wanted = integrated_lufs(reference.samples, reference.rate)
    reached = integrated_lufs(result.mix.samples, result.mix.rate)
    missed = any(warning.code == "loudness-missed" for warning in result.warnings)
    assert abs(reached - wanted) < 0.5 or (missed and reached < wanted)


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_amount_0_copies_the_inputs_frames(songs: Songs, tmp_path: Path, suffix: str) -> None:
    result = transfer(songs["input"], songs["reference"], separator="builtin", amount=0)
    path = result.write(tmp_path / f"out{suffix}")
    before, after = (soundfile.read(p, dtype="int16")[0] for p in (songs["input"], path))
    assert np.array_equal(before, after)
    assert result.unchanged


def test_a_small_amount_changes_little(songs: Songs) -> None:
    levels = []
    for amount in (0.1, 0.01):
        result = transfer(songs["input"], songs["reference"], separator="builtin", amount=amount, gate=False)
        levels.append(residual_db(result.mix, result.song.audio))
    assert levels[1] < -30
    assert levels[1] < levels[0] - 12


def test_the_input_as_its_own_reference_stays(songs: Songs) -> None:
    result = transfer(songs["vocal"], songs["vocal"], separator="builtin", gate=False)
    assert residual_db(result.mix, read(songs["vocal"])) < -40


def test_only_keeps_the_other_groups_neutral(songs: Songs) -> None:
    result = transfer(songs["input"], songs["reference"], separator="builtin", only=["level"], gate=False)
    console = result.document.console
    for table, strips in ((STRIP, console.stems().values()), (MASTER, [console.master])):
        for settings in strips:
            for name, stage in table.items():
                assert is_neutral(stage, settings[name]) or stage.group == "level"
    assert any(settings["gain"]["gain_db"] for settings in console.stems().values())
    with pytest.raises(ConfigError, match="only"):
        transfer(songs["input"], songs["reference"], only=["loudness"])
    assert "level" in GROUPS


@pytest.mark.parametrize("converter", ["closed", "console"])
def test_only_levels_moves_stems_by_what_their_loudness_lacks(songs: Songs, converter: str) -> None:
    result = transfer(
        songs["input"],
        songs["reference"],
        separator="builtin",
        converter=converter,
        only=["level"],
        confident=False,
        gate=False,
    )
    told = result.document
    ours, theirs = (SongMeasures(of.mix, of.stems) for of in (told.before, told.reference_figures))
    wanted = louder_lu(ours, theirs)
    assert any(abs(louder) > 0.5 for louder in wanted.values())
    for name, louder in wanted.items():
        assert told.console.stems()[name]["gain"]["gain_db"] == pytest.approx(louder, abs=0.05), name
    assert {warning.code for warning in told.warnings}.isdisjoint(
        {"content-held", "eq-capped", "bandwidth-limited"}
    )


def test_a_width_without_tone_makes_up_for_no_tone(songs: Songs) -> None:
    for only in (["width"], ["eq", "width"]):
        told = transfer(
            songs["input"],
            songs["reference"],
            separator="builtin",
            only=only,
            lock=list(STEMS),
            polish=False,
            gate=False,
        ).document
        wanted_db = told.reference_figures.mix.width_db
        assert abs(told.before.mix.width_db - wanted_db) > 5
        assert abs(told.after.mix.width_db - wanted_db) < 1


def test_stem_amounts_leave_a_stem_alone(songs: Songs) -> None:
    result = transfer(
        songs["input"], songs["reference"], separator="builtin", stem_amounts={"drums": 0}, gate=False
    )
    assert all(is_neutral(stage, result.document.console.drums[name]) for name, stage in STRIP.items())


def test_the_master_has_an_amount_of_its_own(songs: Songs) -> None:
    whole, half, none = (
        transfer(
            songs["input"],
            songs["reference"],
            separator="builtin",
            stem_amounts={"master": share},
            gate=False,
        ).document.console
        for share in (1.0, 0.5, 0.0)
    )
    assert whole.stems() == half.stems() == none.stems()
    for knob, value in whole.master["eq"].items():
        if knob.endswith("gain_db"):
            assert half.master["eq"][knob] == pytest.approx(value / 2, abs=0.05)
    assert any(abs(value) > 1 for knob, value in whole.master["eq"].items() if knob.endswith("gain_db"))
    for name in ("eq", "side_eq", "compressor", "width"):
        assert is_neutral(MASTER[name], none.master[name])


def test_mono_stays_mono_unless_asked(songs: Songs) -> None:
    mono = read(songs["input"]).with_channels(1)
    result = transfer(mono, songs["reference"], separator="builtin")
    assert result.mix.samples.shape == mono.samples.shape
    assert result.document.console.master["width"]["width"] == 1
    wide = transfer(mono, songs["reference"], separator="builtin", channels=2)
    assert wide.mix.channels == 2


def test_an_input_at_48_khz_keeps_its_rate(songs: Songs) -> None:
    source = read(songs["electronic"])
    assert source.rate == 48000
    result = transfer(songs["electronic"], songs["input"], separator="builtin", gate=False)
    assert (result.mix.rate, result.mix.frames) == (source.rate, source.frames)


@pytest.mark.parametrize("lufs", [-20.0, "match-input", "off"])
def test_loudness_targets(songs: Songs, lufs: float | str) -> None:
    result = transfer(songs["reference"], songs["input"], separator="builtin", lufs=lufs, gate=False)
    reached = integrated_lufs(result.mix.samples, result.mix.rate)
    if lufs == "off":
        assert result.document.console.master["gain"]["gain_db"] == 0
    else:
        source = read(songs["reference"])
        wanted = lufs if isinstance(lufs, float) else integrated_lufs(source.samples, source.rate)
        assert abs(reached - wanted) < 0.5


def test_apply_renders_the_same_again_and_obeys_edits(result: Result, songs: Songs, tmp_path: Path) -> None:
    path = result.document.save(tmp_path / "result.json")
    again = apply(path, songs["input"])
    assert residual_db(again.mix, result.mix) < -80
    plain = Document.load(path)
    plain.console.master = neutral(MASTER) | {"limiter": {"ceiling_db": 24.0, "release_ms": 100.0}}
    edited = plain.model_copy(deep=True)
    edited.console.drums["gain"]["gain_db"] += 6
    change = apply(edited, songs["input"]).mix.samples - apply(plain, songs["input"]).mix.samples
    drums = result.stems["drums"].samples * (10 ** (6 / 20) - 1)
    assert (change - drums).abs().max() < 1e-4


def test_settings_are_a_preset_for_another_input(result: Result, songs: Songs) -> None:
    other = apply(result.document, songs["electronic"])
    assert "preset" in {warning.code for warning in other.warnings}
    assert other.mix.frames == read(songs["electronic"]).frames


def test_what_is_saved_adds_up(result: Result, tmp_path: Path) -> None:
    paths = save_all(result, tmp_path / "out")
    names = {str(path.relative_to(tmp_path / "out")) for path in paths}
    assert names == {
        *(f"stems/{n}.wav" for n in (*STEMS, "rest")),
        "A.wav",
        "B.wav",
        "reference.wav",
        "result.json",
    }
    loudness = [integrated_lufs(a.samples, a.rate) for a in map(read, (tmp_path / "out").glob("*.wav"))]
    assert max(loudness) - min(loudness) < 0.2
    dry = sum(stem.samples for stem in result.dry_stems.values())
    rest = read(tmp_path / "out" / "stems" / "rest.wav")
    assert float((dry + rest.samples - result.song.audio.samples).abs().max()) < 1e-4


def test_ready_made_stems_need_no_input(result: Result, songs: Songs, tmp_path: Path) -> None:
    for name, stem in result.dry_stems.items():
        stem.write(tmp_path / f"song_{name}.wav", subtype="FLOAT")
    done = transfer(None, songs["reference"], stems_in=tmp_path, separator="builtin")
    assert done.mix.frames == result.mix.frames
    assert done.document.gate is not None
    assert done.document.gate.distance_kept < done.document.gate.distance_input
    with pytest.raises(SeparationError):
        transfer(songs["vocal"], songs["reference"], stems_in=tmp_path, separator="builtin")


def test_ranges_choose_what_is_measured(songs: Songs) -> None:
    part = transfer(
        songs["input"],
        songs["reference"],
        separator="builtin",
        reference_range=(2.0, 8.0),
        in_range=(1.0, 9.0),
    )
    assert part.document.reference is not None
    assert part.document.reference.measured_s == (2.0, 8.0)
    with pytest.raises(UsageError, match="not within"):
        transfer(songs["input"], songs["reference"], separator="builtin", reference_range=(90.0, 95.0))


def test_a_preview_is_as_long_as_asked(songs: Songs) -> None:
    result = transfer(songs["input"], songs["reference"], separator="builtin", preview_s=5)
    assert abs(result.mix.duration_s - 5) < 0.01


def test_arrays_are_sounds_and_unusable_ones_are_refused(songs: Songs) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 44100)).astype(np.float32)
    assert transfer((noise, 44100), songs["reference"], separator="builtin").mix.frames == 44100
    with pytest.raises(AudioError, match="silent"):
        transfer((noise * 0, 44100), songs["reference"])
    with pytest.raises(UsageError, match="no sound"):
        transfer((noise[None], 44100), songs["reference"])


def test_a_mono_output_is_as_loud_as_asked(songs: Songs) -> None:
    mono = read(songs["input"]).with_channels(1)
    result = transfer(mono, songs["reference"], separator="builtin", lufs=-20.0, gate=False)
    assert integrated_lufs(result.mix.samples, mono.rate) == pytest.approx(-20.0, abs=0.3)
    assert "mono-output" in {warning.code for warning in result.warnings}
    near = transfer(mono, songs["reference"], separator="builtin", amount=0.001, gate=False)
    assert residual_db(near.mix, mono) < -40


def test_neutral_settings_leave_a_hot_input_alone(songs: Songs) -> None:
    hot = Audio(read(songs["input"]).samples * 3, 44100)
    nothing = transfer(hot, songs["reference"], separator="builtin", amount=0)
    assert torch.equal(apply(nothing.document, hot).mix.samples, hot.samples)
    full = transfer(hot, songs["reference"], separator="builtin")
    assert torch.equal(apply(full.document, hot, amount=0).mix.samples, hot.samples)


def test_samples_beyond_full_scale_are_told(songs: Songs) -> None:
    hot = Audio(read(songs["input"]).samples * 3, 44100)
    result = transfer(hot, songs["reference"], separator="builtin", lufs="match-input", gate=False)
    assert "clipped" in {warning.code for warning in result.warnings}


def test_numbers_that_are_none_are_refused(songs: Songs) -> None:
    with pytest.raises(AudioError, match="not numbers"):
        transfer((np.full((2, 44100), np.nan, np.float32), 44100), songs["reference"])
