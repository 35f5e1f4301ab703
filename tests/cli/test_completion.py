"""What shells propose is what the program knows."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from styletransfer.cli import app, completion


def proposed(line: str) -> list[str]:
    """What a shell is told to propose for the last word of a line."""
    asked = {"_AUTOMIX_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    done = CliRunner().invoke(app, [], prog_name="automix", env=asked)
    return [part.split('"')[1] for part in done.stdout.partition("((")[2].splitlines()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("automix trans", ["transfer"]),
        ("automix library se", ["search"]),
        ("automix transfer a b --report-a", ["--report-audio"]),
        ("automix transfer a b --separator h", ["htdemucs", "htdemucs_ft"]),
        ("automix transfer a b --report-audio ", ["none", "excerpt", "full"]),
        ("automix transfer a b --daw rpp,s", ["rpp,stems"]),
        ("automix transfer a b --lock drums,bass,o", ["drums,bass,other"]),
        ("automix train separator c --recipe ", ["bands", "cpu", "cpu-again", "gpu", "unet"]),
        ("automix train converter c --recipe tcn", ["tcn", "tcn-gpu", "tcn-short"]),
    ],
)
def test_values_are_proposed(line: str, words: list[str]) -> None:
    assert sorted(proposed(line)) == sorted(words)


def test_proposals_are_what_the_library_takes() -> None:
    from styletransfer.audio import STEMS
    from styletransfer.converter.console import GROUPS
    from styletransfer.daw import check_kinds

    assert completion.STEM_NAMES == STEMS
    assert completion.groups("") == list(GROUPS)
    assert check_kinds(completion.sessions("")) == tuple(completion.sessions(""))


def test_completion_needs_no_torch() -> None:
    code = "import sys, styletransfer.cli, styletransfer.cli.completion as c; c.recipes('encoder')(''); "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_shown(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: (shell, f"/bin/{shell}"))
    done = CliRunner().invoke(app, ["--show-completion"], prog_name="automix")
    assert done.exit_code == 0
    assert "_AUTOMIX_COMPLETE=complete_" in done.stdout
