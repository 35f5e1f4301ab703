"""Linear probes on embeddings that hold a known amount of what is asked."""

from __future__ import annotations

import numpy as np
import pytest

from styletransfer.evaluation.style.probes import linear_r2, naming_accuracy

COUNT, PIECES = 250, 25


@pytest.fixture
def pieces() -> np.ndarray:
    return np.arange(COUNT) % PIECES


def test_a_linear_code_is_read_and_noise_is_not(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    values = generator.uniform(size=COUNT)
    mixing = generator.normal(size=(1, 12))
    code = values[:, None] * mixing + 0.01 * generator.normal(size=(COUNT, 12))
    read = linear_r2(code, values, pieces)
    assert read is not None
    assert read.r2.value > 0.98
    assert read.r2.low <= read.r2.value <= read.r2.high
    guessed = linear_r2(generator.normal(size=(COUNT, 12)), values, pieces)
    assert guessed is not None
    assert guessed.r2.value < 0.1


def test_half_of_the_variance_is_half_read(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(1)
    heard = generator.normal(size=COUNT)
    read = linear_r2(heard[:, None], heard + generator.normal(size=COUNT), pieces)
    assert read is not None
    assert read.r2.value == pytest.approx(0.5, abs=0.12)


def test_what_only_tells_pieces_apart_does_not_help(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(2)
    values = np.repeat(generator.normal(size=PIECES), COUNT // PIECES)
    own = np.repeat(np.arange(PIECES), COUNT // PIECES)
    read = linear_r2(np.eye(PIECES)[own], values, own)
    assert read is not None
    assert read.r2.value < 0.1


def test_only_excerpts_that_have_the_effect_count(pieces: np.ndarray) -> None:
    values = np.random.default_rng(3).uniform(size=COUNT)
    some = np.where(np.arange(COUNT) < 100, values, np.nan)
    read = linear_r2(values[:, None], some, pieces)
    assert read is not None
    assert read.excerpts == 100
    assert linear_r2(values[:, None], np.where(np.arange(COUNT) < 20, values, np.nan), pieces) is None
    assert linear_r2(values[:, None], np.ones(COUNT), pieces) is None


def test_names_are_told_from_few_examples_and_noise_is_guessed() -> None:
    styles = np.repeat(np.arange(5), 50)
    pieces = np.tile(np.arange(10), 25)
    generator = np.random.default_rng(0)
    told = naming_accuracy(np.eye(5)[styles], styles, pieces, (5, 10, 1000))
    assert list(told) == [5, 10]
    assert told[5].value == 1
    guessed = naming_accuracy(generator.normal(size=(250, 6)), styles, pieces, (5,))
    assert guessed[5].value == pytest.approx(0.2, abs=0.08)
