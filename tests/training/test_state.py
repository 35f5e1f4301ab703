from __future__ import annotations

import time

from styletransfer.training.state import State


def test_a_stage_stops_before_the_round_that_would_pass_its_limit() -> None:
    state = State()
    state.count(time.monotonic() - 60 * 20, a_round=False)  # the material
    assert not state.out_of_time(10)  # one round is always trained
    for state.round in (1, 2):
        state.count(time.monotonic() - 60 * 15)
    assert state.minutes > 49.9
    assert state.out_of_time(60)
    assert not state.out_of_time(70)
    assert not state.out_of_time(0)
