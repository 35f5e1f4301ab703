"""Effects with a large loss are drawn more often."""

from __future__ import annotations

import pytest

from styletransfer.chains.scheduling import chances


def test_the_worst_is_certain_and_the_best_rare() -> None:
    assert chances({"eq": 1.0, "pan": 3.0, "gain": 2.0}) == pytest.approx(
        {"eq": 0.1, "pan": 1.0, "gain": 0.55}
    )


def test_equal_losses_share_the_middle() -> None:
    assert chances({"eq": 2.0, "pan": 2.0}) == pytest.approx({"eq": 0.55, "pan": 0.55})


@pytest.mark.parametrize("losses", [{}, {"eq": float("nan")}])
def test_losses_must_be_numbers(losses: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="losses"):
        chances(losses)
