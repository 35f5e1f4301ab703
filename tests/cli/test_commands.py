"""Each command as a user types it: exit code, stdout, stderr and files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from styletransfer.cli import app

Songs = dict[str, Path]
BUILTIN = ("--separator", "builtin")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def saved(songs: Songs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    done = run(
        "transfer",
        songs["input"],
        songs["reference"],
        *BUILTIN,
        "-o",
        folder / "out.wav",
        "--save",
        folder / "s",
    )
    assert done.exit_code == 0, done.stderr
    return folder


def test_transfer_writes_what_it_says(saved: Path, songs: Songs) -> None:
    before, after = soundfile.info(songs["input"]), soundfile.info(saved / "out.wav")
    assert (before.frames, before.samplerate, before.subtype) == (
        after.frames,
        after.samplerate,
        after.subtype,
    )
    document = json.loads((saved / "s" / "result.json").read_text(encoding="utf-8"))
    assert document["separator"]["name"] == "builtin"
    assert document["console"]["master"]["limiter"]["ceiling_db"] <= -0.9
    assert (saved / "s" / "stems" / "vocals.wav").is_file()


def test_results_go_to_stdout_and_talk_to_stderr(songs: Songs, tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    done = run("transfer", songs["input"], songs["reference"], *BUILTIN, "-o", target)
    assert done.stdout.split() == [str(target)]
    assert "separator: builtin" in done.stderr
    again = run(
        "transfer", songs["input"], songs["reference"], *BUILTIN, "-o", target, "--json", "-q", "--overwrite"
    )
    assert json.loads(again.stdout)["format"] == 2
    assert again.stderr == ""


def test_the_default_output_lies_beside_the_input(songs: Songs, tmp_path: Path) -> None:
    source = tmp_path / "song.flac"
    source.write_bytes(songs["input"].read_bytes())
    assert run("transfer", source, songs["reference"], *BUILTIN).exit_code == 0
    assert (tmp_path / "song.automix.wav").is_file()
    assert run("transfer", source, songs["reference"], *BUILTIN).exit_code == 2  # already there


def test_apply_obeys_an_edit(saved: Path, songs: Songs, tmp_path: Path) -> None:
    settings = tmp_path / "result.json"
    document = json.loads((saved / "s" / "result.json").read_text(encoding="utf-8"))
    settings.write_text(json.dumps(document), encoding="utf-8")
    assert run("apply", settings, songs["input"], "-o", tmp_path / "same.wav").exit_code == 0
    document["console"]["master"]["gain"]["gain_db"] -= 6
    settings.write_text(json.dumps(document), encoding="utf-8")
    assert run("apply", settings, songs["input"], "-o", tmp_path / "soft.wav").exit_code == 0
    out, same, soft = (
        soundfile.read(p)[0] for p in (saved / "out.wav", tmp_path / "same.wav", tmp_path / "soft.wav")
    )
    assert np.abs(out - same).max() < 1e-3
    assert np.sqrt((soft**2).mean()) < 0.8 * np.sqrt((same**2).mean())


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        ({"format": 7}, "format"),
        ({"surprise": 1}, "surprise"),
        ({"console": {"drums": {"gain": {"gain_db": 1000}}}}, "gain_db"),
        ({"console": {"drums": {"flanger": {}}}}, "flanger"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    saved: Path, songs: Songs, tmp_path: Path, edit: dict[str, object], word: str
) -> None:
    document = json.loads((saved / "s" / "result.json").read_text(encoding="utf-8")) | edit
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    done = run("apply", path, songs["input"], "-o", tmp_path / "out.wav")
    assert done.exit_code == 2
    assert word in done.stderr
    assert not (tmp_path / "out.wav").exists()


def sound(path: Path, samples: np.ndarray, rate: int = 44100, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def wrong_inputs(folder: Path) -> dict[str, tuple[Path, int]]:
    noise = np.random.default_rng(0).normal(0, 0.1, (44100, 2))
    whole = sound(folder / "whole.wav", noise, subtype="PCM_16").read_bytes()
    (folder / "truncated.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "text.wav").write_text("no sound at all")
    (folder / "empty.wav").write_bytes(b"")
    return {
        "silent": (sound(folder / "silent.wav", noise * 0), 3),
        "nan": (sound(folder / "nan.wav", noise * np.nan), 3),
        "short": (sound(folder / "short.wav", noise[:4000]), 3),
        "surround": (sound(folder / "surround.wav", np.repeat(noise, 3, 1)), 3),
        "truncated": (folder / "truncated.wav", 3),
        "text": (folder / "text.wav", 3),
        "empty": (folder / "empty.wav", 3),
        "folder": (folder, 3),
        "missing": (folder / "missing.wav", 3),
    }


@pytest.mark.parametrize(
    "name", ["silent", "nan", "short", "surround", "truncated", "text", "empty", "folder", "missing"]
)
def test_wrong_inputs_get_one_sentence(songs: Songs, tmp_path: Path, name: str) -> None:
    path, status = wrong_inputs(tmp_path)[name]
    before = sorted(tmp_path.iterdir())
    for pair in ((path, songs["reference"]), (songs["input"], path)):
        done = run("transfer", *pair, *BUILTIN, "-q", "-o", tmp_path / "out.wav")
        assert done.exit_code == status, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--amount", "2"],
        ["--stem-amount", "tambourine=.5"],
        ["--stem-amount", "drums"],
        ["--only", "loudness"],
        ["--lufs", "loud"],
        ["--in-range", "late"],
        ["--ref-range", "5-2"],
        ["--device", "toaster"],
        ["--channels", "7"],
    ],
)
def test_usage_errors_exit_2(songs: Songs, tmp_path: Path, arguments: list[str]) -> None:
    done = run(
        "transfer", songs["input"], songs["reference"], *BUILTIN, "-o", tmp_path / "out.wav", *arguments
    )
    assert done.exit_code == 2
    assert done.stderr
    assert not (tmp_path / "out.wav").exists()


def test_the_input_is_never_the_output(songs: Songs, tmp_path: Path) -> None:
    source = tmp_path / "song.flac"
    source.write_bytes(songs["input"].read_bytes())
    done = run("transfer", source, songs["reference"], *BUILTIN, "-o", source, "--overwrite")
    assert done.exit_code == 2
    assert source.read_bytes() == songs["input"].read_bytes()


def test_a_format_that_cannot_be_written_is_told_before_the_work(songs: Songs, tmp_path: Path) -> None:
    for name in ("out.xyz", "out.opus"):  # the input has 44.1 kHz
        done = run("transfer", songs["input"], songs["reference"], "-o", tmp_path / name)
        assert done.exit_code == 2
        assert name in done.stderr


def test_a_separator_without_weights_exits_4(songs: Songs, tmp_path: Path) -> None:
    done = run(
        "separate", songs["input"], "--separator", "htdemucs", "--repo", tmp_path, "-o", tmp_path / "stems"
    )
    assert done.exit_code == 4
    assert "htdemucs" in done.stderr


def test_a_device_that_is_not_there_exits_5(songs: Songs, tmp_path: Path) -> None:
    done = run("transfer", songs["input"], songs["reference"], "-o", tmp_path / "out.wav", "--device", "cuda")
    assert done.exit_code == 5


def test_an_interrupt_exits_130_and_leaves_nothing(
    songs: Songs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("styletransfer.files.quantized", interrupt)
    done = run("transfer", songs["input"], songs["reference"], *BUILTIN, "-o", tmp_path / "out.wav")
    assert done.exit_code == 130
    assert list(tmp_path.iterdir()) == []


def test_separate_writes_stems_that_add_up(songs: Songs, tmp_path: Path) -> None:
    done = run("separate", songs["input"], *BUILTIN, "-o", tmp_path / "stems")
    assert done.exit_code == 0
    paths = [Path(line) for line in done.stdout.split()]
    assert [path.stem for path in paths] == ["drums", "bass", "other", "vocals", "rest"]
    total = sum(soundfile.read(path)[0] for path in paths)
    assert np.abs(total - soundfile.read(songs["input"])[0]).max() < 1e-4


def test_analyze_measures_files_and_stems(songs: Songs) -> None:
    done = run("analyze", songs["input"], songs["reference"], "--json")
    found = json.loads(done.stdout)["files"]
    assert found[str(songs["input"])]["mix"]["width_db"] < found[str(songs["reference"])]["mix"]["width_db"]
    table = run("analyze", songs["input"], "--stems", *BUILTIN)
    assert "vocals" in table.stdout


def test_doctor_and_cache_tell_what_is_there(songs: Songs) -> None:
    found = json.loads(run("doctor", "--json").stdout)
    assert set(found["weights"].values()) == {"good"}
    run("separate", songs["input"], *BUILTIN, "-o", songs["input"].parent / "never", "--device", "toaster")
    assert "MB" in run("cache", "list").stdout


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("automix ")
    text = run("--help").stdout
    for command in ("transfer", "apply", "separate", "analyze", "cache", "doctor"):
        assert command in text
        assert run(command, "--help").exit_code == 0


def test_save_never_overwrites_what_was_given(songs: Songs, tmp_path: Path) -> None:
    for name in ("A.wav", "reference.wav"):
        samples, rate = soundfile.read(songs["input"])
        soundfile.write(tmp_path / name, samples, rate)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for extra in ([], ["--overwrite"]):
        done = run(
            "transfer", tmp_path / "A.wav", tmp_path / "reference.wav", *BUILTIN, "--save", tmp_path, *extra
        )
        assert done.exit_code == 2
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_outputs_that_cannot_be_are_told_before_the_work(songs: Songs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    pair = (songs["input"], songs["reference"])
    for arguments in (
        ["-o", tmp_path / "none" / "out.wav"],
        ["-o", tmp_path / "out.wav", "--save", tmp_path / "file"],
        ["-o", tmp_path / "B.wav", "--save", tmp_path],
        ["-o", tmp_path / "out.wav", "--true-peak", "-100"],
        ["-o", tmp_path / "out.wav", "--in-range", "0-inf"],
    ):
        done = run("transfer", *pair, *arguments)
        assert done.exit_code == 2, arguments
        assert "Traceback" not in done.stderr
        assert "separating" not in done.stderr
