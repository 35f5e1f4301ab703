"""Averages are measured on training songs only, and enter by one door."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from normalization_sounds import RATE, music

from styletransfer.corpus.folder import Corpus, write_song
from styletransfer.errors import AudioError, ConfigError
from styletransfer.normalization import Averages, load_averages
from styletransfer.normalization.averages import CLASSES
from styletransfer.normalization.measuring import average, look, measure_averages


def corpus(folder: Path, splits: dict[str, str], level: float = 0.02) -> Corpus:
    """A tiny corpus of four stems a song; songs of the other splits are ten times as loud."""
    for number, (name, split) in enumerate(splits.items()):
        gain = level if split == "train" else 10 * level
        stems = {
            stem: music(10 * number + part, 4.0, level=gain).clamp(-1, 1)
            for part, stem in enumerate(("drums", "bass", "other", "vocals"))
        }
        meta = {
            "id": name,
            "title": name,
            "piece": name.rstrip("b"),
            "sources": [],
            "packages": [],
            "licences": [],
            "split": split,
            "seed": 0,
            "kind": "own",
        }
        write_song(folder, stems, meta)
    return Corpus(folder)


def test_only_training_songs_are_measured(tmp_path: Path) -> None:
    alone = measure_averages(corpus(tmp_path / "one", {"a": "train", "c": "train"}), excerpt_s=4.0)
    mixed = measure_averages(
        corpus(tmp_path / "two", {"a": "train", "c": "train", "d": "test", "e": "validation"}), excerpt_s=4.0
    )
    assert alone.corpus.songs == mixed.corpus.songs == 2
    assert mixed.stems.keys() == set(CLASSES)
    for stem in CLASSES:
        assert mixed.of(stem).loudness_lufs == pytest.approx(alone.of(stem).loudness_lufs, abs=0.5)


def test_a_piece_counts_once_and_seeds_decide(tmp_path: Path) -> None:
    songs = corpus(tmp_path, {"a": "train", "ab": "train", "c": "train"})
    first, again = (measure_averages(songs, 3, excerpt_s=4.0) for _ in range(2))
    assert first == again
    assert (first.corpus.pieces, first.corpus.songs, first.corpus.seed) == (2, 3, 3)
    assert measure_averages(songs, 3, pieces=1, excerpt_s=4.0).of("drums").songs == 1


def test_a_corpus_without_training_songs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no training songs"):
        measure_averages(corpus(tmp_path, {"d": "test"}))


def test_the_average_of_one_is_itself() -> None:
    found = look(music(0), RATE)
    assert found is not None
    mean = average([found])
    assert mean.loudness_lufs == pytest.approx(found.loudness_lufs, abs=0.01)
    assert mean.width_db == pytest.approx(found.measures.width_db, abs=0.01)
    tone = torch.tensor(mean.mid_db) - mean.loudness_lufs
    assert torch.allclose(tone, (found.measures.mid_db - found.measures.loudness_lufs).float(), atol=0.02)
    assert look(torch.zeros(2, RATE), RATE) is None


def test_averages_survive_their_file(averages: Averages, tmp_path: Path) -> None:
    path = averages.save(tmp_path / "averages.json")
    assert load_averages(path) == averages
    assert len(path.read_text(encoding="utf-8").splitlines()) < 120


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"format": 1', '"format": 2'),
        ('"width_db"', '"wideness_db"'),
        ('"songs": 4', '"songs": "many"'),
        ('"split": "train"', '"split": "test"'),
        ("{", ""),
    ],
)
def test_files_that_make_no_sense_are_refused(averages: Averages, tmp_path: Path, old: str, new: str) -> None:
    path = averages.save(tmp_path / "averages.json")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"averages\.json"):
        load_averages(path)
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        load_averages(tmp_path / "nowhere.json")


def test_a_stem_that_nobody_has_is_left_out(tmp_path: Path) -> None:
    folder = corpus(tmp_path, {"a": "train"}).path / "songs" / "a"
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    del meta["stems"]["vocals"]
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    found = measure_averages(Corpus(tmp_path), excerpt_s=4.0)
    assert "vocals" not in found.stems
    with pytest.raises(ConfigError, match="vocals"):
        found.of("vocals")
