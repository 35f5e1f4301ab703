"""Stems stay a mix: plausible levels, one common factor, no offset."""

from __future__ import annotations

import pytest
import torch
from corpus_sounds import tone

from styletransfer.corpus import balance
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.loudness import integrated_lufs


def test_drums_that_are_far_too_soft_are_raised_and_fair_ones_left() -> None:
    stems = {"drums": tone(1000, 3.0, 0.0005), "other": tone(1000, 3.0, 0.2)}
    drums, other = (
        integrated_lufs(s, RATE) for s in balance.balanced(stems, torch.Generator().manual_seed(0)).values()
    )
    assert -16 < drums - other < -3
    fair = {"drums": tone(1000, 3.0, 0.1), "other": tone(1000, 3.0, 0.2)}
    drums, other = (
        integrated_lufs(s, RATE) for s in balance.balanced(fair, torch.Generator().manual_seed(0)).values()
    )
    assert drums - other == pytest.approx(-6, abs=6)


def test_one_factor_brings_the_mix_to_its_peak() -> None:
    stems = {"drums": tone(1000, 1.0, 0.9), "bass": tone(1000, 1.0, 0.3)}
    scaled = balance.at_peak(stems)
    assert (scaled["drums"] + scaled["bass"]).abs().max() == pytest.approx(balance.PEAK, abs=1e-3)
    torch.testing.assert_close(scaled["drums"], 3 * scaled["bass"])


def test_stems_that_cancel_don_t_exceed_the_peak() -> None:
    scaled = balance.at_peak({"drums": tone(100, 1.0, 0.9), "bass": -tone(100, 1.0, 0.89)})
    assert max(samples.abs().max() for samples in scaled.values()) <= balance.PEAK + 1e-3


def test_a_voice_lies_near_what_accompanies_it() -> None:
    song = {"other": tone(500, 3.0, 0.2)}
    for seed in range(5):
        sung = balance.with_vocals(song, tone(800, 3.0, 0.01), torch.Generator().manual_seed(seed))
        difference = integrated_lufs(sung["vocals"], RATE) - integrated_lufs(song["other"], RATE)
        assert -6.1 <= difference <= 1.1


def test_an_offset_goes_and_silence_and_tones_stay() -> None:
    cleaned = balance.without_edges(tone(440, 2.0) + 0.3)
    assert cleaned[:, RATE // 2 : RATE].mean().abs() < 1e-3
    assert cleaned[:, RATE // 2 : RATE].abs().max() == pytest.approx(0.2, abs=0.005)
    assert balance.without_edges(torch.zeros(2, RATE)).abs().max() == 0
