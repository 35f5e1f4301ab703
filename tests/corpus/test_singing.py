from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from corpus_voices import RATE, level_db, power_above, spoken

from styletransfer.corpus import singing, voiceprint
from styletransfer.corpus.singing import Manner
from styletransfer.corpus.voiceprint import Voice
from styletransfer.errors import AudioError, ResourceError

pw = pytest.importorskip("pyworld")

PLAIN = Manner(vibrato_cents=0.0, drift_cents=0.0, glide_s=0.04)
NOTES = [(1.0, 0.5, 50.0), (1.5, 0.5, 53.0), (2.0, 1.0, 48.0), (3.6, 0.6, 52.0)]


@pytest.fixture(scope="module")
def voice() -> Voice:
    found = voiceprint.analyse([(spoken(), RATE), (spoken(140.0, seed=1), RATE)])
    assert found is not None
    return found


@pytest.fixture(scope="module")
def sung(voice: Voice) -> np.ndarray:
    samples, begin_s = singing.sing(voice, NOTES, [0, 1, 2, 3], PLAIN, np.random.default_rng(0))
    return np.concatenate([np.zeros(round(begin_s * RATE)), samples])


def test_syllables_are_found_with_vowels_in_their_order(voice: Voice) -> None:
    assert len(voice.syllables) == 10
    onset, vowel, coda, end = voice.syllables.T
    assert (onset < vowel).all()
    assert (vowel < coda).all()
    assert (coda <= end).all()
    assert voice.voiced[(vowel + coda) // 2].all()
    assert voice.pitch == pytest.approx(69 + 12 * np.log2(135 / 440), abs=1)


@pytest.mark.parametrize("vibrato_cents", [0.0, 30.0])
def test_the_pitch_follows_the_melody(voice: Voice, vibrato_cents: float) -> None:
    manner = Manner(vibrato_cents=vibrato_cents)
    samples, begin_s = singing.sing(voice, NOTES, [4, 3, 2, 1], manner, np.random.default_rng(1))
    f0_hz, times = pw.harvest(samples, RATE, 60.0, 500.0)
    for start_s, length_s, pitch in NOTES:
        inside = (times + begin_s > start_s + 0.12) & (times + begin_s < start_s + 0.6 * length_s)
        cents = 1200 * np.log2(f0_hz[inside & (f0_hz > 0)] / (440 * 2 ** ((pitch - 69) / 12)))
        assert len(cents) > 0.9 * inside.sum()
        assert (np.abs(cents) < 50).mean() > 0.95


def test_vowels_begin_on_the_beat_and_rests_are_silent(sung: np.ndarray) -> None:
    for start_s, *_ in NOTES:
        after = sung[round((start_s + 0.03) * RATE) : round((start_s + 0.13) * RATE)]
        assert level_db(after) > level_db(sung) - 3
    assert level_db(sung[: round(0.6 * RATE)]) < level_db(sung) - 50
    assert level_db(sung[round(3.1 * RATE) : round(3.4 * RATE)]) < level_db(sung) - 40


def test_a_note_may_go_on_with_the_syllable_before_it(voice: Voice) -> None:
    samples, begin_s = singing.sing(voice, NOTES[:2], [0, -1], PLAIN, np.random.default_rng(0))
    seam = round((1.5 - begin_s) * RATE)
    assert level_db(samples[seam - 2205 : seam + 2205]) > level_db(samples) - 3


def test_nothing_clicks(sung: np.ndarray) -> None:
    """A click is a millisecond of treble far above the milliseconds around it."""
    treble = np.diff(sung, 2)
    power = np.square(treble[: len(treble) // 441 * 441]).reshape(-1, 441).max(1)
    around = np.array([np.sort(power[max(i - 3, 0) : i + 4])[-3] for i in range(len(power))])
    assert (power < 100 * around + 1e-7).all()


def test_speech_at_a_low_rate_gets_treble() -> None:
    voice = voiceprint.analyse([(spoken(rate=22_050), 22_050)])
    assert voice is not None
    samples, _ = singing.sing(voice, NOTES[:1], [0], PLAIN, np.random.default_rng(0))
    assert -70 < power_above(samples, 12_000) < -15


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (spoken(rate=8000), 8000),
        (np.zeros(RATE), RATE),
        (np.random.default_rng(0).normal(0, 0.1, RATE), RATE),
    ],
    ids=["narrow", "silent", "noise"],
)
def test_clips_that_are_no_use_are_left_out(samples: np.ndarray, rate: int) -> None:
    assert voiceprint.analyse([(samples, rate)]) is None


def test_a_breath_is_faint_and_has_no_pitch(voice: Voice) -> None:
    air = singing.breath(voice, 0.4, np.random.default_rng(0))
    assert len(air) == pytest.approx(0.4 * RATE, rel=0.05)
    assert -55 < level_db(air) < -28


def test_a_kept_voice_is_the_same(voice: Voice, tmp_path: Path) -> None:
    voiceprint.save(voice, tmp_path / "voice.npz")
    again = voiceprint.load(tmp_path / "voice.npz")
    assert again is not None
    for name in Voice.__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(voice, name))
    voiceprint.save(None, tmp_path / "none.npz")
    assert voiceprint.load(tmp_path / "none.npz") is None
    (tmp_path / "voice.npz").write_bytes(b"PK nonsense")
    with pytest.raises(AudioError, match="damaged"):
        voiceprint.load(tmp_path / "voice.npz")


def test_without_pyworld_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyworld", None)
    with pytest.raises(ResourceError, match=r"automix\[corpus\]"):
        voiceprint.world()
