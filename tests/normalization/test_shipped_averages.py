"""The averages that ship are whole, from the training split, and plausible."""

from __future__ import annotations

import pytest
import torch

from styletransfer.encoder.measures import BAND_HZ
from styletransfer.normalization import load_averages
from styletransfer.normalization.averages import CLASSES


@pytest.mark.parametrize("stem", CLASSES)
def test_every_class_is_there_and_plausible(stem: str) -> None:
    shipped = load_averages()
    assert shipped.corpus.split == "train"
    mean = shipped.of(stem)
    assert mean.songs >= 40
    assert -35 < mean.loudness_lufs < -8
    assert 3 < mean.onset_peak_db < 20
    assert -50 < mean.width_db < 0
    assert abs(mean.balance_db) < 1.5
    assert mean.bandwidth_hz > 5000


def test_the_bass_is_the_lowest() -> None:
    def centre_hz(stem: str) -> float:
        energy = 10 ** (torch.tensor(load_averages().of(stem).mid_db) / 10)
        return float((energy * BAND_HZ.log()).sum() / energy.sum())

    assert centre_hz("bass") < min(centre_hz(stem) for stem in CLASSES if stem != "bass")
