"""Disentanglement of codes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from styletransfer.evaluation.style.disentanglement import binned, explicitness, gaps, mutual_information

CHAINS, PIECES = 10, 25


@pytest.fixture(scope="module")
def grid() -> tuple[np.ndarray, np.ndarray]:
    chains, pieces = np.meshgrid(np.arange(CHAINS), np.arange(PIECES), indexing="ij")
    return chains.reshape(-1), pieces.reshape(-1)


def test_a_code_of_one_dimension_per_factor_is_disentangled() -> None:
    # ten values of each, so that ten bins can tell them apart
    chains, pieces = np.repeat(np.arange(10), 10), np.tile(np.arange(10), 10)
    found = gaps(np.stack([chains, pieces], 1).astype(float), chains, pieces)
    assert found.dcimig.value == pytest.approx(1)
    assert found.chain.value == pytest.approx(1)
    assert found.piece.value == pytest.approx(1)


def test_a_code_of_the_chain_alone_reaches_the_ceiling(grid: tuple[np.ndarray, np.ndarray]) -> None:
    chains, pieces = grid
    found = gaps(np.stack([chains, 0 * chains], 1).astype(float), chains, pieces)
    assert found.dcimig.value == pytest.approx(found.ceiling)
    assert found.ceiling == pytest.approx(np.log(CHAINS) / (np.log(CHAINS) + np.log(PIECES)))
    assert found.chain.value == pytest.approx(1)
    assert found.piece.value == pytest.approx(0, abs=1e-9)


def test_a_dimension_that_tells_both_factors_alike_counts_for_neither() -> None:
    first, second = np.repeat(np.arange(10), 10), np.tile(np.arange(10), 10)
    found = gaps((first + second)[:, None].astype(float), first, second)
    assert found.dcimig.value == pytest.approx(0, abs=1e-9)


def test_noise_has_small_gaps(grid: tuple[np.ndarray, np.ndarray]) -> None:
    chains, pieces = grid
    found = gaps(np.random.default_rng(0).normal(size=(len(chains), 64)), chains, pieces)
    assert found.chain.value < 0.1
    assert found.dcimig.value < 0.15


def test_mutual_information_of_a_copy_is_the_entropy(grid: tuple[np.ndarray, np.ndarray]) -> None:
    chains, _ = grid
    assert mutual_information(binned(chains[:, None].astype(float)), chains)[0] == pytest.approx(
        np.log(CHAINS)
    )
    assert mutual_information(np.zeros((len(chains), 1), dtype=int), chains)[0] == pytest.approx(0, abs=1e-12)


def test_a_clean_code_is_explicit(grid: tuple[np.ndarray, np.ndarray]) -> None:
    chains, pieces = grid
    found = explicitness(np.stack([chains, pieces], 1).astype(float), chains, pieces)
    assert found.fitted > 0.99
    assert found.held_out.value == pytest.approx(1)


def test_noise_tells_nothing_held_out_though_the_published_measure_flatters_it(
    grid: tuple[np.ndarray, np.ndarray],
) -> None:
    chains, pieces = grid
    found = explicitness(np.random.default_rng(1).normal(size=(len(chains), 8)), chains, pieces)
    assert abs(found.held_out.value) < 0.1
    assert found.fitted > 0.5


def test_leads_are_paired(grid: tuple[np.ndarray, np.ndarray]) -> None:
    chains, pieces = grid
    clean = np.stack([chains, pieces], 1).astype(float)
    noise = np.random.default_rng(0).normal(size=(len(chains), 8))
    gap = [gaps(code, chains, pieces) for code in (clean, noise)]
    ahead = gap[0].lead_over(gap[1])
    assert ahead.value == gap[0].dcimig.value - gap[1].dcimig.value
    assert 0 < ahead.low <= ahead.value <= ahead.high
    told = [explicitness(code, chains, pieces) for code in (clean, noise)]
    ahead = told[0].lead_over(told[1])
    assert ahead.value == pytest.approx(told[0].fitted - told[1].fitted)
    assert 0 < ahead.low <= ahead.value <= ahead.high
    for one in (*gap, *told):
        same = one.lead_over(one)
        assert same.value == same.low == same.high == 0
