"""The sets: frozen, apart from one another and from the examples; excerpts come out the same each time."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from styletransfer.evaluation.songs import Song, SongsError, encoded_song, loudest_stretch, song_set

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "ATTRIBUTION.md"


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def packages(name: str) -> set[str]:
    return {song.package for song in song_set(name).songs.values()}


def artists(name: str) -> set[str]:
    """All names by which a set's artists go: "Gerd Raudenbusch (elysis)" counts as both."""
    credits = {song.artist for song in song_set(name).songs.values()}
    return {words(part) for credit in credits for part in re.split(r"[()]", credit) if words(part)}


@pytest.mark.parametrize(("name", "songs", "pairs", "sources"), [("bench", 14, 36, 6), ("dev", 6, 10, 3)])
def test_a_set_is_large_enough_and_its_pairs_cross_packages_or_artists(
    name: str, songs: int, pairs: int, sources: int
):
    frozen = song_set(name)
    assert len(frozen.songs) >= songs
    assert len(set(frozen.pairs)) == len(frozen.pairs) >= pairs
    assert len(packages(name)) >= sources
    assert {song for pair in frozen.pairs for song in pair} == set(frozen.songs)
    assert set(frozen.seen) <= set(frozen.pairs)
    assert len(frozen.pairs) - len(frozen.seen) >= (30 if name == "bench" else 0)
    for source, reference in frozen.pairs:
        assert frozen.songs[source].artist != frozen.songs[reference].artist
        assert frozen.songs[source].package != frozen.songs[reference].package


def test_dev_and_bench_share_neither_package_nor_artist():
    assert packages("bench").isdisjoint(packages("dev"))
    assert artists("bench").isdisjoint(artists("dev"))


def test_examples_come_from_other_packages_and_artists():
    attribution = EXAMPLES.read_text(encoding="utf-8")
    said = f" {words(attribution)} "
    for name in ("bench", "dev"):
        for package in packages(name):
            assert package not in attribution
        for artist in artists(name):
            assert f" {artist} " not in said


def test_the_list_holds_nothing_unknown_and_no_song_twice():
    text = (Path(__file__).resolve().parents[2] / "styletransfer/evaluation/songs.json").read_text("utf-8")
    entries = [song for group in json.loads(text)["sets"].values() for song in group["songs"]]
    assert len({entry["sha256"] for entry in entries}) == len({entry["name"] for entry in entries})
    assert len(entries) == sum(len(song_set(name).songs) for name in ("bench", "dev"))
    assert all(entry["licence"] and entry["artist"] and len(entry["sha256"]) == 64 for entry in entries)


def test_the_loudest_stretch_is_found_on_whole_seconds():
    rate = 100
    samples = np.full((20 * rate, 2), 0.01)
    samples[7 * rate : 10 * rate] = 0.5
    stretch = loudest_stretch(samples, rate, seconds=3)
    assert stretch.shape == (300, 2)
    assert (stretch == 0.5).all()
    assert len(loudest_stretch(samples, rate, seconds=30)) == len(samples)


def test_the_end_of_a_song_is_within_reach():
    samples = np.zeros((1050, 1))
    samples[900:] = 1
    assert (loudest_stretch(samples, 100, seconds=1) == 1).all()


def a_song(content: bytes, member: str | None) -> Song:
    return Song(
        "s", "p", "music.pk3" if member else "s.ogg", member, "t", "a", "g", "l",
        hashlib.sha256(content).hexdigest(),
    )  # fmt: skip


def test_a_song_is_found_in_its_package_and_checked(tmp_path: Path):
    (tmp_path / "s.ogg").write_bytes(b"sound")
    with zipfile.ZipFile(tmp_path / "music.pk3", "w") as archive:
        archive.writestr("in/s.ogg", b"sound")
    plain, packed = a_song(b"sound", None), a_song(b"sound", "in/s.ogg")
    assert encoded_song(plain, tmp_path) == encoded_song(packed, tmp_path) == b"sound"
    with pytest.raises(SongsError, match="not the frozen recording"):
        encoded_song(replace(plain, sha256="0" * 64), tmp_path)
    with pytest.raises(SongsError, match="holds no"):
        encoded_song(replace(plain, file="other.ogg"), tmp_path)
