"""The library: what is known is skipped, nothing is lost to a kill, several may write, names can't hurt."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from library_sounds import Shares, encoder, listener, noise, sound_file, style

from styletransfer import files
from styletransfer.errors import ConfigError, UsageError
from styletransfer.library import Library, Listener, add_files, files_in, save_style

MARKS = "00000000", Shares().fingerprint


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.sqlite")


def states(library: Library, folder: Path, by: Listener | None = None, **of: object) -> list[str]:
    return [
        outcome.state
        for outcome in add_files(library, files_in([folder]), by or listener(), **of)  # type: ignore[arg-type]
    ]


def test_what_is_known_is_skipped_by_bytes_then_by_samples(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    for seed in range(2):
        sound_file(folder / f"song {seed}.flac", seed)
    ears = listener()
    assert states(library, folder, ears, tags=["new"]) == ["added", "added"]
    assert states(library, folder, ears) == ["known", "known"]
    copy = files.read(folder / "song 1.flac")
    files.write(folder / "same in another box.wav", copy, subtype="PCM_24")
    assert states(library, folder, ears) == ["known"] * 3
    assert ears.separator.heard == 2  # type: ignore[attr-defined]
    assert [entry.tags for entry in library.entries()] == [("new",), ("new",)]
    assert states(library, folder, ears, tags=["loved"]) == ["known"] * 3  # but the tag is new
    assert [entry.tags for entry in library.entries()] == [("loved", "new"), ("loved", "new")]
    moved = library.find("song 1").path
    assert moved is not None
    assert moved.name == "same in another box.wav"


def test_what_cannot_be_used_is_left_out_and_told(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    sound_file(folder / "a.flac", 0)
    (folder / "b.wav").write_bytes(b"no sound")
    (folder / "c.style.safetensors").write_bytes(b"no style")
    sound_file(folder / "d.wav", 1)
    (folder / "notes.txt").write_text("not looked at")
    found = list(add_files(library, files_in([folder]), listener()))
    assert [outcome.state for outcome in found] == ["added", "left out", "left out", "added"]
    assert "b.wav" in found[1].message
    assert len(library) == 2
    with pytest.raises(UsageError, match="does not exist"):
        files_in([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no sounds"):
        files_in([tmp_path / "empty"])


def test_another_encoder_or_separator_hears_again_and_names_stay(library: Library, tmp_path: Path) -> None:
    path = sound_file(tmp_path / "songs" / "song.wav", 0)
    assert states(library, path.parent, tags=["mine"]) == ["added"]
    number = library.find("song").number
    other = Listener(encoder(1), Shares(), None)
    assert states(library, path.parent, other) == ["added"]
    assert library.encoders() == {"00000001"}
    assert library.count("mix", "00000000") == 0
    entry = library.find("song")
    assert (entry.number, entry.tags) == (number, ("mine",))
    again = Listener(encoder(1), Shares((0.1, 0.2, 0.3, 0.4)), None)
    assert states(library, path.parent, again) == ["added"]
    assert len(library) == 1


def test_styles_from_files_are_taken_in(library: Library, tmp_path: Path) -> None:
    save_style(tmp_path / "warm.style.safetensors", style(0, "warm"))
    assert states(library, tmp_path, tags=["shared"]) == ["added"]
    assert states(library, tmp_path) == ["known"]
    kept = library.get(library.find("WARM").number)
    assert (kept.title, kept.tags) == ("warm", ("shared",))
    assert states(library, tmp_path, tags=["mine"]) == ["known"]
    assert library.get(library.find("warm").number).tags == ("mine", "shared")
    other = Listener(encoder(1), Shares(), None)
    (outcome,) = add_files(library, [tmp_path / "warm.style.safetensors"], other)
    assert "heard by encoder 00000000" in outcome.message


def test_tags_and_forgetting(library: Library) -> None:
    for seed in range(3):
        library.add(style(seed))
    numbers = [entry.number for entry in library.entries()]
    library.tag(numbers[:2], add=["warm", "a\nb"], remove=["nothing"])
    assert [entry.title for entry in library.entries("warm")] == ["song 0", "song 1"]
    assert library.get(numbers[0]).tags == ("a b", "warm")
    library.tag(numbers, remove=["warm"])
    assert library.entries("warm") == []
    assert library.remove([numbers[0]]) == 1
    assert library.count("mix", MARKS[0]) == 2
    assert library.remove([numbers[0]]) == 0
    with sqlite3.connect(library.path) as raw:
        left = [
            raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("tags", "embeddings")
        ]
    assert left == [1, 10]


def test_embeddings_are_float16_and_read_back(library: Library) -> None:
    kept = style(0)
    library.add(kept)
    ((ids, vectors),) = library.vectors("drums", MARKS[0])
    assert vectors.dtype == np.float16
    assert vectors.shape == (1, kept.song.mix.embedding.numel())
    assert np.abs(vectors[0] - kept.song.stems["drums"].embedding.numpy()).max() < 1e-3
    assert library.styles_of(ids) == [library.find("song 0").number]


HOSTILE = "x'); DROP TABLE styles; --"


def test_hostile_names_stay_names(library: Library, tmp_path: Path) -> None:
    library.add(style(0, HOSTILE))
    number = library.find(HOSTILE).number
    library.tag([number], add=[HOSTILE, "%"])
    assert [entry.title for entry in library.entries(HOSTILE)] == [HOSTILE]
    assert library.entries("_") == []
    with pytest.raises(UsageError, match="no style"):
        library.find("' OR 1=1 --")
    assert len(library) == 1
    odd, unspelled = "song \x1b[2J.wav", os.fsdecode(b"song \xff.wav")
    for name in (odd, unspelled):
        sound_file(tmp_path / "odd" / "song.wav", 1).rename(tmp_path / "odd" / name)
    assert states(library, tmp_path / "odd") == ["added", "left out"]
    entry = library.find("song �[2J")
    assert entry.path == tmp_path / "odd" / odd


def test_names_that_fit_none_or_several_are_told(library: Library) -> None:
    library.add(style(0, "warm"))
    library.add(style(1, "Warm"))
    library.add(style(2, "bright"))
    assert library.find("warm").title == "warm"
    with pytest.raises(UsageError, match="#1, #2"):
        library.find("WARM")
    assert library.find("#2").title == "Warm"
    with pytest.raises(UsageError, match="did you mean 'bright'"):
        library.find("brihgt")
    with pytest.raises(UsageError, match="automix library list"):
        library.find("#99")


def test_what_is_no_library_is_told_and_untouched(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("not a database, but long enough to be looked at " * 40)
    with pytest.raises(ConfigError, match="no library"):
        Library(text)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as raw:
        raw.execute("CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(ConfigError, match="no library"):
        Library(other)
    with sqlite3.connect(other) as raw:
        assert [row[0] for row in raw.execute("SELECT name FROM sqlite_master")] == ["theirs"]
    with pytest.raises(UsageError, match="there is no library"):
        Library(tmp_path / "none.sqlite", must_exist=True)
    assert not (tmp_path / "none.sqlite").exists()


def read_all(path: Path) -> None:
    with Library(path) as library:
        for entry in library.entries():
            library.get(entry.number)
        list(library.vectors("mix", MARKS[0]))


def test_a_damaged_library_gives_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    with Library(path) as library:
        for seed in range(4):
            library.add(style(seed))
    whole = bytearray(path.read_bytes())
    for position in range(4096, len(whole), 512):
        whole[position : position + 64] = b"\xaa" * 64
    path.write_bytes(whole)
    with pytest.raises(ConfigError, match=r"damaged|holds no style"):
        read_all(path)


def test_it_is_written_ahead(library: Library) -> None:
    with sqlite3.connect(library.path) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


ADDING = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from library_sounds import listener
from styletransfer.library import Library, add_files, files_in
with Library(Path({library!r})) as library:
    for outcome in add_files(library, files_in([Path({songs!r})]), listener()):
        print(outcome.state, outcome.path.name, flush=True)
"""


