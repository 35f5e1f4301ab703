"""Averages measured from sounds of known make."""

from __future__ import annotations

import pytest
from normalization_sounds import RATE, music

from styletransfer.normalization.averages import CLASSES, Averages, Provenance
from styletransfer.normalization.measuring import average, look


@pytest.fixture(scope="session")
def averages() -> Averages:
    """What `music` sounds like on average, for every class."""
    looks = [look(music(seed), RATE) for seed in range(100, 104)]
    mean = average([found for found in looks if found is not None])
    return Averages(
        corpus=Provenance(
            split="train", songs=4, hours=0.01, pieces=4, excerpt_s=8, seed=0, date="2023-01-01", automix="0"
        ),
        stems=dict.fromkeys(CLASSES, mean),
    )
