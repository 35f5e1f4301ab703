"""Flag before environment before automix.toml before default; what can't be understood is one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest
from typer.testing import CliRunner, Result

from styletransfer.cli import app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, and a configuration folder beside it."""
    for name in [name for name in os.environ if name.startswith("AUTOMIX_")]:
        monkeypatch.delenv(name)
    (tmp_path / "here").mkdir()
    (tmp_path / "own").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "own")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def library_used(*flags: str) -> str:
    """Which library a command looks for: it complains of the one that isn't there."""
    done = run("library", "list", *flags)
    assert done.exit_code == 2
    return done.stderr.split("there is no library ")[1].split(";")[0]


def test_a_flag_goes_before_the_environment_before_the_files_before_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    default = library_used()
    assert default.endswith("library.sqlite")
    (folder / "own" / "automix.toml").write_text('[all]\nlibrary = "own"\n')
    assert library_used() == "own"
    (folder / "here" / "automix.toml").write_text('[all]\nlibrary = "here"\n')
    assert library_used() == "here"
    (folder / "here" / "automix.toml").write_text('[all]\nlibrary = "all"\n[library.list]\nlibrary = "one"\n')
    assert library_used() == "one"
    monkeypatch.setenv("AUTOMIX_LIBRARY", "environment")
    assert library_used() == "environment"
    monkeypatch.setenv("AUTOMIX_LIBRARY_LIST_LIBRARY", "its-own")
    assert library_used() == "its-own"
    assert library_used("--library", "flag") == "flag"
    monkeypatch.setenv("AUTOMIX_LIBRARY_LIST_LIBRARY", "")
    assert library_used() == "environment"


def test_a_file_that_is_named_is_read_instead(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "here" / "automix.toml").write_text('[all]\nlibrary = "here"\n')
    (folder / "mine.toml").write_text('[all]\nlibrary = "mine"\n')
    monkeypatch.setenv("AUTOMIX_CONFIG", str(folder / "mine.toml"))
    assert library_used() == "mine"
    monkeypatch.setenv("AUTOMIX_CONFIG", str(folder / "none.toml"))
    assert "none.toml can't be read" in run("library", "list").stderr


def test_values_of_every_kind_arrive_as_flags_would(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "here" / "automix.toml").write_text(
        '[transfer]\nlufs = -14\nonly = ["eq", "level"]\nstem-amount = "vocals=.5"\ngate = false\n'
    )
    seen: dict[str, object] = {}
    monkeypatch.setattr(
        "styletransfer.transfer", lambda *_, **asked: seen.update(asked) or 1 / 0, raising=False
    )
    songs = folder / "song.wav"
    songs.write_bytes(b"")
    monkeypatch.setattr("styletransfer.cli.transfer.check_outputs", lambda *_: None)
    monkeypatch.setattr("styletransfer.files.inspect", lambda path: type("Info", (), {"rate": 44100}))
    monkeypatch.setenv("AUTOMIX_TRANSFER_STEM_AMOUNT", "drums=.1 'bass=.2'")
    run("transfer", str(songs), str(songs), "--lufs", "off", "-o", str(folder / "out.wav"))
    assert seen["lufs"] == "off"
    assert seen["only"] == ["eq", "level"]
    assert seen["stem_amounts"] == {"drums": 0.1, "bass": 0.2}
    assert seen["gate"] is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "x is unknown"),
        ("x =", "is no TOML"),
        ("[transfr]", "did you mean transfer?"),
        ("[transfer]\nlfus = 1", "did you mean lufs?"),
        ("[library]\nk = 1", "library.k is unknown; there are"),
        ("[library]\nsearch = 3", "should be a table"),
        ("[all]\noutput = 'x'", "all.output is unknown"),
        ("[transfer]\namount = 2", "transfer --amount"),
        ("[transfer]\namount = 'much'", "transfer --amount"),
        ("[transfer]\ngate = 'no'", "transfer.gate should be true or false"),
        ("[transfer]\nlufs = true", "transfer.lufs should be a text"),
        ("[transfer]\noverwrite = true", "in your own configuration folder only"),
        ("[all]\nrepo = '.'", "in your own configuration folder only"),
    ],
)
def test_what_cannot_be_understood_is_one_sentence(folder: Path, text: str, words: str) -> None:
    (folder / "here" / "automix.toml").write_text(text)
    done = run("cache", "list")
    assert done.exit_code == 2
    assert words in done.stderr
    assert "automix.toml" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert run("cache", "list", "--help").exit_code == 0


def test_a_wrong_variable_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMIX_TRANSFER_AMOUNT", "2")
    done = run("cache", "list")
    assert done.exit_code == 2
    assert done.stderr.startswith("automix: AUTOMIX_TRANSFER_AMOUNT: '2' ")


def test_your_own_file_may_decide_all(folder: Path) -> None:
    (folder / "own" / "automix.toml").write_text("[transfer]\noverwrite = true\n[all]\nrepo = '~/weights'\n")
    done = run("config", "transfer")
    assert "--overwrite = True" in done.stdout
    assert f"--repo = {Path.home() / 'weights'}" in done.stdout


def test_config_says_what_is_in_force_and_where_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "here" / "automix.toml").write_text("[all]\nthreads = 3\n[transfer]\namount = 0.5\n")
    monkeypatch.setenv("AUTOMIX_SEPARATOR", "builtin")
    monkeypatch.setenv("AUTOMIX_TRANSFER_TREADS", "1")
    lines = run("config").stdout.splitlines()
    assert lines[0] == "automix.toml: read"
    assert lines[1].endswith("not there")
    assert "all --threads = 3  (automix.toml)" in lines
    assert "transfer --amount = 0.5  (automix.toml)" in lines
    assert "all --separator = builtin  (AUTOMIX_SEPARATOR)" in lines
    assert "AUTOMIX_TRANSFER_TREADS: sets nothing; no option has that name" in lines
    lines = run("config", "transfer").stdout.splitlines()
    assert "--amount = 0.5  (automix.toml)" in lines
    assert "--report-audio = excerpt  (default)" in lines
    assert run("config", "transmogrify").exit_code == 2
