"""`automix normalize` as a user types it: what it guesses, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from normalization_sounds import RATE, effected, music
from typer.testing import CliRunner, Result

from styletransfer import files
from styletransfer.audio import Audio
from styletransfer.cli import app
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.normalization import Averages
from styletransfer.normalization.sound_files import stem_of


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["normalize", *(str(argument) for argument in arguments)])


@pytest.fixture
def known(averages: Averages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return averages.save(tmp_path_factory.mktemp("averages") / "averages.json")


def stem_file(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return files.write(path, Audio(effected(music(seed, 3.0)), RATE))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("drums.wav", "drums"),
        ("My Song (Lead Vocals).flac", "vocals"),
        ("01_vox.mp3", "vocals"),
        ("Bass Culture - drums.wav", "drums"),
        ("mixture.wav", "mix"),
        ("song-master.wav", "mix"),
        ("guitar.wav", None),
        ("remixed.wav", None),
    ],
)
def test_names_tell_stems(name: str, stem: str | None) -> None:
    assert stem_of(Path(name)) == stem


def test_a_file_lies_beside_its_source(known: Path, averages: Averages, tmp_path: Path) -> None:
    source = stem_file(tmp_path / "drums.wav")
    done = run(source, "--averages", known, "-q")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "drums.normalized.wav")]
    found = files.read(tmp_path / "drums.normalized.wav")
    assert found.frames == 3 * RATE
    assert integrated_lufs(found.samples, RATE) == pytest.approx(averages.of("drums").loudness_lufs, abs=0.1)
    assert run(source, "--averages", known, "-q").exit_code == 2
    assert run(source, "--averages", known, "-q", "--overwrite").exit_code == 0


def test_a_folder_and_its_mix(known: Path, tmp_path: Path) -> None:
    for number, name in enumerate(
        ("a/drums.wav", "a/bass.flac", "b/vocals.ogg", "a/notes.txt", "a/guitar.wav")
    ):
        if name.endswith("txt"):
            (tmp_path / "in" / name).write_text("no sound")
        else:
            stem_file(tmp_path / "in" / name, number)
    done = run(tmp_path / "in", "--averages", known, "--mix", "-o", tmp_path / "out", "-q")
    assert done.exit_code == 0, done.stderr
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")}
    assert written == {"a/drums.wav", "a/bass.wav", "a/mix.wav", "b/vocals.wav", "b/mix.wav"}
    assert len(done.stdout.split()) == 5
    parts = [soundfile.read(tmp_path / "out" / "a" / f"{name}.wav")[0] for name in ("drums", "bass", "mix")]
    assert np.abs(parts[0] + parts[1] - parts[2]).max() < 1e-5


def test_rooms_follow_the_seed(known: Path, tmp_path: Path) -> None:
    source = stem_file(tmp_path / "vocals.wav")
    sounds = []
    for number, seed in enumerate((5, 5)):
        target = tmp_path / f"{number}.wav"
        assert run(source, "--averages", known, "--rooms", "--seed", seed, "-o", target, "-q").exit_code == 0
        sounds.append(soundfile.read(target)[0])
    assert np.array_equal(*sounds)


def test_what_makes_no_sense_is_refused(known: Path, tmp_path: Path) -> None:
    source = stem_file(tmp_path / "guitar.wav")
    (tmp_path / "empty").mkdir()
    for arguments, status, word in (
        ([source], 2, "--stem"),
        ([source, "--stem", "tambourine"], 2, "tambourine"),
        ([tmp_path / "empty", "--stem", "drums"], 3, "empty"),
        ([tmp_path / "missing drums.wav"], 3, "missing drums.wav"),
        ([source, "--stem", "other", "-o", source, "--overwrite"], 2, "input itself"),
        ([source, "--stem", "other", "-o", tmp_path / "out.xyz"], 2, "out.xyz"),
        ([source, "--stem", "other", "--averages", tmp_path / "none.json"], 2, "none.json"),
        ([tmp_path, "--measure", "--mix"], 2, "--measure"),
        ([tmp_path, "--measure", "-o", tmp_path / "a.json"], 3, "no corpus"),
    ):
        done = run(
            *arguments,
            *(() if "--averages" in arguments or "--measure" in arguments else ("--averages", known)),
        )
        assert done.exit_code == status, (arguments, done.stderr)
        assert word in done.stderr
        assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "guitar.wav"]


def test_averages_are_measured_by_command(tmp_path: Path) -> None:
    from test_averages import corpus

    folder = corpus(tmp_path / "corpus", {"a": "train"}).path
    done = run(folder, "--measure", "--seed", 7, "-o", tmp_path / "mine.json", "-q")
    assert done.exit_code == 0, done.stderr
    found = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))
    assert found["corpus"]["split"] == "train"
    assert found["corpus"]["seed"] == 7
    source = stem_file(tmp_path / "drums.wav")
    assert run(source, "--averages", tmp_path / "mine.json", "-q").exit_code == 0
