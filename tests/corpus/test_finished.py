from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.corpus import finished
from styletransfer.corpus.finished import RELEASES, FinishedSong, Release
from styletransfer.corpus.folder import Corpus
from styletransfer.errors import AudioError

RATE = 44_100


class Thirds:
    """A separator that gives drums, bass and other a third of the mix each, and voices next to nothing."""

    name = "thirds"
    rate = RATE
    fingerprint = "thirds-1"

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        for block in mix.blocks(2**16):
            yield torch.stack((block / 3, block / 3, block / 4, block / 1000))


def song(path: Path, seconds: float, *, artist: str = "", rate: int = RATE, channels: int = 2) -> None:
    """Faint noise with a loud middle, as Ogg Vorbis."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(len(path.name))
    samples = random.normal(0, 0.01, (round(seconds * rate), channels))
    samples[len(samples) // 2 :] *= 10
    with soundfile.SoundFile(path, "w", rate, channels, format="OGG", subtype="VORBIS") as file:
        if artist:
            file.artist = artist
        for start in range(0, len(samples), 2**14):
            file.write(samples[start : start + 2**14])


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two unpacked packages: three usable songs, and others that aren't."""
    cache = tmp_path / "cache"
    song(cache / "first-music/usr/share/first/rise.ogg", 5, artist="Anna")
    song(cache / "first-music/usr/share/first/maxstack.ogg", 5, artist="Maxstack")  # judged elsewhere
    song(cache / "first-music/usr/share/first/short.ogg", 2, artist="Anna")
    song(cache / "first-music/usr/share/first/mono.ogg", 5, artist="Anna", channels=1)
    song(cache / "first-music/usr/share/first/low.ogg", 5, artist="Anna", rate=22_050)
    song(cache / "first-music/usr/share/first/unknown.ogg", 5)
    song(cache / "second-data/usr/share/songs/fire/song.ogg", 5)
    song(cache / "second-data/usr/share/songs/fire/guitar.ogg", 5)
    song(cache / "second-data/usr/share/other.ogg", 5, artist="Bert")
    releases = (Release("first-music", 5, ""), Release("second-data", 5, "Cleo", "CC0"))
    monkeypatch.setattr(finished, "RELEASES", releases)
    monkeypatch.setattr(finished, "SHORTEST_S", 4.0)
    monkeypatch.setattr(finished, "EXCERPT_S", 2.0)
    monkeypatch.setattr(finished.packages, "fetch", lambda package, cache: cache / package)
    return cache


def test_no_release_is_from_a_package_or_by_an_artist_that_is_judged() -> None:
    judged_packages, judged_names = finished.evaluated()
    assert {"warzone2100-music", "warmux-data", "supertuxkart-data"} <= judged_packages
    assert {"maxstack", "christian hoffmann", "crystan", "el senator"} <= judged_names
    for release in RELEASES:
        assert release.package not in judged_packages
        assert not finished.names(release.artist) & judged_names


@pytest.mark.parametrize(
    ("package", "artist", "apart"),
    [
        ("any-data", "Anna", True),
        ("nexuiz-music", "Anna", False),
        ("hyperrogue-music", "Anna", False),
        ("any-data", "maxstack", False),
        ("any-data", "Anna feat. Crystan", False),
        ("any-data", "Grady O’Connell & Anna", False),
        ("any-data", "EL SENATOR", False),
    ],
)
def test_apart_means_by_package_and_by_every_name_of_the_artist(
    package: str, artist: str, apart: bool
) -> None:
    assert finished.is_apart(package, artist) is apart


