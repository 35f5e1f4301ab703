"""Where both sides' own stems are here, the reference's master is known, and no more than it is matched."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch
from refining_sounds import RATE, processed, stems_of, strips_with

from styletransfer import transfer
from styletransfer.audio import STEMS, Audio
from styletransfer.closeness import distance, stems_apart
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, is_neutral, neutral
from styletransfer.converter.mixing import bands_of
from styletransfer.converter.rendering import stages_of
from styletransfer.encoder.measures import BAND_HZ, measure, moved
from styletransfer.known_stems import KnownStems
from styletransfer.result import Result

SHAPING = [stage for stage in MASTER if stage not in ("gain", "limiter")]


def carried(mastered: dict[str, dict[str, float]] | None, *, exact: bool = True) -> Result:
    """A transfer between two songs, the reference's mix behind these settings of its master."""
    ours = stems_of(1)
    theirs = processed(stems_of(3), strips_with(drums={"gain": {"gain_db": 4.0}}))
    mix = theirs.sum(0)
    if mastered is not None:
        mix = fx.render(mix, stages_of(MASTER, mastered, RATE))
    known = KnownStems(exact=exact)
    sides = [
        known.tell(sound, dict(zip(STEMS, stems, strict=True)))
        for sound, stems in ((ours.sum(0), ours), (mix, theirs))
    ]
    return transfer(*sides, separator=known, converter="closed", gate=False)


def test_a_reference_that_is_the_sum_of_its_stems_had_no_master() -> None:
    master = carried(None).document.console.master
    assert all(is_neutral(MASTER[stage], master[stage]) for stage in SHAPING)
    assert master["gain"]["gain_db"] != 0.0


def test_separated_stems_leave_the_master_to_the_mixes() -> None:
    master = carried(None, exact=False).document.console.master
    assert not is_neutral(MASTER["eq"], master["eq"])


def test_what_the_reference_s_master_did_is_done_again() -> None:
    settings = neutral(MASTER)
    settings["eq"]["high_shelf_gain_db"] = 6.0
    settings["width"]["width"] = 1.5
    master = carried(settings).document.console.master
    wanted, found = (
        fx.equalizer_response_db(BAND_HZ.float(), RATE, **bands_of(_rows(one["eq"]))._asdict())[0]
        for one in (settings, master)
    )
    inside = (BAND_HZ > 100) & (BAND_HZ < 8000)
    level = (found - wanted)[inside].mean()  # the common level is the gain's
    assert float((found - wanted - level)[inside].abs().mean()) < 1.0
    assert master["width"]["width"] == pytest.approx(1.5, rel=0.15)


@pytest.mark.parametrize(
    ("without", "beside", "known"), [("", "", True), ("", "song-rest", False), ("drums", "", False)]
)
def test_stems_in_folders_tell_of_a_master_where_they_are_whole(
    tmp_path: Path, without: str, beside: str, known: bool
) -> None:
    mixes = {}
    for side, seed in (("ours", 1), ("theirs", 3)):
        folder = tmp_path / side
        folder.mkdir()
        stems = dict(zip(STEMS, stems_of(seed), strict=True))
        mixes[side] = Audio(torch.stack(list(stems.values())).sum(0), RATE)
        for name, samples in stems.items():
            if name != without:
                soundfile.write(folder / f"song-{name}.wav", samples.T.numpy(), RATE, subtype="FLOAT")
    if beside:
        soundfile.write(tmp_path / "ours" / f"{beside}.wav", torch.zeros(9 * RATE, 2).numpy(), RATE)
    result = transfer(
        mixes["ours"],
        mixes["theirs"],
        separator="builtin",
        stems_in=tmp_path / "ours",
        reference_stems=tmp_path / "theirs",
        converter="closed",
        gate=False,
        polish=False,
    )
    master = result.document.console.master
    assert is_neutral(MASTER["eq"], master["eq"]) == known


@pytest.mark.parametrize("exact", [True, False])
def test_where_stems_are_known_the_gate_goes_by_them(exact: bool) -> None:
    ours, theirs = stems_of(1), processed(stems_of(3), strips_with(drums={"eq": {"peak_2_gain_db": 8.0}}))
    sides = [(stems.sum(0), dict(zip(STEMS, stems, strict=True))) for stems in (ours, theirs)]
    known = KnownStems(exact=exact)
    result = transfer(
        *(known.tell(*side) for side in sides), separator=known, converter="closed", polish=False
    )
    gate = result.document.gate
    mixes, stems = (
        [measure(mix, RATE) for mix, _ in sides],
        [{name: measure(stem, RATE) for name, stem in stems.items()} for _, stems in sides],
    )
    by_stems, by_mixes = stems_apart(*stems), distance(*mixes).total
    assert abs(by_stems - by_mixes) > 0.1
    assert gate.distance_input == pytest.approx(by_stems if exact else by_mixes, abs=0.01)
    assert gate.distance_kept < gate.distance_input


def test_stems_lie_apart_by_their_sound_and_by_how_levels_differ_from_each_other() -> None:
    stems = {name: measure(sound, RATE) for name, sound in zip(STEMS, stems_of(1), strict=True)}
    louder = {name: measure(2 * sound, RATE) for name, sound in zip(STEMS, stems_of(1), strict=True)}
    assert stems_apart(stems, stems) == 0
    assert stems_apart(louder, stems) == pytest.approx(0, abs=0.01)
    one = stems | {"bass": louder["bass"]}  # 6.02 dB for one of four: 4.5 for it and 1.5 for the others
    assert stems_apart(one, stems) == pytest.approx(6.02 * (0.75 + 3 * 0.25) / 4, abs=0.05)


def test_measures_move_by_what_changed() -> None:
    sound, before = stems_of(1).sum(0), stems_of(3).sum(0)
    after = before * 2
    told = [measure(one, RATE) for one in (sound, before, after)]
    there = moved(*told)
    torch.testing.assert_close(there.mid_db, told[0].mid_db + 6.0206, atol=0.05, rtol=0)
    assert there.loudness_lufs == pytest.approx(told[0].loudness_lufs + 6.02, abs=0.05)
    assert there.crest_db == pytest.approx(told[0].crest_db, abs=0.01)
    still = moved(told[0], before=told[1], after=told[1])
    assert torch.equal(still.mid_db, told[0].mid_db)
    assert still.width_db == told[0].width_db


def _rows(knobs: dict[str, float]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([value]) for name, value in knobs.items()}
