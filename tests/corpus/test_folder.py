"""A corpus gives back what was written, and says clearly what it can't."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from corpus_sounds import meta, three_splits, tone

from styletransfer.corpus.folder import RATE, Corpus, measure, write_song
from styletransfer.errors import AudioError


def test_the_mix_is_the_sum_of_the_stems(tmp_path: Path) -> None:
    stems = {"drums": tone(1000), "other": tone(333)}
    write_song(tmp_path, stems, meta("a", artist="Someone", pending=["vocals"], melody=[[0, 1, 60]]))
    (song,) = Corpus(tmp_path).songs()
    assert song.stems == ("drums", "other")
    assert song.duration_s == 1.0
    assert song.pending == ("vocals",)
    assert song.extra["melody"] == [[0, 1, 60]]
    torch.testing.assert_close(song.read("mix"), stems["drums"] + stems["other"], atol=1e-4, rtol=0)
    assert song.read("vocals").abs().max() == 0


def test_excerpts_lie_where_they_were_asked_for(tmp_path: Path) -> None:
    ramp = torch.linspace(-0.5, 0.5, 2 * RATE).expand(2, -1)
    write_song(tmp_path, {"bass": ramp}, meta("a"))
    (song,) = Corpus(tmp_path).songs()
    torch.testing.assert_close(
        song.read("bass", 0.5, 0.25), ramp[:, RATE // 2 : RATE * 3 // 4], atol=1e-4, rtol=0
    )
    assert song.read("mix", 1.5, 2.0).shape == (2, RATE // 2)
    assert song.read("mix", 5.0, 2.0).shape == (2, 0)
    with pytest.raises(ValueError, match="guitar"):
        song.read("guitar")


def test_songs_by_split_and_pool(tmp_path: Path) -> None:
    three_splits(tmp_path)
    write_song(tmp_path, {"drums": tone(100)}, meta("w", kind="wet"), pool="wet")
    corpus = Corpus(tmp_path)
    assert [song.id for song in corpus.songs()] == ["song-test", "song-train", "song-validation"]
    assert [song.id for song in corpus.songs("test")] == ["song-test"]
    assert [song.id for song in corpus.songs(pool="wet")] == ["w"]
    with pytest.raises(ValueError, match="dev"):
        corpus.songs("dev")


def test_a_song_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="equally long"):
        write_song(tmp_path, {"drums": tone(100, 1.0), "bass": tone(100, 0.5)}, meta("a"))
    with pytest.raises(ValueError, match="full scale"):
        write_song(tmp_path, {"drums": tone(100, level=1.5)}, meta("a"))
    assert not [*tmp_path.rglob("*.flac")]
    (tmp_path / "songs" / ".b.1.part").mkdir(parents=True)
    (tmp_path / "songs" / ".b.1.part" / "meta.json").write_text("{")
    assert Corpus(tmp_path).songs() == []


def test_what_is_no_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no corpus"):
        Corpus(tmp_path)
    three_splits(tmp_path)
    (tmp_path / "songs" / "song-test" / "meta.json").write_text("{}")
    with pytest.raises(AudioError, match=r"song-test.*damaged"):
        Corpus(tmp_path).songs()
    (tmp_path / "songs" / "song-train" / "bass.flac").write_bytes(b"nothing")
    (tmp_path / "songs" / "song-test").rename(tmp_path / "elsewhere")
    with pytest.raises(AudioError, match=r"bass\.flac can't be read"):
        Corpus(tmp_path).songs("train")[0].read("bass")


def test_measures_of_half_a_tone() -> None:
    half = torch.cat([tone(1000, 2.0, 0.5), torch.zeros(2, 2 * RATE)], 1)
    found = measure(half)
    assert found["active_s"] == pytest.approx(2.0, abs=0.051)
    assert found["peak"] == pytest.approx(0.5, abs=1e-3)
    assert found["lufs"] == pytest.approx(-6.0, abs=0.5)  # a stereo sine at −6 dBFS: −3.01 − 3.01 + 0.0
