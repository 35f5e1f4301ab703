"""Frozen styles, foreign effects, mel statistics, named styles and pictures."""

from __future__ import annotations

import hashlib
import math
import shutil

import numpy as np
import pytest
import torch
from style_sounds import RATE, burst_noise

from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import AudioError, AutomixError
from styletransfer.evaluation.style import foreign, named, pictures, styles
from styletransfer.evaluation.style.systems import MEL_BANDS, log_mel, mel_statistics

needs_sox = pytest.mark.skipif(shutil.which("sox") is None, reason="the program sox is not here")


def test_frozen_styles_hold_exactly_so_many_distinct_effects() -> None:
    frozen = styles.frozen()
    for count in styles.EFFECT_COUNTS:
        assert (frozen[str(count)].present().sum(1) == count).all()
        assert len(frozen[str(count)]) == styles.COUNT
    assert frozen[styles.FULL].present().all()
    for name in styles.SINGLE:
        assert (frozen[name].present().sum(0) > 0).sum() == 1


def test_every_effect_occurs_about_equally_often() -> None:
    often = styles.frozen()["4"].present().sum(0)
    assert often.min() > 0.6 * often.max()


def test_the_frozen_list_stays_frozen() -> None:
    # figures of different versions compare only on the same styles
    assert hashlib.sha256(styles.LIST.read_bytes()).hexdigest()[:16] == "8282b9bf92c05b07"


def test_a_style_changes_the_sound_and_keeps_its_loudness_but_for_gain() -> None:
    dry = burst_noise(1, 10.0)[None]
    chains = styles.frozen()["4"]
    for number in range(4):
        chain = chains.select([number])
        wet = chain.apply(dry, RATE)
        assert not torch.allclose(wet, dry, atol=1e-3)
        turned_db = float(chain.values[0, -2]) if bool(chain.present()[0, -1]) else 0.0
        moved = integrated_lufs(wet[0], RATE) - integrated_lufs(dry[0], RATE)
        assert moved == pytest.approx(turned_db, abs=3)  # gates differ on what is compressed


def test_mel_statistics_follow_a_tone_and_ignore_the_rest() -> None:
    time = torch.arange(RATE) / RATE
    tone = 0.5 * torch.sin(2 * math.pi * 1000 * time)
    heard = log_mel(torch.stack([tone, 0 * tone])[None])
    left, right, mid, side = heard[0].mean(-1)
    assert left.max() - right.max() > 60
    assert torch.allclose(mid, side)  # a sound on one side alone is as much mid as side
    assert left.argmax() == mid.argmax()
    vectors = mel_statistics().embed(torch.stack([tone, tone])[None].repeat(5, 1, 1), "mix")
    assert vectors.shape == (5, 2 * 4 * MEL_BANDS)


@needs_sox
def test_foreign_chains_change_the_sound_but_not_its_length() -> None:
    dry = burst_noise(2, 3.0)
    for steps in foreign.chains(3, 4, seed=0):
        wet = foreign.apply(dry, steps)
        assert wet.shape == dry.shape
        assert torch.isfinite(wet).all()
        assert not torch.allclose(wet, dry, atol=1e-3)


@needs_sox
def test_sox_turns_up_what_it_is_told_to_and_pans() -> None:
    dry = burst_noise(3, 2.0)
    assert torch.allclose(foreign.apply(dry, [["vol", "6dB"]]), dry * 10 ** (6 / 20), atol=1e-3)
    panned = foreign.apply(dry, [["remix", "1v1.0", "2v0.0"]])
    assert panned[1].abs().max() < 1e-6


def test_foreign_chains_follow_from_their_seed() -> None:
    assert foreign.chains(5, 8, seed=1) == foreign.chains(5, 8, seed=1)
    assert foreign.chains(5, 8, seed=1) != foreign.chains(5, 8, seed=2)
    assert all(len(steps) == 8 for steps in foreign.chains(5, 8, seed=1))
    held = foreign.present(40, 4, seed=1)
    assert (held.sum(1) == 4).all()
    for name, command in (("gain", "vol"), ("saturation", "overdrive"), ("filter", "highpass")):
        there = [any(step[0] == command for step in steps) for steps in foreign.chains(40, 4, seed=1)]
        assert held[:, foreign.NAMES.index(name)].tolist() == there
        assert 0 < sum(there) < 40


def test_without_sox_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    foreign.sox_version.cache_clear()
    with pytest.raises(AutomixError, match="apt-get install sox"):
        foreign.sox_version()


def test_named_styles_sound_like_their_names() -> None:
    dry = burst_noise(4, 5.0, slope=0.0)
    chains = named.chains(1, seed=0)
    wet = chains.apply(dry[None].expand(5, -1, -1), RATE)
    power = torch.fft.rfft(wet).abs().square().sum(1)
    frequencies = torch.fft.rfftfreq(wet.shape[-1], 1 / RATE)

    def share_db(low_hz: float, high_hz: float) -> dict[str, float]:
        band = power[:, (frequencies >= low_hz) & (frequencies < high_hz)].sum(1) / power.sum(1)
        return dict(zip(named.NAMES, (10 * band.log10()).tolist(), strict=True))

    assert share_db(8000, 16000)["bright"] > share_db(8000, 16000)["neutral"] > share_db(8000, 16000)["warm"]
    assert share_db(0, 100)["telephone"] < share_db(0, 100)["neutral"] - 10
    assert torch.allclose(wet[3, 0], wet[3, 1], atol=0.02)  # a telephone is mono


def test_a_map_keeps_clusters_together() -> None:
    groups = np.repeat(np.arange(3), 12)
    vectors = np.eye(3)[groups] + 0.05 * np.random.default_rng(0).normal(size=(36, 3))
    places = pictures.map_of(vectors)
    apart = np.linalg.norm(places[:, None] - places, axis=-1) + 1e9 * np.eye(36)
    assert (groups[apart.argmin(1)] == groups).all()


def test_too_few_sounds_get_a_sentence() -> None:
    with pytest.raises(AudioError, match="at least 3"):
        pictures.map_of(np.eye(3)[:2])
