"""Retrieval on embeddings whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from styletransfer.evaluation.style.leak import content_leak
from styletransfer.evaluation.style.retrieval import OWN_PIECE, answer, assign, draws, most_pieces

STYLES, SLOTS, PIECES = 200, 3, 25


@pytest.fixture(scope="module")
def pieces() -> np.ndarray:
    return assign(STYLES, SLOTS, PIECES, seed=0)


def one_hot(numbers: np.ndarray, count: int) -> np.ndarray:
    return np.eye(count)[numbers]


def of_styles() -> np.ndarray:
    return one_hot(np.repeat(np.arange(STYLES)[:, None], SLOTS, 1), STYLES)


def test_styles_go_on_different_pieces_equally_often(pieces: np.ndarray) -> None:
    assert all(len(set(row)) == SLOTS for row in pieces.tolist())
    often = np.bincount(pieces.reshape(-1), minlength=PIECES)
    assert often.max() - often.min() <= 1


def test_a_gallery_holds_one_right_item_and_five_of_the_query_s_piece(pieces: np.ndarray) -> None:
    styles = np.arange(STYLES)
    for draw in draws(pieces, 5, seed=1):
        query, item = pieces[styles, draw.query], pieces[styles, draw.item]
        assert (query != item).all()
        assert all((item == piece).sum() >= OWN_PIECE for piece in set(query.tolist()))


def test_draws_differ_and_repeat_with_the_seed(pieces: np.ndarray) -> None:
    first, second = draws(pieces, 2, seed=1)
    assert (first.query != second.query).any()
    assert np.array_equal(first.query, draws(pieces, 1, seed=1)[0].query)


def test_an_embedding_of_the_style_finds_everything_and_leaks_nothing_above_chance(
    pieces: np.ndarray,
) -> None:
    noisy = of_styles() + 0.01 * np.random.default_rng(0).normal(size=(STYLES, SLOTS, STYLES))
    found = answer(noisy, pieces, draws(pieces, 5, 0))
    assert found.estimate("recall_1").value == 1
    assert found.estimate("mean_rank").value == 1
    assert found.estimate("map_10").value == 1
    numbers = np.repeat(np.arange(STYLES), SLOTS)
    leak = content_leak(noisy.reshape(-1, STYLES), numbers, pieces.reshape(-1))
    assert leak.leak.value < 2 * leak.chance
    assert leak.chance == pytest.approx(1 / PIECES, rel=0.1)


def test_an_embedding_of_the_piece_finds_nothing_and_leaks_all(pieces: np.ndarray) -> None:
    vectors = one_hot(pieces, PIECES) + 1e-3 * np.random.default_rng(0).normal(size=(STYLES, SLOTS, PIECES))
    found = answer(vectors, pieces, draws(pieces, 5, 0))
    assert found.estimate("recall_1").value == 0  # its own piece is always nearer
    assert found.estimate("mean_rank").value > OWN_PIECE
    numbers = np.repeat(np.arange(STYLES), SLOTS)
    assert content_leak(vectors.reshape(-1, PIECES), numbers, pieces.reshape(-1)).leak.value == 1


def test_an_embedding_of_nothing_is_at_chance(pieces: np.ndarray) -> None:
    vectors = np.random.default_rng(3).normal(size=(STYLES, SLOTS, 16))
    found = answer(vectors, pieces, draws(pieces, 5, 0))
    assert found.estimate("recall_1").value == pytest.approx(1 / STYLES, abs=0.01)
    assert found.estimate("recall_5").value == pytest.approx(5 / STYLES, abs=0.02)
    assert found.estimate("mean_rank").value == pytest.approx((STYLES + 1) / 2, rel=0.06)


def test_a_constant_embedding_finds_nothing(pieces: np.ndarray) -> None:
    found = answer(np.ones((STYLES, SLOTS, 4)), pieces, draws(pieces, 1, 0))
    assert (found.ranks == STYLES).all()


def test_scaling_lets_a_loud_dimension_not_drown_a_soft_one(pieces: np.ndarray) -> None:
    noise = 1e3 * np.random.default_rng(0).normal(size=(STYLES, SLOTS, 3))
    vectors = np.concatenate([of_styles(), noise], -1)
    raw = answer(vectors, pieces, draws(pieces, 1, 0)).estimate("recall_1").value
    scaled = answer(vectors, pieces, draws(pieces, 1, 0), scaled=True).estimate("recall_1").value
    assert raw < 0.05
    assert scaled > 0.9


def test_the_lead_over_another_system_is_paired(pieces: np.ndarray) -> None:
    chosen = draws(pieces, 2, 0)
    right = answer(of_styles(), pieces, chosen)
    wrong = answer(np.ones((STYLES, SLOTS, 2)), pieces, chosen)
    lead = right.lead_over(wrong)
    assert (lead.value, lead.low, lead.high) == (1, 1, 1)
    with pytest.raises(ValueError, match="same queries"):
        right.lead_over(answer(of_styles(), pieces, draws(pieces, 2, 9)))


def test_the_interval_widens_when_pieces_succeed_and_fail_as_wholes(pieces: np.ndarray) -> None:
    found = answer(of_styles(), pieces, draws(pieces, 1, 0))
    by_piece = np.where(found.pieces % 2 == 0, 1, 100)
    mixed = np.random.default_rng(0).permutation(by_piece)
    whole = type(found)(by_piece, found.pieces).estimate("recall_1")
    spread = type(found)(mixed, found.pieces).estimate("recall_1")
    assert whole.high - whole.low > 1.5 * (spread.high - spread.low)


def test_too_few_pieces_or_styles_are_refused() -> None:
    with pytest.raises(ValueError, match="can't be chosen"):
        assign(10, 3, 2, 0)
    with pytest.raises(ValueError, match="too few"):
        draws(assign(20, 2, 19, 0), 1, 0)
    assert most_pieces(200) == 25
