"""A build plans fairly, stops with one sentence where it can't go on, and is checked afterwards."""

from __future__ import annotations

import ctypes.util
import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
import soundfile
import torch
from corpus_sounds import meta, midi, module, notes, three_splits, tone
from typer.testing import CliRunner

from styletransfer.cli import app
from styletransfer.corpus import build, check, fluidsynth, material, packages, plan
from styletransfer.corpus.folder import RATE, Corpus, write_song
from styletransfer.errors import ResourceError, UsageError

needs_libraries = pytest.mark.skipif(
    not all(ctypes.util.find_library(name) for name in ("fluidsynth", "openmpt")),
    reason="no libfluidsynth or libopenmpt here",
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages that look unpacked: 30 scores, 12 modules."""
    monkeypatch.setattr(material, "MIDI_PACKAGES", ("scores-a", "scores-b"))
    monkeypatch.setattr(material, "MODULE_PACKAGES", tuple(f"modules-{index}" for index in range(12)))
    folder = tmp_path / "packages"
    for package in material.MIDI_PACKAGES:
        (folder / package).mkdir(parents=True)
        for index in range(15):
            pitches = [48 + (index + step * (1 + ord(package[-1]) % 5)) % 24 for step in range(120)]
            score = midi(notes(0, pitches), notes(9, [36, 38] * 60))
            (folder / package / f"{index}.mid").write_bytes(score)
    for index, package in enumerate(material.MODULE_PACKAGES):
        (folder / package).mkdir()
        (folder / package / "tune.mod").write_bytes(module() + bytes([index]))
    return folder


@needs_libraries
def test_any_beginning_of_the_plan_is_a_fair_sample(cache: Path) -> None:
    recipes = plan.recipes(cache, seed=0)
    assert recipes == plan.recipes(cache, seed=0)
    assert len({recipe.id for recipe in recipes}) == len(recipes) == 30 * 6 + 12 * 3
    first = recipes[:21]
    assert len({recipe.piece for recipe in first}) == 21
    assert {recipe.split for recipe in first} == {recipe.split for recipe in recipes}
    kinds = Counter(recipe.kind for recipe in first)
    assert kinds["rendered"] > kinds["module"] > 2
    banks = {bank.name: bank.split for bank in material.BANKS}
    assert all(banks[recipe.bank] == recipe.split for recipe in recipes if recipe.bank)
    assert len({recipe.bank for recipe in recipes if recipe.split == "train"} - {""}) == 4


@needs_libraries
def test_another_seed_draws_otherwise_but_splits_alike(cache: Path) -> None:
    one, other = ({recipe.id: recipe for recipe in plan.recipes(cache, seed)} for seed in (0, 1))
    assert {name: recipe.split for name, recipe in one.items()} == {
        name: recipe.split for name, recipe in other.items()
    }
    assert all(one[name].seed != other[name].seed for name in one)


@needs_libraries
def test_modules_are_built_once_and_go_on_where_they_were(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(material, "MIDI_PACKAGES", ())
    monkeypatch.setattr(material, "MODULE_PACKAGES", material.MODULE_PACKAGES[:2])
    first = build.build(tmp_path / "c", hours=20 / 3600, jobs=1, voices=False, cache=cache)
    assert not first.skipped
    before = {song.id: (song.path / "drums.flac").stat().st_mtime_ns for song in first.songs}
    more = build.build(tmp_path / "c", hours=70 / 3600, jobs=1, voices=False, cache=cache)
    assert more.hours * 3600 >= 70
    assert {
        song.id: (song.path / "drums.flac").stat().st_mtime_ns for song in more.songs
    }.items() >= before.items()
    assert not check.leaks(more.songs)
    with pytest.raises(UsageError, match="--seed 0"):
        build.build(tmp_path / "c", seed=5, jobs=1, cache=cache)


class Hummer:
    """Sings a tone as long as the song, for each melody that it is given."""

    def sing(
        self, notes: list[tuple[float, float, float]], duration_s: float, generator: torch.Generator
    ) -> tuple[torch.Tensor, list[str]]:
        frames = round(duration_s * RATE)
        hertz = 440 * 2 ** ((notes[0][2] - 69) / 12)
        return 0.1 * torch.sin(torch.arange(frames) * (6.2832 * hertz / RATE)).expand(2, -1), ["voice:hum"]

    def credits(self, sources: list[str]) -> list[tuple[str, str]]:
        return [("hummer", "CC0") for _ in sources]


@needs_libraries
def test_a_voice_left_for_later_is_the_one_sung_at_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(material, "MIDI_PACKAGES", ())
    monkeypatch.setattr(material, "MODULE_PACKAGES", material.MODULE_PACKAGES[:3])
    monkeypatch.setattr(build, "_singers", lambda cache, split: Hummer())
    make = partial(build.build, hours=45 / 3600, jobs=1, cache=cache)
    at_once = make(tmp_path / "once").songs
    unsung = make(tmp_path / "later", voices=False).songs
    waiting = [song.id for song in unsung if song.pending]
    assert 0 < len(waiting) < len(unsung)
    assert not any("vocals" in song.stems for song in unsung)
    later = make(tmp_path / "later").songs
    assert [song.id for song in at_once if "vocals" in song.stems] == waiting
    for one, other in zip(at_once, later, strict=True):
        assert not one.pending
        assert not other.pending
        assert (one.stems, one.sources, one.packages, one.licences) == (
            other.stems,
            other.sources,
            other.packages,
            other.licences,
        )
        for name in one.stems:
            torch.testing.assert_close(one.read(name), other.read(name), atol=1e-3, rtol=0)


def test_bad_requests_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        build.build(tmp_path / "file")
    with pytest.raises(UsageError, match="--hours"):
        build.build(tmp_path / "c", hours=0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ResourceError, match="comes from Debian"):
        packages.fetch("freedoom", tmp_path / "empty")
    fluidsynth._library.cache_clear()
    monkeypatch.setattr(fluidsynth.ctypes, "CDLL", lambda name: (_ for _ in ()).throw(OSError("none")))
    with pytest.raises(ResourceError, match="libfluidsynth3"):
        fluidsynth.check_library()


def test_a_licence_is_found_by_file_and_in_free_words(tmp_path: Path) -> None:
    document = tmp_path / "usr" / "share" / "doc" / "p" / "copyright"
    document.parent.mkdir(parents=True)
    document.write_text(
        "Files: *\nLicense: GPL-2+\n text\n\nFiles: music/*.mid\nLicense: CC0-1.0\n\n"
        "Files:\n kits/My?Kit.h2drumkit\nLicense: CC-BY-3.0\n"
    )
    assert packages.licence(tmp_path, Path("usr/share/p/song.xm")) == "GPL-2+"
    assert packages.licence(tmp_path, Path("usr/share/p/song.mid")) == "CC0-1.0"
    assert packages.licence(tmp_path, Path("drumkits/My Kit.h2drumkit")) == "CC-BY-3.0"
    document.write_text("It may be used under the GNU General\nPublic License, version 2.")
    assert packages.licence(tmp_path, Path("song.xm")) == "GPL-2"
    document.unlink()
    assert packages.licence(tmp_path, Path("song.xm")) == "see copyright file"


def test_checking_finds_each_fault(tmp_path: Path) -> None:
    three_splits(tmp_path)
    assert check.faults(Corpus(tmp_path)) == []
    songs = tmp_path / "songs"
    soundfile.write(songs / "song-train" / "bass.flac", tone(60, 1.0).T, RATE)
    loud = torch.ones(2, 2 * RATE) * torch.tensor([1.0, -1.0]).repeat(RATE)
    soundfile.write(songs / "song-test" / "drums.flac", loud.T, RATE)
    silent = torch.zeros(2, 2 * RATE)
    write_song(
        tmp_path, {"drums": tone(100, 2.0), "bass": silent}, meta("song-validation", split="validation")
    )
    write_song(tmp_path, {"drums": tone(100, 2.0)}, meta("leak", piece="piece-song-test", licences=[]))
    text = "\n".join(check.faults(Corpus(tmp_path)))
    for expected in (
        "piece:piece-song-test: test, train are not apart",
        "song-train: bass lasts 1.00 s, not 2.00 s",
        "song-test: drums clips",
        "song-validation: bass is silent",
        "leak: it names no package or no licence",
    ):
        assert expected in text


def test_the_command_checks_and_says_what_is_there(tmp_path: Path) -> None:
    three_splits(tmp_path)
    good = CliRunner().invoke(app, ["corpus", "check", str(tmp_path), "-q"])
    assert good.exit_code == 0, good.output
    assert "CC0" in good.stdout
    meta_path = tmp_path / "songs" / "song-test" / "meta.json"
    meta_path.write_text(json.dumps({**json.loads(meta_path.read_text()), "piece": "piece-song-train"}))
    bad = CliRunner().invoke(app, ["corpus", "check", str(tmp_path), "-q"])
    assert bad.exit_code == 3
    assert "not apart" in bad.stdout
    nowhere = CliRunner().invoke(app, ["corpus", "check", str(tmp_path / "nowhere")])
    assert nowhere.exit_code == 3
    assert "is no corpus" in nowhere.stderr
