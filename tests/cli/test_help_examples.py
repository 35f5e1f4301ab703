"""Every command's help has an example, and each is run; where that would take hours, up to the work."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from unittest.mock import create_autospec

import pytest
import typer
from typer.testing import CliRunner

from styletransfer.cli import app
from styletransfer.cli.preferences import commands_of
from styletransfer.errors import AutomixError
from styletransfer.files import read, write

GROUP = typer.main.get_command(app)
COMMANDS = {" ".join(words): words for words in commands_of(GROUP)}
LONG = {
    "serve": "styletransfer.web.serve",
    "corpus build": "styletransfer.corpus.build.build",
    "corpus finished": "styletransfer.corpus.finished.build_finished",
    "corpus check": "styletransfer.corpus.check.faults",
    "evaluate encoder": "styletransfer.evaluation.style.evaluate.evaluate",
    "evaluate separator": "styletransfer.evaluation.separation.evaluate.evaluate",
    "evaluate converter": "styletransfer.evaluation.transfer.evaluate.evaluate",
    "evaluate preset": "styletransfer.evaluation.transfer.preset.measure_preset",
    "train encoder": "styletransfer.training.encoder.run.train",
    "train separator": "styletransfer.training.separator.run.train",
    "train converter": "styletransfer.training.console.run.train",
}
FIRST, LAST = ("transfer", "library add", "style save"), ("library rm", "cache clear")
REAL = [name for name in COMMANDS if name not in LONG]
REAL.sort(key=lambda name: FIRST.index(name) if name in FIRST else 8 + (name in LAST))


def example(name: str) -> list[str]:
    """The words after `automix` in a command's example, ~ being the home folder."""
    command = GROUP
    for word in COMMANDS[name]:
        command = command.commands[word]
    lines = [line.strip() for line in command.help.splitlines() if line.strip().startswith("Example: ")]
    assert len(lines) == 1, f"automix {name} --help should have one example"
    program, *words = shlex.split(lines[0].removeprefix("Example: "))
    assert program == "automix"
    assert tuple(words[: len(COMMANDS[name])]) == COMMANDS[name]
    return [os.path.expanduser(word) for word in words]


@pytest.fixture(scope="module")
def folder(songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with the songs of all examples, 1.5 s each, and a home beside it."""
    home = tmp_path_factory.mktemp("home")
    here = home / "here"
    for place in (here / "my-mixes", home / "Music" / "loved"):
        place.mkdir(parents=True)
    start_s = 8.0
    for target in (
        *(here / name for name in ("my-song.wav", "a-song-i-love.flac", "calm.flac", "loud.flac")),
        *(here / name for name in ("drums.wav", "first-mix.wav", "second-mix.wav")),
        *(here / "my-mixes" / name for name in ("one.wav", "two.wav", "three.wav", "four.wav")),
        *(home / "Music" / "loved" / name for name in ("a-song-i-love.flac", "warm.flac", "bright.flac")),
    ):
        source = songs["input" if target.suffix == ".wav" else "reference"]
        start_s += 0.25
        write(target, read(source).excerpt(start_s, start_s + 1.5), subtype="PCM_16")
    before = Path.cwd()
    os.chdir(here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        patch.setenv("AUTOMIX_SEPARATOR", "builtin")
        yield here
    os.chdir(before)


@pytest.mark.parametrize("name", REAL)
def test_the_example_works_as_it_stands(folder: Path, name: str) -> None:
    """In an order that lets some use what others wrote."""
    words = example(name)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    outputs = [after for before, after in pairwise(words) if before in ("-o", "--plot")]
    assert all((folder / path).exists() for path in outputs)


@pytest.mark.parametrize("name", LONG)
def test_the_example_gets_as_far_as_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module, _, function = LONG[name].rpartition(".")
    work = create_autospec(getattr(pytest.importorskip(module), function))
    work.side_effect = AutomixError("this is the work")
    monkeypatch.setattr(LONG[name], work)
    (Path.home() / "corpus" / "songs").mkdir(parents=True, exist_ok=True)
    done = CliRunner().invoke(app, example(name))
    assert work.called, done.stderr
    assert done.exit_code == 1
    assert "this is the work" in done.stderr


def test_readmes_lines_of_python_run(folder: Path) -> None:
    readme = Path(__file__).resolve().parents[2] / "README.md"
    lines = readme.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    (folder / "result.wav").unlink()
    exec(compile(lines, "README.md", "exec"), {})
    assert read(folder / "result.wav").duration_s == read(folder / "my-song.wav").duration_s


def test_no_command_is_left_out() -> None:
    assert {*REAL, *LONG} == set(COMMANDS)
    assert set(LONG) <= set(COMMANDS)
