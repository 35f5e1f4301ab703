"""Stems stay a mix: plausible levels, one common factor, no offset."""

from __future__ import annotations

import pytest
import torch
from corpus_sounds import tone

from styletransfer.corpus import balance
from styletransfer.corpus.balance import Part
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.loudness import integrated_lufs


def parts(**stems: torch.Tensor) -> dict[str, Part]:
    return {name: Part.measured(samples) for name, samples in stems.items()}


def test_drums_that_are_far_too_soft_are_raised_and_fair_ones_left() -> None:
    def difference(stems: dict[str, Part]) -> float:
        balanced = balance.balanced(stems, torch.Generator().manual_seed(0))
        drums, other = (integrated_lufs(part.samples, RATE) for part in balanced.values())
        return drums - other

    assert -16 < difference(parts(drums=tone(1000, 3.0, 0.0005), other=tone(1000, 3.0, 0.2))) < -3
    fair = parts(drums=tone(1000, 3.0, 0.1), other=tone(1000, 3.0, 0.2))
    assert difference(fair) == pytest.approx(-6, abs=6)


def test_one_factor_brings_the_mix_to_its_peak() -> None:
    scaled = balance.at_peak(parts(drums=tone(1000, 1.0, 0.9), bass=tone(1000, 1.0, 0.3)))
    drums, bass = scaled["drums"].samples, scaled["bass"].samples
    assert (drums + bass).abs().max() == pytest.approx(balance.PEAK, abs=1e-3)
    torch.testing.assert_close(drums, 3 * bass)


def test_stems_that_cancel_don_t_exceed_the_peak() -> None:
    scaled = balance.at_peak(parts(drums=tone(100, 1.0, 0.9), bass=-tone(100, 1.0, 0.89)))
    assert max(part.samples.abs().max() for part in scaled.values()) <= balance.PEAK + 1e-3


def test_a_voice_lies_near_what_accompanies_it() -> None:
    song = parts(other=tone(500, 3.0, 0.2))
    voice = Part.measured(tone(800, 3.0, 0.01))
    for seed in range(5):
        sung = balance.with_vocals(song, voice, torch.Generator().manual_seed(seed))
        vocals, other = (integrated_lufs(sung[name].samples, RATE) for name in ("vocals", "other"))
        assert -6.1 <= vocals - other <= 1.1


def test_loudness_goes_along_with_every_gain() -> None:
    song = parts(drums=tone(1000, 3.0, 0.002), other=tone(500, 3.0, 0.2))
    generator = torch.Generator().manual_seed(0)
    song = balance.balanced(song, generator)
    song = balance.at_peak(balance.with_vocals(song, Part.measured(tone(800, 3.0, 0.01)), generator))
    assert len(song) == 3
    for part in song.values():
        assert part.lufs == pytest.approx(integrated_lufs(part.samples, RATE), abs=0.01)


def test_an_offset_goes_and_silence_and_tones_stay() -> None:
    cleaned = balance.without_edges(tone(440, 2.0) + 0.3)
    assert cleaned[:, RATE // 2 : RATE].mean().abs() < 1e-3
    assert cleaned[:, RATE // 2 : RATE].abs().max() == pytest.approx(0.2, abs=0.005)
    assert balance.without_edges(torch.zeros(2, RATE)).abs().max() == 0
