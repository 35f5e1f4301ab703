"""Refinement in the whole path: kept where held-out passages come closer, said where it isn't."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from refining_sounds import RATE, processed, stems_of, strips_with

from styletransfer import interpolate, transfer
from styletransfer.audio import STEMS
from styletransfer.converter.console import STRIP, neutral
from styletransfer.corpus.folder import RATE as KNOWN_RATE
from styletransfer.known_stems import KnownStems
from styletransfer.refining import checking
from styletransfer.refining.passages import split
from styletransfer.result import Result

DRESSED = strips_with(
    drums={"eq": {"peak_3_gain_db": 6.0}, "width": {"width": 2.0}, "gain": {"gain_db": 4.0}},
    bass={"eq": {"low_shelf_gain_db": 5.0}, "gain": {"gain_db": -4.0}},
    other={"eq": {"high_shelf_gain_db": 6.0}, "width": {"width": 0.3}},
    vocals={"eq": {"peak_1_gain_db": -6.0}, "balance": {"balance": 0.3}},
)


def mixes_of(*sides: torch.Tensor) -> tuple[KnownStems, list[Any]]:
    """The sums of stems, and who knows what they are made of."""
    known = KnownStems(exact=False)
    return known, [known.tell(side.sum(0), dict(zip(STEMS, side, strict=True))) for side in sides]


def moved(stems: torch.Tensor, theirs: torch.Tensor, **asked: Any) -> Result:
    assert RATE == KNOWN_RATE
    known, mixes = mixes_of(stems, theirs)
    return transfer(mixes[0], mixes[1], separator=known, converter="closed", gate=False, **asked)


def codes(result: Result) -> list[str]:
    return [note.code for note in result.warnings if note.code.startswith("refinement")]


@pytest.fixture(scope="module")
def sides() -> tuple[torch.Tensor, torch.Tensor]:
    return stems_of(1), processed(stems_of(3), DRESSED)


@pytest.fixture(scope="module")
def plain(sides: tuple[torch.Tensor, torch.Tensor]) -> Result:
    return moved(*sides)


def test_no_steps_are_no_refinement(sides: tuple[torch.Tensor, torch.Tensor], plain: Result) -> None:
    again = moved(*sides, refine=0)
    assert torch.equal(again.mix.samples, plain.mix.samples)
    assert again.document.console == plain.document.console
    assert codes(again) == []
    assert "refining" not in again.document.timings_s


def test_what_refinement_added_is_told(
    sides: tuple[torch.Tensor, torch.Tensor], plain: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_share", lambda *sounds: 0.5)
    result = moved(*sides, refine=1, lock=["bass"])
    assert codes(result) == []
    assert result.document.asked.refine == 1
    for strip in ("drums", "master"):
        assert result.document.proposed[strip].refinement["eq"]
    for name in STEMS:
        total = result.document.proposed[name].total(STRIP)
        for stage, knobs in result.document.console.stems()[name].items():
            assert total[stage] == pytest.approx(knobs, abs=1e-6), (name, stage)
    assert result.document.console.bass == neutral(STRIP)
    assert result.document.console.drums != plain.document.console.drums


def test_what_the_polish_added_to_the_master_is_told_as_refinement(
    sides: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_share", lambda *sounds: 0.5)
    monkeypatch.setattr(checking, "POLISH_STEPS", 2)
    polished, matched = moved(*sides), moved(*sides, polish=False)
    told = polished.document.proposed["master"]
    assert told.closed_form == matched.document.proposed["master"].closed_form
    assert told.refinement["eq"]
    assert not told.network
    assert not any(polished.document.proposed[name].refinement for name in STEMS)


def test_beside_a_stem_with_a_reference_of_its_own_all_else_is_polished_and_refined(
    sides: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_share", lambda *sounds: 0.5)
    monkeypatch.setattr(checking, "POLISH_STEPS", 2)
    ours, theirs = sides
    known, mixes = mixes_of(ours, theirs, ours)
    asked = {"separator": known, "converter": "closed", "gate": False}
    polished, refined = (
        transfer(*mixes[:2], stem_references={"vocals": mixes[2]}, refine=steps, **asked) for steps in (0, 1)
    )
    assert polished.document.proposed["master"].refinement["eq"]
    assert codes(refined) == []
    assert refined.document.proposed["drums"].refinement["eq"]
    assert not refined.document.proposed["vocals"].refinement


def test_what_has_no_amount_is_refined_past_and_keeps_what_was_proposed(
    sides: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_share", lambda *sounds: 0.5)
    result, plain = (moved(*sides, refine=steps, stem_amounts={"bass": 0}) for steps in (1, 0))
    assert result.document.console.bass == neutral(STRIP)
    told = result.document.proposed["bass"]
    assert not told.refinement
    assert told.closed_form == plain.document.proposed["bass"].closed_form != neutral(STRIP)


def test_the_start_stands_where_held_out_passages_don_t_come_closer() -> None:
    """All pieces that are read were mixed in one way, all others in another: what is learned misleads."""
    theirs, dressed = stems_of(3), processed(stems_of(3), DRESSED)
    pieces = split(theirs.shape[-1] / RATE)
    assert pieces is not None
    for start_s, end_s in pieces.read:
        cut = slice(round(start_s * RATE), round(end_s * RATE))
        theirs[..., cut] = dressed[..., cut]
    ours = stems_of(1)
    start = moved(ours, theirs, lock=STEMS)
    result = moved(ours, theirs, lock=STEMS, refine=20)
    assert codes(result) == ["refinement-dropped"]
    assert result.document.console == start.document.console
    assert torch.equal(result.mix.samples, start.mix.samples)
    assert not any(told.refinement for told in result.document.proposed.values())


def test_what_stands_instead_is_what_there_would_be_without_refinement(
    sides: tuple[torch.Tensor, torch.Tensor], plain: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = iter((0.5, 1.1))  # the polish comes closer, refinement doesn't
    monkeypatch.setattr(checking, "_share", lambda *sounds: next(shares))
    monkeypatch.setattr(checking, "POLISH_STEPS", 2)
    result = moved(*sides, refine=1, lock=STEMS)
    assert codes(result) == ["refinement-dropped"]
    assert result.document.proposed["master"].refinement["eq"]  # the polish's
    shares = iter((0.5,))
    assert result.document.console == moved(*sides, lock=STEMS).document.console


def test_the_ends_of_a_way_between_two_references_are_polished_as_plain_transfers(
    sides: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_share", lambda *sounds: 0.5)
    monkeypatch.setattr(checking, "POLISH_STEPS", 2)
    ours, theirs = sides
    known, mixes = mixes_of(ours, theirs, ours)
    way = interpolate(mixes[0], mixes[1], mixes[2], separator=known, converter="closed", gate=False)
    assert way.at(0).document.proposed["master"].refinement["eq"]
    assert torch.equal(way.at(0).mix.samples, moved(*sides).mix.samples)


def test_short_songs_several_references_and_locked_strips_are_said_to_be_beyond_it(
    sides: tuple[torch.Tensor, torch.Tensor],
) -> None:
    ours, theirs = sides
    assert codes(moved(ours[..., : 4 * RATE], theirs, refine=4)) == ["refinement-impossible"]
    result = moved(ours, theirs, refine=4, lufs="off", lock=[*STEMS, "master"])
    assert codes(result) == ["refinement-impossible"]
    assert torch.equal(result.mix.samples, ours.sum(0))
    known = KnownStems(exact=False)
    mixes = [known.tell(side.sum(0), dict(zip(STEMS, side, strict=True))) for side in (ours, theirs, ours)]
    several = transfer(mixes[0], mixes[1:], separator=known, converter="closed", refine=4)
    assert codes(several) == ["refinement-impossible"]


@pytest.mark.slow
def test_sixty_steps_take_two_threads_less_than_a_minute(songs: dict[str, Path]) -> None:
    """All of it: strips, what is held back, the master and the check. A busy machine fails nobody."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    busy = []
    for steps in (0, 60):
        start_s = time.process_time()
        done = transfer(songs["input"], songs["reference"], separator="builtin", refine=steps)
        busy.append(time.process_time() - start_s)
    torch.set_num_threads(threads)
    wall_s = done.document.timings_s["refining"]
    print(f"refining: {wall_s:.0f} s, {busy[1] - busy[0]:.0f} of them of one processor")
    assert max((busy[1] - busy[0]) / 2, min(wall_s, busy[1] - busy[0])) < 60