@pytest.mark.parametrize(
    "credits",
    [
        ("http://zhaymusic.com/", "ZhayTee", "Joseph G. Toscano (Zhaytee)"),
        ("Anna", "Bert", "Anna and Cleo", "Cleo & Bert"),
    ],
)
def test_who_ever_shares_a_credit_is_in_one_split(credits: tuple[str, ...]) -> None:
    release = Release("package", 1, "")
    others = [FinishedSong(release, Path(), (Path("x.ogg"),), "", name) for name in ("Dora", "?")]
    songs = [FinishedSong(release, Path(), (Path("x.ogg"),), "", credit) for credit in credits]
    found = finished.united(others + songs)
    assert [song.by for song in found[:2]] == ["dora", "unknown"]
    assert len({song.by for song in found[2:]}) == 1
    assert found[2].by not in ("dora", "unknown")


def test_the_pool_is_written_split_and_summing_to_the_mix(cache: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    pool = finished.build_finished(corpus, cache=cache, separator=Thirds())
    songs = Corpus(corpus).songs(pool="wet")
    assert [one.path for one in songs] == sorted(pool.songs)
    assert {one.artist for one in songs} == {"Anna", "Bert", "Cleo"}
    for one in songs:
        assert one.kind == "wet"
        assert one.duration_s == pytest.approx(2, abs=0.01)
        assert one.stems == ("drums", "bass", "other")  # the voice was a leak
        assert one.split == finished.split_of(f"artist:{one.artist.lower()}")
    cleo = next(one for one in songs if one.artist == "Cleo")
    assert cleo.licences == ("CC0",)
    original = sum(
        soundfile.read(cache / "second-data/usr/share/songs/fire" / name, always_2d=True)[0]
        for name in ("song.ogg", "guitar.ogg")
    )
    start = round(cleo.extra["from_s"] * RATE)
    expected = cleo.extra["gain"] * original[start : start + 2 * RATE].T
    expected -= expected.mean(1, keepdims=True)
    np.testing.assert_allclose(cleo.read("mix").numpy(), expected, atol=2e-4)
    assert start > 1.5 * RATE  # the loudest passage


def test_going_on_keeps_what_is_there(cache: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    finished.build_finished(corpus, songs=1, cache=cache, separator=Thirds())
    (first,) = Corpus(corpus).songs(pool="wet")
    written = (first.path / "meta.json").stat().st_mtime_ns
    finished.build_finished(corpus, cache=cache, separator=Thirds())
    assert len(Corpus(corpus).songs(pool="wet")) == 3
    assert (first.path / "meta.json").stat().st_mtime_ns == written


def test_a_damaged_song_is_left_out_and_the_rest_goes_on(cache: Path, tmp_path: Path) -> None:
    damaged = cache / "first-music/usr/share/first/rise.ogg"
    damaged.write_bytes(damaged.read_bytes()[:-2000])
    pool = finished.build_finished(tmp_path / "corpus", cache=cache, separator=Thirds())
    assert len(pool.songs) == 2
    assert len(pool.left_out) == 1
    assert "rise" in pool.left_out[0]


def test_every_artist_has_one_song_before_any_has_two() -> None:
    release = Release("package", 1, "")
    songs = [
        FinishedSong(release, Path(), (Path(f"{artist}{n}.ogg"),), "", artist)
        for artist, count in (("Anna", 8), ("Bert", 2), ("Cleo", 1))
        for n in range(count)
    ]
    drawn = finished.spread(songs, 4, seed=0)
    assert {one.artist for one in drawn} == {"Anna", "Bert", "Cleo"}
    assert drawn == finished.spread(songs, 4, seed=0)
    assert len(finished.spread(songs, 100, seed=0)) == 11


def test_no_more_is_fetched_than_allowed(cache: Path, tmp_path: Path) -> None:
    assert sum(release.megabytes for release in finished.within(700)) <= 700
    assert finished.within(7) == [finished.RELEASES[0]]
    with pytest.raises(AudioError, match="megabytes"):
        finished.build_finished(tmp_path, megabytes=1, cache=cache, separator=Thirds())


def test_the_frozen_list_is_the_one_that_is_held_against() -> None:
    sets = json.loads(finished.EVALUATED.read_text(encoding="utf-8"))["sets"]
    assert set(sets) == {"bench", "dev"}
