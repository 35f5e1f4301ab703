"""What the model card says of the shipped averages beside MUSDB18's.

Those are published with the code of Martínez-Ramírez et al. (ISMIR 2022); that file of features is no part of
this project, and MUSDB18_FXFEATURES names it where it is at hand.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.encoder.measures import BAND_HZ
from styletransfer.normalization import load_averages

FILE = os.environ.get("MUSDB18_FXFEATURES")
PLAYED = (BAND_HZ > 40) & (BAND_HZ < 16_000)

pytestmark = pytest.mark.skipif(not FILE, reason="MUSDB18_FXFEATURES names no file")


@pytest.fixture(scope="module")
def published() -> dict[str, dict[str, Any]]:
    assert FILE
    found: dict[str, dict[str, Any]] = np.load(FILE, allow_pickle=True)[()]
    return found


def louder_db(stem: str, published: dict[str, dict[str, Any]]) -> Tensor:
    """How much more of each third octave the shipped average has, but for level."""
    magnitude = torch.from_numpy(published["eq"][stem])
    hz = torch.linspace(0, 22_050, len(magnitude), dtype=torch.float64)
    inside = (hz[:, None] >= BAND_HZ * 2 ** (-1 / 6)) & (hz[:, None] < BAND_HZ * 2 ** (1 / 6))
    theirs = 10 * torch.log10((magnitude[:, None] ** 2 * inside).sum(0) + 1e-20)
    mean = load_averages().of(stem)
    powers = [
        10 ** (torch.tensor(levels, dtype=torch.float64) / 10) for levels in (mean.mid_db, mean.side_db)
    ]
    found = 10 * torch.log10(powers[0] + powers[1]) - theirs
    return found - found[PLAYED].median()


@pytest.mark.parametrize("stem", STEMS)
def test_stems_are_louder_and_their_peaks_lower(stem: str, published: dict[str, dict[str, Any]]) -> None:
    mean, loudness = load_averages().of(stem), float(published["loudness"][stem][0])
    assert 1.5 < mean.loudness_lufs - loudness < 6.5
    assert -6 < mean.onset_peak_db - (float(published["compression"][stem][0]) - loudness) <= -2.9


@pytest.mark.parametrize("stem", ["drums", "other"])
def test_spectra_of_drums_and_other_agree(stem: str, published: dict[str, dict[str, Any]]) -> None:
    assert louder_db(stem, published)[PLAYED].abs().mean() < 2


def test_the_bass_is_brighter_and_the_voice_has_no_rumble(published: dict[str, dict[str, Any]]) -> None:
    bass, voice = louder_db("bass", published), louder_db("vocals", published)
    high, low = (BAND_HZ > 500) & PLAYED, (BAND_HZ < 200) & PLAYED
    assert 4 < bass[high].median() - bass[low].median() < 10
    assert voice[BAND_HZ < 100].max() < -4


@pytest.mark.parametrize(
    ("stem", "least", "most"), [("drums", -9, -3), ("other", -9, -3), ("vocals", -10, -3), ("bass", 3, 5)]
)
def test_all_but_the_bass_are_narrower(
    stem: str, least: float, most: float, published: dict[str, dict[str, Any]]
) -> None:
    mid = float(published["imager"][stem])  # the mid's share of the energy
    wider_db = load_averages().of(stem).width_db - 10 * np.log10((1 - mid) / mid)
    assert least < wider_db < most
