from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from styletransfer.corpus import people
from styletransfer.corpus.folder import Corpus, CorpusSong
from styletransfer.errors import AudioError

RATE = 44_100


def tone(
    path: Path, hertz: float = 220.0, seconds: float = 11.0, rate: int = RATE, channels: int = 2
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(round(seconds * rate)) / rate
    sound = 0.2 * np.sin(2 * np.pi * hertz * time_s)
    soundfile.write(path, np.repeat(sound[:, None], channels, 1), rate, subtype="PCM_16")


def added(folder: Path, corpus: Path) -> dict[str, CorpusSong]:
    people.add_stems(corpus, folder)
    return {song.title: song for song in Corpus(corpus).songs()}


def frequencies(song: CorpusSong, stem: str) -> set[int]:
    """The tones of a stem, in Hz."""
    samples = song.read(stem, 0, 10)[0].numpy()
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    peaks = np.flatnonzero(power > 0.2 * power.max())
    return {round(peak / 100) * 10 for peak in peaks}


def test_musdb18_keeps_its_test_set(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for index in range(1):
            song = tmp_path / "musdb" / part / f"Band - Song {part} {index}"
            for number, stem in enumerate(("drums", "bass", "other", "vocals"), 1):
                tone(song / f"{stem}.wav", 100 * number)
            tone(song / "mixture.wav", 1000)
    songs = added(tmp_path / "musdb", tmp_path / "corpus")
    assert len(songs) == 2
    for title, song in songs.items():
        assert (song.split == "test") == ("test" in title)
        assert song.kind == "own"
        assert song.stems == ("drums", "bass", "other", "vocals")
        assert frequencies(song, "mix") == {100, 200, 300, 400}
        assert frequencies(song, "vocals") == {400}


@pytest.mark.parametrize("given", [".", "sets", "sets/musdb", "sets/musdb/test"])
def test_a_song_has_one_name_and_its_sets_split_from_whatever_folder_above_it(
    tmp_path: Path, given: str
) -> None:
    for part in ("train", "test"):
        for stem in ("drums", "vocals"):
            tone(tmp_path / "sets" / "musdb" / part / f"Song {part}" / f"{stem}.wav", 100)
    found = {song.name: song.part for song in people.find_songs(tmp_path / given, [])}
    assert found.pop("Song test") == "test"
    assert found == ({} if given.endswith("test") else {"Song train": "train"})


def test_a_folder_that_is_merely_called_test_decides_nothing(tmp_path: Path) -> None:
    tone(tmp_path / "test" / "Song" / "drums.wav", 100)
    assert [(song.name, song.part) for song in people.find_songs(tmp_path / "test", [])] == [("Song", "")]


def test_moisesdb_sums_the_tracks_of_a_class(tmp_path: Path) -> None:
    song = tmp_path / "moises" / "0a1b"
    tone(song / "drums" / "kick.wav", 100)
    tone(song / "percussion" / "shaker.wav", 200)
    tone(song / "guitar" / "one.wav", 300)
    tone(song / "piano" / "two.wav", 500, channels=1)
    tone(song / "vocals" / "lead.wav", 700)
    (song / "data.json").write_text("{}")
    (found,) = added(tmp_path / "moises", tmp_path / "corpus").values()
    assert found.stems == ("drums", "other", "vocals")
    assert frequencies(found, "drums") == {100, 200}
    assert frequencies(found, "other") == {300, 500}


def test_songs_of_one_artist_are_in_one_split(tmp_path: Path) -> None:
    for number in range(6):
        song = tmp_path / "moises" / f"{number:04x}"
        tone(song / "drums" / "kick.wav", 100)
        tone(song / "vocals" / "lead.wav", 700)
        (song / "data.json").write_text('{"artist": "Someone"}' if number < 5 else '{"song": "?"}')
    songs = added(tmp_path / "moises", tmp_path / "corpus").values()
    assert len({song.split for song in songs if "artist:someone" in song.sources}) == 1
    assert sum("artist:someone" in song.sources for song in songs) == 5
    assert len({people._split(people.OwnSong(tmp_path, str(n), "moisesdb")) for n in range(40)}) > 1


SLAKH = """UUID: 1a81ae092884234f3264e2f45927f00a
audio_dir: stems
stems:
  S00:
    audio_rendered: true
    inst_class: Bass
    is_drum: false
    plugin_name: x.nkm
  S01:
    audio_rendered: true
    inst_class: 'Guitar'
    is_drum: false
  S02:
    inst_class: Drums
    is_drum: true
  S03:
    inst_class: Piano
    is_drum: false
target_peak: -1.0
"""


def test_slakh_goes_by_instrument_class(tmp_path: Path) -> None:
    for part in ("test", "omitted"):
        track = tmp_path / "slakh" / part / f"Track-{part}"
        for name, hertz in (("S00", 100), ("S01", 200), ("S02", 300)):  # S03 wasn't rendered
            tone(track / "stems" / f"{name}.flac", hertz)
        tone(track / "mix.flac", 1000)
        (track / "metadata.yaml").write_text(SLAKH)
    corpus = tmp_path / "corpus"
    report = people.add_stems(corpus, tmp_path / "slakh")
    (song,) = Corpus(corpus).songs()
    assert (song.title, song.split) == ("Track-test", "test")
    assert song.licences == ("CC-BY-4.0",)
    assert [frequencies(song, stem) for stem in song.stems] == [{300}, {100}, {200}]
    assert len(report.left_out) == 1
    assert "omits" in report.left_out[0]


def test_plain_folders_at_any_rate_go_by_their_files_names(tmp_path: Path) -> None:
    tone(tmp_path / "mine" / "ballad" / "Ballad - Drums.wav", 100, rate=48_000)
    tone(tmp_path / "mine" / "ballad" / "Ballad - Lead Vox.wav", 400, rate=48_000)
    songs = added(tmp_path / "mine", tmp_path / "corpus")
    assert songs["ballad"].stems == ("drums", "vocals")
    assert songs["ballad"].duration_s == pytest.approx(11, abs=1e-3)
    assert frequencies(songs["ballad"], "vocals") == {400}
    assert songs["ballad"].split == people.split_of("own:ballad")
    assert songs["ballad"].piece == "own:ballad"


def test_loud_stems_come_down_together(tmp_path: Path) -> None:
    for stem in ("drums", "bass", "other", "vocals"):
        time_s = np.arange(11 * RATE) / RATE
        sound = 0.9 * np.sin(2 * np.pi * 100 * time_s)
        (tmp_path / "in" / "loud").mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "in" / "loud" / f"{stem}.wav", np.stack([sound, sound], 1), RATE)
    (song,) = added(tmp_path / "in", tmp_path / "corpus").values()
    assert song.read("mix").abs().max() == pytest.approx(0.99, abs=1e-3)
    assert song.extra["gain"] == pytest.approx(0.99 / 3.6, rel=1e-3)


def test_what_does_not_fit_is_left_out_with_a_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    tone(folder / "good" / "drums.wav")
    tone(folder / "short" / "drums.wav", seconds=2)
    tone(folder / "uneven" / "drums.wav")
    tone(folder / "uneven" / "bass.wav", seconds=14)
    tone(folder / "nameless" / "track 1.wav")
    (folder / "damaged").mkdir()
    (folder / "damaged" / "vocals.wav").write_bytes(b"RIFF nonsense")
    (folder / "packed").mkdir()
    (folder / "packed" / "Band - Song.stem.mp4").write_bytes(b"x")
    report = people.add_stems(tmp_path / "corpus", folder)
    assert [song.title for song in Corpus(tmp_path / "corpus").songs()] == ["good"]
    for word in ("short", "uneven", "nameless", "damaged", "musdbconvert"):
        assert sum(word in sentence for sentence in report.left_out) == 1, word
    assert len(report.left_out) == 5


def test_going_on_keeps_what_is_there(tmp_path: Path) -> None:
    tone(tmp_path / "in" / "one" / "drums.wav")
    (first,) = added(tmp_path / "in", tmp_path / "corpus").values()
    written = (first.path / "meta.json").stat().st_mtime_ns
    tone(tmp_path / "in" / "two" / "drums.wav")
    assert len(added(tmp_path / "in", tmp_path / "corpus")) == 2
    assert (first.path / "meta.json").stat().st_mtime_ns == written


def test_a_folder_without_songs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(AudioError, match="drums, bass, other, vocals"):
        people.add_stems(tmp_path / "corpus", tmp_path / "in")
    with pytest.raises(AudioError, match="is no folder"):
        people.add_stems(tmp_path / "corpus", tmp_path / "missing")
