"""The quick loudness agrees with the standard's filter."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from chain_sounds import RATE, music, tone
from scipy.signal import sosfilt
from torch import Tensor

from styletransfer.chains.loudness import k_weighted_energy, matching_factor
from styletransfer.encoder.loudness import k_weighting


def by_the_book_db(samples: Tensor, rate: int) -> float:
    weighted = sosfilt(k_weighting(rate), samples.double().numpy(), axis=-1)
    return 10 * math.log10(float(np.square(weighted).mean(-1).sum()))


@pytest.mark.parametrize("frequency_hz", [30, 45, 100, 440, 600, 1000, 1400, 2000, 5000, 15_000])
def test_a_tone_weighs_what_the_standard_says(frequency_hz: float) -> None:
    samples = tone(frequency_hz, seconds=3.0)
    measured = 10 * math.log10(float(k_weighted_energy(samples, RATE)[0]))
    assert measured == pytest.approx(by_the_book_db(samples[0], RATE), abs=0.15)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_music_weighs_what_the_standard_says_at_any_rate(rate: int) -> None:
    samples = music()
    measured = 10 * k_weighted_energy(samples, rate).log10()
    for example, sound in zip(measured, samples, strict=True):
        assert float(example) == pytest.approx(by_the_book_db(sound, rate), abs=0.1)


def test_steady_offsets_and_silence_weigh_nothing() -> None:
    assert float(k_weighted_energy(torch.full((1, 2, RATE), 0.5), RATE)[0]) < 1e-2 * 0.5
    assert float(k_weighted_energy(torch.zeros(1, 2, RATE), RATE)[0]) == 0


def test_matching_leaves_silence_alone_and_knows_bounds() -> None:
    energy, wanted = torch.tensor([1.0, 0.0, 1.0, 1e-11]), torch.tensor([4.0, 1.0, 0.0, 1e9])
    assert matching_factor(energy, wanted).tolist() == pytest.approx([2.0, 1.0, 1.0, 1e4])
