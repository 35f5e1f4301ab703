"""Jobs in order, and results that needn't be made twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from styletransfer.evaluation.transfer.spreading import Kept, in_turn


def test_an_evaluation_that_was_stopped_goes_on_where_it_was(tmp_path: Path):
    kept, made = Kept.of(tmp_path, "tables").under("neutral input, true stems"), []

    def half(number: int) -> float:
        if number == 5:
            raise KeyboardInterrupt
        made.append(number)
        return number / 2

    with pytest.raises(KeyboardInterrupt):
        in_turn(half, [1, 2, 3, 5], kept=kept)
    assert sorted(made) == [1, 2, 3]
    assert in_turn(half, [1, 2, 3, 4], kept=kept) == [0.5, 1.0, 1.5, 2.0]
    assert sorted(made) == [1, 2, 3, 4]


def test_a_result_that_cannot_be_read_is_made_again(tmp_path: Path):
    kept = Kept.of(tmp_path, "tables")
    assert in_turn(str, [7, 8], kept=kept) == ["7", "8"]
    damaged = sorted(tmp_path.rglob("*.pickle"))[0]
    for content in (damaged.read_bytes()[:5], b"", b"cno_such_module\nno_such_name\n.", b"Inot a number\n."):
        damaged.write_bytes(content)
        assert in_turn(str, [7, 8], kept=kept) == ["7", "8"]


def test_what_is_asked_otherwise_is_judged_anew(tmp_path: Path):
    one, other = Kept.of(tmp_path, "one"), Kept.of(tmp_path, "other")
    assert in_turn(str, [7], kept=one) == ["7"]
    assert in_turn(len, ["abc"], kept=other) == [3]
    assert in_turn(len, ["abc"], kept=one.under("table")) == [3]
    assert in_turn(len, ["abc"], kept=one) == ["7"]
