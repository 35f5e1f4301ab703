"""`--daw` as users type it, on real music."""

from __future__ import annotations

from pathlib import Path

import pytest
from session_sounds import played, residual_db
from typer.testing import CliRunner, Result

from styletransfer.cli import app
from styletransfer.files import read, write

Songs = dict[str, Path]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(songs: Songs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transfer of 0.7 s of music, with its sessions beside the output."""
    folder = tmp_path_factory.mktemp("daw")
    for name in ("input", "reference"):
        write(folder / f"{name}.wav", read(songs[name]).excerpt(10.0, 10.7), subtype="FLOAT")
    done = run(*transfer_of(folder, "out.wav"), "--no-gate", "--json")
    assert done.exit_code == 0, done.stderr
    (folder / "result.json").write_text(done.stdout, encoding="utf-8")
    assert {path.name for path in (folder / "out.daw").iterdir()} == {
        "Effects",
        "audio",
        "session.rpp",
        "stems",
    }
    return folder


def transfer_of(folder: Path, output: str) -> list[object]:
    pair = (folder / "input.wav", folder / "reference.wav")
    return ["transfer", *pair, "-q", "--separator", "builtin", "-o", folder / output, "--daw", "rpp, stems"]


def test_real_music_comes_back_as_the_result(folder: Path) -> None:
    before, after = (read(folder / f"{name}.wav").samples for name in ("input", "out"))
    session = folder / "out.daw" / "session.rpp"
    assert residual_db(after, before) > -10
    assert residual_db(played(session, bypass=True), before) < -90
    assert residual_db(played(session), after) < -80


def test_sessions_are_not_written_over(folder: Path) -> None:
    (folder / "new.daw").mkdir()
    (folder / "new.daw" / "session.rpp").write_text("mine", encoding="utf-8")
    done = run(*transfer_of(folder, "new.wav"))
    assert (done.exit_code, "already there" in done.stderr) == (2, True)
    assert (folder / "new.daw" / "session.rpp").read_text(encoding="utf-8") == "mine"
    assert not (folder / "new.wav").exists()


def test_a_file_in_the_way_is_named(folder: Path) -> None:
    (folder / "file.daw").touch()
    done = run(*transfer_of(folder, "file.wav"))
    assert (done.exit_code, "file.daw is a file" in done.stderr) == (2, True)


def test_an_unknown_program_is_named(folder: Path) -> None:
    done = run(*transfer_of(folder, "other.wav"), "--daw", "logic")
    assert (done.exit_code, "not 'logic'" in done.stderr) == (2, True)


def test_apply_writes_sessions_into_the_folder_of_save(folder: Path) -> None:
    settings, save = folder / "result.json", folder / "again"
    done = run(
        "apply", settings, folder / "input.wav", "-o", folder / "x.wav", "--save", save, "--daw", "dawproject"
    )
    assert done.exit_code == 0, done.stderr
    assert (save / "daw" / "session.dawproject").is_file()
    assert not (folder / "x.daw").exists()