def adding(library: Path, songs: Path) -> subprocess.Popen[str]:
    code = ADDING.format(tests=str(Path(__file__).parent), library=str(library), songs=str(songs))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_a_kill_loses_nothing_that_was_added(tmp_path: Path) -> None:
    path, songs = tmp_path / "library.sqlite", tmp_path / "songs"
    for seed in range(8):
        sound_file(songs / f"song {seed}.wav", seed, duration_s=1.0)
    told = []
    for _ in range(2):  # killed twice, at another place each time
        process = adding(path, songs)
        assert process.stdout is not None
        told += [process.stdout.readline().split()[0] for _ in range(3)]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert told.count("added") >= 3
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    with Library(path) as library:
        before = len(library)
        assert before >= told.count("added")
        rows = [library.count(part, MARKS[0]) for part in ("mix", "drums", "vocals")]
        assert rows == [before] * 3  # each style as a whole
        found = [outcome.state for outcome in add_files(library, files_in([songs]), listener())]
        assert found.count("known") == before
        assert len(library) == 8


def test_several_processes_add_at_once(tmp_path: Path) -> None:
    path, songs = tmp_path / "library.sqlite", tmp_path / "songs"
    for seed in range(5):
        sound_file(songs / f"song {seed}.wav", seed, duration_s=1.0)
    processes = [adding(path, songs) for _ in range(3)]
    told = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(words.count("added") for words in told) == 5
    with Library(path) as library:
        assert len(library) == 5
        assert library.count("bass", MARKS[0]) == 5


def test_one_process_waits_for_another(library: Library) -> None:
    with sqlite3.connect(library.path, isolation_level=None) as raw:
        raw.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        waiting = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
                "from pathlib import Path\n"
                "from styletransfer.library import Library\n"
                f"Library(Path({str(library.path)!r})).tag([1], add=['x'])\n",
            ]
        )
        time.sleep(1.0)
        raw.execute("COMMIT")
    assert waiting.wait() in (0, 1)
    assert time.monotonic() - started >= 1.0


def test_noise_is_heard_alike_by_file_and_by_sound(library: Library, tmp_path: Path) -> None:
    path = sound_file(tmp_path / "a.wav", 3)
    list(add_files(library, [path], listener()))
    assert library.add(listener().hear(noise(3), title="again")) is False


def test_a_library_of_the_first_format_gets_embeddings_as_they_are_made_now(tmp_path: Path) -> None:
    path, kept = tmp_path / "library.sqlite", style(3)
    with Library(path) as library:
        library.add(kept)
    with sqlite3.connect(path) as sql:
        sql.execute("UPDATE embeddings SET vector = zeroblob(length(vector))")
        sql.execute("PRAGMA user_version = 1")
    with Library(path) as library:
        ((_, vectors),) = library.vectors("mix", kept.song.encoder)
        assert len(library) == 1
    np.testing.assert_allclose(vectors[0], kept.song.mix.embedding.numpy(), atol=1e-3)
    with sqlite3.connect(path) as sql:
        assert sql.execute("PRAGMA user_version").fetchone() == (2,)
