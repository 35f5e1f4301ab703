"""The gate keeps what helps, and nothing else."""

from __future__ import annotations

import pytest

from styletransfer.audio import STEMS
from styletransfer.gate import Amounts, Verdict, decide

FULL: Amounts = dict.fromkeys((*STEMS, "master"), 1.0)


def never(amounts: Amounts) -> float:
    raise AssertionError("nothing else need be tried")


def test_a_result_that_is_closer_is_kept_without_more_trials() -> None:
    assert decide(FULL, 10.0, 5.0, never).amounts == FULL


def test_a_smaller_amount_is_kept_where_it_is_closest() -> None:
    verdict = decide(FULL, 10.0, 12.0, lambda amounts: 10 - 4 * (amounts["master"] == 0.5 == amounts["bass"]))
    assert set(verdict.amounts.values()) == {0.5}
    assert verdict.distance_kept == 6.0


def test_the_stem_that_does_harm_is_taken_back_alone() -> None:
    verdict = decide(FULL, 10.0, 12.0, lambda amounts: 11.0 if amounts["drums"] else 4.0)
    assert verdict.amounts == FULL | {"drums": 0.0}


@pytest.mark.parametrize("elsewhere", [10.0, 9.9, 50.0])
def test_the_input_stands_where_nothing_helps(elsewhere: float) -> None:
    verdict = decide(FULL, 10.0, 12.0, lambda amounts: elsewhere)
    assert verdict.closed
    assert verdict.distance_kept == 10.0


def test_smaller_amounts_are_shares_of_what_was_asked_for() -> None:
    tried: list[float] = []

    def note(amounts: Amounts) -> float:
        tried.append(amounts["master"])
        return 10.0

    decide(dict.fromkeys(FULL, 0.4), 10.0, 12.0, note)
    assert tried[:3] == pytest.approx([0.3, 0.2, 0.1])


@pytest.mark.parametrize("master", [0.0, 0.1, 1.0])
def test_a_reduction_is_told_by_what_was_asked_for_most(master: float) -> None:
    full = dict.fromkeys(STEMS, 0.8) | {"master": master}
    amounts = {name: amount / 2 for name, amount in full.items()}
    (note,) = Verdict(amounts, 3.0, 4.0, 2.0).notes(full)
    asked = max(0.8, master)
    assert note.message == f"an amount of {asked / 2:.2f} came closer to the reference than {asked:.2f}"
