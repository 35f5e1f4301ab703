"""`--report` as a user types it: on with --save, off when asked, never over what is there."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from report_sounds import noise
from typer.testing import CliRunner, Result

from styletransfer.cli import app
from styletransfer.notes import Code
from styletransfer.report.words import HEADINGS


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("songs")
    return [noise(1.5, level, seed=n).write(folder / f"{n}.wav") for n, level in enumerate((-24.0, -16.0))]


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(app, [command, *map(str, arguments)])


def test_a_page_comes_with_save_or_when_asked_for(songs: list[Path], tmp_path: Path) -> None:
    out, folder = tmp_path / "out.wav", tmp_path / "saved"
    transfer = ("transfer", *songs, "--separator", "builtin", "-o", out)
    done = run(*transfer, "--save", folder, "--report-audio", "none")
    assert done.exit_code == 0, done.stderr
    assert {str(folder / "report.html"), str(folder / "report.json")} <= set(done.stdout.split("\n"))
    before = (folder / "report.html").read_bytes()
    assert run(*transfer, "--save", folder).exit_code == 2  # all is there already
    assert (folder / "report.html").read_bytes() == before

    apply = ("apply", folder / "result.json", songs[0], "-o", tmp_path / "again.wav")
    assert run(*apply, "--report", "--plots", tmp_path / "plots").exit_code == 0
    assert (tmp_path / "again.report.html").is_file()
    assert list((tmp_path / "plots").glob("*.png"))

    assert run(*apply, "--save", tmp_path / "quiet", "--no-report", "--overwrite").exit_code == 0
    assert not (tmp_path / "quiet" / "report.html").exists()


def test_wishes_that_cannot_be_are_told_before_the_work(songs: list[Path], tmp_path: Path) -> None:
    transfer = ("transfer", *songs, "-o", tmp_path / "out.wav")
    for wish in (
        ["--report", "--report-audio", "loud"],
        ["--no-report", "--plots", tmp_path / "plots"],
        ["--report", "--plots", songs[0]],
    ):
        assert run(*transfer, *wish).exit_code == 2
    (tmp_path / "out.report.html").write_text("mine")
    assert run(*transfer, "--report").exit_code == 2
    assert not (tmp_path / "out.wav").exists()


def test_every_warning_has_plain_words() -> None:
    assert set(get_args(Code)) == set(HEADINGS)
