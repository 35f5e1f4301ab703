from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from styletransfer.cli import app
from styletransfer.corpus import finished
from styletransfer.corpus.finished import Pool

RATE = 44_100


def test_own_stems_are_added_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    sound = 0.1 * np.random.default_rng(0).normal(size=(11 * RATE, 2))
    for song, seconds in (("long", 11), ("brief", 2)):
        (tmp_path / "in" / song).mkdir(parents=True)
        soundfile.write(tmp_path / "in" / song / "drums.wav", sound[: seconds * RATE], RATE)
    done = CliRunner().invoke(
        app, ["corpus", "build", str(tmp_path / "out"), "--stems", str(tmp_path / "in")]
    )
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "brief is left out" in done.stderr
    assert [path.name[:8] for path in (tmp_path / "out" / "songs").iterdir()] == ["own-long"]


def test_a_folder_without_stems_exits_with_the_code_of_sounds(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["corpus", "build", str(tmp_path / "out"), "--stems", str(tmp_path / "no")]
    )
    assert done.exit_code == 3
    assert "is no folder" in done.stderr


def test_the_wet_pool_is_asked_for_as_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []

    def build_finished(corpus: Path, songs: int, seed: int, **options: object) -> Pool:
        asked.extend((corpus, songs, seed, options["megabytes"]))
        return Pool((), ("Rise is left out: it is damaged",))

    monkeypatch.setattr(finished, "build_finished", build_finished)
    command = ["corpus", "finished", str(tmp_path), "--songs", "7", "--seed", "3", "--megabytes", "50"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.stderr
    assert asked == [tmp_path, 7, 3, 50]
    assert "Rise is left out" in done.stderr
