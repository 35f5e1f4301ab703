"""Linear probes on embeddings that hold a known amount of what is asked."""

from __future__ import annotations

import numpy as np
import pytest

from styletransfer.evaluation.statistics import Estimate
from styletransfer.evaluation.style.probes import linear_r2, naming_accuracy

COUNT, PIECES = 250, 25


@pytest.fixture
def pieces() -> np.ndarray:
    return np.arange(COUNT) % PIECES


def r2_of(vectors: np.ndarray, values: np.ndarray, pieces: np.ndarray) -> Estimate:
    (found,) = linear_r2(vectors, values[:, None], pieces)
    assert found is not None
    return found.r2


def test_a_linear_code_is_read_and_noise_is_not(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    values = generator.uniform(size=COUNT)
    mixing = generator.normal(size=(1, 12))
    code = values[:, None] * mixing + 0.01 * generator.normal(size=(COUNT, 12))
    read = r2_of(code, values, pieces)
    assert read.value > 0.98
    assert read.low <= read.value <= read.high
    assert -0.1 < r2_of(generator.normal(size=(COUNT, 12)), values, pieces).value < 0.1


def test_half_of_the_variance_is_half_read(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(1)
    heard = generator.normal(size=COUNT)
    read = r2_of(heard[:, None], heard + generator.normal(size=COUNT), pieces)
    assert read.value == pytest.approx(0.5, abs=0.12)


def test_more_dimensions_than_excerpts_are_held_in_check(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(4)
    values = generator.normal(size=COUNT)
    wide = generator.normal(size=(COUNT, 2 * COUNT))
    assert r2_of(wide, values, pieces).value > -0.1  # noise only: the mean is the best guess
    wide[:, 0] += 20 * values
    assert r2_of(wide, values, pieces).value > 0.3


def test_what_only_tells_pieces_apart_does_not_help() -> None:
    generator = np.random.default_rng(2)
    values = np.repeat(generator.normal(size=PIECES), COUNT // PIECES)
    own = np.repeat(np.arange(PIECES), COUNT // PIECES)
    assert r2_of(np.eye(PIECES)[own], values, own).value < 0.1


def test_each_parameter_is_read_by_a_line_of_its_own(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(3)
    values = generator.uniform(size=(COUNT, 2))
    first, constant = linear_r2(values[:, :1], np.stack([values[:, 0], np.ones(COUNT)], 1), pieces)
    assert first is not None
    assert first.r2.value > 0.99
    assert first.excerpts == COUNT
    assert constant is None
    assert linear_r2(values[:20], values[:20], pieces[:20]) == [None, None]


def test_leads_are_paired(pieces: np.ndarray) -> None:
    generator = np.random.default_rng(5)
    values = generator.normal(size=(COUNT, 1))
    (clear,) = linear_r2(values + 0.5 * generator.normal(size=(COUNT, 1)), values, pieces)
    (dim,) = linear_r2(values + 2.0 * generator.normal(size=(COUNT, 1)), values, pieces)
    assert clear is not None
    assert dim is not None
    ahead = clear.lead_over(dim)
    assert ahead.value == pytest.approx(clear.r2.value - dim.r2.value)
    assert 0 < ahead.low <= ahead.value <= ahead.high
    assert ahead.high - ahead.low < clear.r2.high - dim.r2.low - (clear.r2.low - dim.r2.high)


def test_names_are_told_from_few_examples_and_noise_is_guessed() -> None:
    styles = np.repeat(np.arange(5), 50)
    pieces = np.tile(np.arange(10), 25)
    generator = np.random.default_rng(0)
    told = naming_accuracy(np.eye(5)[styles], styles, pieces, (5, 10, 1000))
    assert list(told) == [5, 10]
    assert told[5].value == 1
    guessed = naming_accuracy(generator.normal(size=(250, 6)), styles, pieces, (5,))
    assert guessed[5].value == pytest.approx(0.2, abs=0.08)
