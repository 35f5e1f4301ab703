"""Paired figures: exact on known pairs, and intervals that mean what they say."""

from __future__ import annotations

import math

import pytest
import torch

from styletransfer.evaluation.statistics import paired


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_half_the_distance_everywhere_is_certain():
    baseline = [0.1, 0.2, 0.3, 0.5]
    found = paired([value / 2 for value in baseline], baseline, seeded())
    for estimate, value in ((found.ratio_of_means, 0.5), (found.median_log_ratio, math.log(0.5))):
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((value, value, value))
    assert found.mean_difference.value == pytest.approx(-0.1375)
    assert found.share_worse == 0


def test_the_share_of_worse_pairs_counts_pairs():
    assert paired([2.0, 1.0, 1.0, 0.5], [1.0, 1.0, 1.0, 1.0], seeded()).share_worse == 0.25


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    truth, covered = 0.3, 0
    for seed in range(200):
        noise = torch.randn(24, generator=seeded(seed), dtype=torch.float64)
        found = paired((1 + truth + 0.5 * noise).tolist(), [1.0] * 24, seeded(seed)).mean_difference
        covered += found.low <= truth <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_seed_gives_the_same_interval_again():
    system, baseline = [0.3, 0.1, 0.4], [0.2, 0.2, 0.3]
    assert paired(system, baseline, seeded(1)) == paired(system, baseline, seeded(1))


def test_unpaired_distances_are_refused():
    with pytest.raises(ValueError, match="no pairs"):
        paired([1.0], [1.0, 2.0], seeded())
