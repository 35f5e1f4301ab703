"""`automix serve`: says where the page is, ends with Ctrl-C and leaves nothing; explains what it lacks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from styletransfer.cli import app
from styletransfer.web.server import listening


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_it_serves_until_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from styletransfer.cli import main; main()", "serve", "--port", "0"]
    environment = os.environ | {"AUTOMIX_TMP": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as serving:
        assert serving.stdout is not None
        address = serving.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address) as answer:
            assert b"<title>automix</title>" in answer.read()
        assert list(tmp_path.iterdir())
        serving.send_signal(signal.SIGINT)
        out, err = serving.communicate(timeout=60)
    assert serving.returncode == 0, err
    assert out == ""
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_told() -> None:
    with closing(listening(0)) as other:
        port = other.getsockname()[1]
        assert other.getsockname()[0] == "127.0.0.1"
        found = CliRunner().invoke(app, ["serve", "--port", str(port)])
    assert found.exit_code == 2
    assert f"port {port} can't be had" in found.stderr


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_so(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("styletransfer.web")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    found = CliRunner().invoke(app, ["serve"])
    assert found.exit_code == 2
    assert "automix[web]" in found.stderr
    assert "Traceback" not in found.stderr
