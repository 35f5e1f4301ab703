from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from corpus_voices import RATE, spoken

from styletransfer.corpus import speech, voices
from styletransfer.corpus.speech import Speaker
from styletransfer.corpus.split import split_of
from styletransfer.corpus.voices import Singers, harmony, in_range, melody, phrases


def test_a_melody_is_one_note_at_a_time_the_highest_of_each_chord() -> None:
    notes = [(0.0, 1.0, 60), (0.0, 1.0, 67), (1.0, 2.0, 64), (2.0, 0.5, 69), (2.1, 0.01, 90), (9.9, 5.0, 60)]
    line = melody(notes, 10.0)
    assert [pitch for *_, pitch in line] == [67, 64, 69]
    assert line[1][0] + line[1][1] == pytest.approx(2.0)
    assert all(a[0] + a[1] <= b[0] + 1e-9 for a, b in pairwise(line))
    assert melody([(0.0, 30.0, 60)], 4.0)[0][1] == pytest.approx(3.95)


@pytest.mark.parametrize("speech_pitch", [43.0, 50.0, 57.0, 62.0])
def test_a_melody_moves_by_octaves_into_the_range(speech_pitch: float) -> None:
    line = [(float(i), 1.0, float(pitch)) for i, pitch in enumerate([72, 74, 76, 79, 84, 60])]
    moved = in_range(line, speech_pitch)
    for (*_, before), (*_, after) in zip(line, moved, strict=True):
        assert (before - after) % 12 == 0
        assert speech_pitch - 4 <= after <= speech_pitch + 14
    steps = np.diff([pitch for *_, pitch in moved[:4]])
    np.testing.assert_array_equal(steps, np.diff([72, 74, 76, 79]))  # the tune itself stays


def test_phrases_end_at_rests_and_before_the_breath_runs_out() -> None:
    line = [(0.0, 1.0, 60.0), (1.0, 1.0, 62.0), (3.0, 1.0, 64.0)]
    assert [len(phrase) for phrase in phrases(line)] == [2, 1]
    long = [(0.5 * i, 0.5, 60.0) for i in range(60)]
    cut = phrases(long)
    assert all(phrase[-1][0] - phrase[0][0] < 8 for phrase in cut)
    assert sum(len(phrase) for phrase in cut) == 60


def test_harmony_keeps_to_the_scale() -> None:
    line = [(float(i), 1.0, 60.0 + pitch) for i, pitch in enumerate([0, 2, 4, 5, 7, 9, 11, 12])]
    thirds = [pitch for *_, pitch in harmony(line, line, 2)]
    assert thirds == [64, 65, 67, 69, 71, 72, 74, 76]


def test_no_voice_is_in_two_splits_and_each_split_has_some(tmp_path: Path) -> None:
    of = {split: Singers(tmp_path, split).speakers for split in ("train", "validation", "test")}
    people = {split: {speaker.person for speaker in found} for split, found in of.items()}
    assert all(len(found) >= 4 for found in people.values())
    assert not people["train"] & people["test"]
    assert not people["train"] & people["validation"]
    assert not people["validation"] & people["test"]
    assert sum(map(len, of.values())) == len(speech.speakers())
    assert len({speaker.name for speaker in speech.speakers()}) == len(speech.speakers())


def test_no_voice_comes_from_a_package_that_is_judged() -> None:
    from styletransfer.corpus.finished import evaluated

    assert not {speaker.package for speaker in speech.speakers()} & evaluated()[0]


@pytest.fixture
def singers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Singers:
    pytest.importorskip("pyworld")

    def clips(speaker: Speaker, cache: Path) -> Iterator[tuple[np.ndarray, int]]:
        yield spoken(120.0 + 20 * int(speaker.where), syllables=9), RATE

    people = [Speaker(f"test/{n}", "test", "package", str(n), "CC0") for n in range(2)]
    monkeypatch.setattr(speech, "speakers", lambda: people)
    monkeypatch.setattr(speech, "clips", clips)
    monkeypatch.setattr(speech, "fetch", lambda speaker, cache: None)
    return Singers(tmp_path, split_of("voice:test"))


NOTES = [(0.5 + 0.4 * i, 0.38, 60.0 + pitch) for i, pitch in enumerate([0, 2, 4, 5, 7, 5, 4, 2])]


def test_what_is_sung_is_sane(singers: Singers) -> None:
    for seed in range(3):
        samples, sources = singers.sing(NOTES, 5.0, torch.Generator().manual_seed(seed))
        assert samples.shape == (2, 5 * RATE)
        assert samples.dtype == torch.float32
        assert samples.isfinite().all()
        assert 0.05 < samples.abs().max() <= voices.PEAK + 1e-6
        assert samples[:, -1].abs().max() < 1e-3
        assert sources[0] in {f"voice:{speaker.name}" for speaker in singers.speakers}
        assert singers.credits(sources) == [("package", "CC0")]
        sounding = samples[:, RATE // 2 : round(3.6 * RATE)]
        assert -26 < 10 * sounding.square().mean().log10() < -17


def test_equal_seeds_sing_alike_and_others_do_not(singers: Singers) -> None:
    first, second, third = (
        singers.sing(NOTES, 5.0, torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_without_notes_there_is_silence(singers: Singers) -> None:
    samples, sources = singers.sing([], 2.0, torch.Generator().manual_seed(0))
    assert samples.shape == (2, 2 * RATE)
    assert not samples.any()
    assert sources == []


def test_analyses_are_kept(singers: Singers, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = singers.sing(NOTES, 4.0, torch.Generator().manual_seed(0))
    monkeypatch.setattr(speech, "clips", lambda speaker, cache: pytest.fail("analysed again"))
    again = Singers.__new__(Singers)
    again.cache, again.speakers, again._voices = singers.cache, singers.speakers, {}
    second, _ = again.sing(NOTES, 4.0, torch.Generator().manual_seed(0))
    assert torch.equal(first, second)
