"""Amounts, groups and locks on the desk hold for settings from any converter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from styletransfer import STEMS, Audio
from styletransfer.clock import Clock
from styletransfer.converter.console import MASTER, STRIP, Settings, is_neutral, keeping, neutral, scaled
from styletransfer.desk import INAUDIBLE_DB, Desk
from styletransfer.document import Asked
from styletransfer.encoder.measures import measure
from styletransfer.files import read
from styletransfer.hearing import Input, hear
from styletransfer.reference import Reference
from styletransfer.separation import choose
from styletransfer.tasks import draw_settings


@pytest.fixture(scope="module")
def sides(songs: dict[str, Path]) -> tuple[Input, Reference]:
    ours, theirs, _ = hear(
        read(songs["input"]).excerpt(3.0, 6.0),
        [read(songs["reference"]).excerpt(3.0, 6.0)],
        {},
        choose("builtin"),
        stems_in=None,
        reference_stems=None,
        in_range=None,
        reference_range=None,
        preview_s=None,
        confident=False,
        encoder=None,
        cache=None,
        clock=Clock(lambda stage, fraction: None),
    )
    return ours, theirs[0]


@pytest.fixture(scope="module")
def converted() -> dict[str, Settings]:
    """What some converter might have set."""
    generator = torch.Generator().manual_seed(3)
    return {name: draw_settings(generator, name) for name in STEMS}


def test_whatever_set_the_knobs_is_scaled_filtered_and_locked(
    sides: tuple[Input, Reference], converted: dict[str, Settings]
) -> None:
    desk = Desk(*sides, Asked(amount=1, only=["eq", "space"], lock=["vocals"]))
    desk.match(converted)
    attempt = desk.render({"drums": 1.0, "bass": 0.4, "other": 0.0, "vocals": 1.0, "master": 0.5})
    allowed = {name: keeping(STRIP, settings, {"eq", "space"}) for name, settings in converted.items()}
    assert attempt.strips["drums"] == allowed["drums"]
    assert attempt.strips["bass"] == scaled(STRIP, allowed["bass"], 0.4)
    for name in ("other", "vocals"):
        assert all(is_neutral(stage, attempt.strips[name][key]) for key, stage in STRIP.items())
    told = desk.proposed({**converted, "master": desk.master})
    assert told["drums"].total(STRIP) == allowed["drums"]
    assert told["vocals"].closed_form == neutral(STRIP)


def test_the_master_is_matched_to_the_strips_as_they_will_be(
    sides: tuple[Input, Reference], converted: dict[str, Settings]
) -> None:
    def matched(**asked: Any) -> tuple[Settings, Audio]:
        desk = Desk(*sides, Asked(**({"amount": 1} | asked)))
        desk.match(converted)
        return desk.matched_master, desk.bus

    full, muted, locked = matched(), matched(stem_amounts={"drums": 0}), matched(lock=["drums"])
    assert muted[0] == locked[0] != full[0]
    assert torch.equal(muted[1].samples, locked[1].samples)
    assert matched(amount=0.5)[0] == full[0]  # half of all is half the way
    assert matched(amount=0.5, stem_amounts={"master": 1})[0] not in (full[0], muted[0])
    desk = Desk(*sides, Asked(amount=1, stem_amounts={"drums": 0}))
    desk.match(converted)
    whole = desk.render(Asked(amount=1, stem_amounts={"drums": 0}).amounts).audio.samples
    assert torch.allclose(desk.of_pieces(lambda sound: sound).samples, whole, atol=1e-6)


def test_a_locked_master_is_neutral_but_guards(
    sides: tuple[Input, Reference], converted: dict[str, Settings]
) -> None:
    desk = Desk(*sides, Asked(amount=1, lock=["master"]))
    assert desk.match({**converted, "bass": converted["bass"] | {"gain": {"gain_db": 24.0}}}) == []
    attempt = desk.render(dict.fromkeys((*STEMS, "master"), 1.0))
    assert attempt.master["gain"]["gain_db"] == 0
    assert attempt.loudness.true_peak_db < attempt.master["limiter"]["ceiling_db"] + 0.2


def test_a_network_may_correct_the_matched_master(
    sides: tuple[Input, Reference], converted: dict[str, Settings]
) -> None:
    heard = []

    def wider(bus: Audio, settings: Settings) -> Settings:
        heard.append(bus)
        return settings | {"width": {"width": 1.25}, "balance": {"balance": 0.5}}

    desk = Desk(*sides, Asked(amount=1, only=["eq", "width"]), correct=wider).anew()
    desk.match(converted)
    plain = Desk(*sides, Asked(amount=1, only=["eq", "width"]))
    plain.match(converted)
    assert desk.matched_master == plain.matched_master == plain.corrected_master
    assert (
        desk.master
        == desk.corrected_master
        == plain.master
        | {
            "width": {"width": 1.25},
            "balance": {"balance": 0.5},
        }
    )
    assert heard[0].duration_s == sides[0].song.audio.duration_s
    told = desk.proposed(
        {**converted, "master": desk.matched_master}, {**converted, "master": desk.corrected_master}
    )
    assert told["master"].network["width"]["width"] == pytest.approx(
        1.25 - desk.matched_master["width"]["width"]
    )


def test_a_master_that_has_nothing_to_match_is_left_to_rest(
    sides: tuple[Input, Reference], converted: dict[str, Settings]
) -> None:
    ours, theirs = sides

    def wider(bus: Audio, settings: Settings) -> Settings:
        return settings | {"width": {"width": 1.25}}

    itself = replace(theirs, measures=ours.measures, loudness=ours.loudness)
    desk = Desk(ours, itself, Asked(amount=1), correct=wider)
    desk.match({name: neutral(STRIP) for name in converted})
    assert all(is_neutral(stage, desk.master[name]) for name, stage in MASTER.items())
    other = Desk(ours, theirs, Asked(amount=1), correct=wider)
    other.match({name: neutral(STRIP) for name in converted})
    assert other.master["width"] == {"width": 1.25}


def with_crest(side: Input | Reference, crest_db: float) -> Any:
    """A side whose mix is said to have that crest factor."""
    mix = replace(side.measures.mix, crest_db=crest_db)
    return replace(side, measures=replace(side.measures, mix=mix))


def untouched(ours: Input, theirs: Reference, asked: Asked) -> Desk:
    """A desk on which nothing but gain and limiter acts."""
    desk = Desk(ours, theirs, asked)
    desk.match({name: neutral(STRIP) for name in STEMS})
    desk.turn_master(neutral(MASTER) | {"limiter": {"ceiling_db": 0.0, "release_ms": 30.0}})
    return desk


def crest_db(audio: Audio) -> float:
    return measure(audio.samples, audio.rate).crest_db


def test_peaks_come_down_to_the_crest_factor_of_the_reference(sides: tuple[Input, Reference]) -> None:
    ours, theirs = sides
    flat = with_crest(theirs, crest_db(ours.song.audio) - 6)
    desk = untouched(ours, flat, Asked(amount=1))
    attempt = desk.render(dict.fromkeys((*STEMS, "master"), 1.0))
    assert crest_db(attempt.audio) == pytest.approx(flat.measures.mix.crest_db, abs=1.0)
    half = desk.render(dict.fromkeys((*STEMS, "master"), 0.5))
    assert crest_db(half.audio) == pytest.approx(flat.measures.mix.crest_db + 3, abs=1.0)


def test_the_references_loudness_alone_flattens_no_peaks_but_one_that_is_asked_for_does(
    sides: tuple[Input, Reference],
) -> None:
    ours, theirs = sides
    dry = crest_db(ours.song.audio)
    wanted = with_crest(theirs, dry + 4)
    loud = replace(wanted, loudness=replace(theirs.loudness, integrated_lufs=-6.0))
    full = dict.fromkeys((*STEMS, "master"), 1.0)
    attempt = untouched(ours, loud, Asked(amount=1)).render(full)
    assert crest_db(attempt.audio) > dry - INAUDIBLE_DB - 0.5
    assert [note.code for note in attempt.notes] == ["loudness-missed"]
    asked = untouched(ours, wanted, Asked(amount=1, lufs=-6.0)).render(full)
    assert asked.loudness.integrated_lufs > attempt.loudness.integrated_lufs + 0.5
