"""Onsets where notes begin, peaks as high as they are, and longer decays for wetter sounds."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from normalization_sounds import RATE, music
from torch import Tensor

from styletransfer.converter import fx
from styletransfer.encoder.measures import measure
from styletransfer.normalization.imaging import fit_image
from styletransfer.normalization.onsets import onset_hops, onset_peak_db
from styletransfer.normalization.reverberation import CHANCE, decay_s, draw_room
from styletransfer.normalization.spectrogram import hop_frames, powers


def clicks(level: float = 0.5) -> tuple[Tensor, list[float]]:
    """Decaying tones at known times (2, time), and these times."""
    sound = torch.zeros(2, 6 * RATE)
    times_s = [0.5, 1.1, 1.4, 2.6, 3.9, 4.4]
    time = torch.arange(RATE // 4) / RATE
    note = level * torch.cos(2 * math.pi * 440 * time) * torch.exp(-time / 0.06)
    for start_s in times_s:
        start = round(start_s * RATE)
        sound[:, start : start + len(note)] += note
    return sound, times_s


def test_onsets_are_found_where_they_are() -> None:
    sound, times_s = clicks()
    hops = onset_hops(powers(sound, RATE))
    assert len(hops) == len(times_s)
    for hop, time_s in zip(hops.tolist(), times_s, strict=True):
        assert abs(hop * hop_frames(RATE) / RATE - time_s) < 0.04


@pytest.mark.parametrize("level", [0.5, 0.05])
def test_onset_peaks_have_their_level(level: float) -> None:
    sound, _ = clicks(level)
    hops = onset_hops(powers(sound, RATE))
    assert onset_peak_db(sound, RATE, hops) == pytest.approx(20 * math.log10(level), abs=0.2)


def test_silence_and_steady_tones_have_no_onsets() -> None:
    assert len(onset_hops(powers(torch.zeros(2, 2 * RATE), RATE))) == 0
    assert len(onset_hops(powers(torch.zeros(2, 10), RATE))) == 0
    assert decay_s(powers(torch.zeros(2, 2 * RATE), RATE), RATE) == 0


def test_blocks_of_the_spectrogram_join() -> None:
    sound = music(0, 65.0)
    whole = powers(sound, RATE)
    hop = hop_frames(RATE)
    assert len(whole) == sound.shape[1] // hop + 1
    late = powers(sound[:, 50 * 1024 * 16 :], RATE)
    assert torch.allclose(whole[50 * 32 + 8 : 50 * 32 + 500], late[8:500], rtol=1e-3, atol=1e-6)


def test_wetter_sounds_ring_longer() -> None:
    dry, _ = clicks()
    dry = dry + 0.2 * music(1, 6.0)
    wets = [
        fx.reverberate(dry[None], RATE, decay_s=1.5, damping=0.4, predelay_ms=10.0, wet=wet)[0]
        for wet in (0.0, 0.1, 0.3, 0.8)
    ]
    found = [decay_s(powers(wet, RATE), RATE) for wet in wets]
    assert all(before < after for before, after in pairwise(found))


def test_the_wet_and_the_bass_get_hardly_any_room() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = {
        stem: sum(draw_room(stem, 0.4, 0.4, generator) is not None for _ in range(500)) for stem in CHANCE
    }
    for stem, chance in CHANCE.items():
        assert drawn[stem] / 500 == pytest.approx(chance, abs=0.07)
    assert all(draw_room("vocals", 0.7, 0.4, generator) is None for _ in range(20))


@pytest.mark.parametrize(("width", "place"), [(2.0, 0.0), (0.4, 0.3), (1.3, -0.5), (1.0, 0.7)])
def test_an_image_that_was_moved_is_brought_back(width: float, place: float) -> None:
    plain = music(2, 4.0)
    moved = fx.balance(fx.widen(plain[None], width=width), balance=place)
    home = measure(plain, RATE)
    knobs = fit_image(measure(moved[0], RATE), home.width_db, home.balance_db, 18.0)
    back = measure(fx.balance(fx.widen(moved, width=knobs[0]), balance=knobs[1])[0], RATE)
    assert back.width_db == pytest.approx(home.width_db, abs=0.3)
    assert back.balance_db == pytest.approx(home.balance_db, abs=0.2)
