"""One job at a time, the others in order; stopping; pages that end, and what they leave: nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from styletransfer.errors import AudioError, UsageError
from styletransfer.sources import Progress
from styletransfer.web import Limits, Means, folders
from styletransfer.web.line import Job, Line
from styletransfer.web.pages import Pages


def nothing(progress: Progress) -> None:
    progress("thinking", 1.0)


class Gate:
    """Work that goes on until it is let go, telling its progress all along."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, progress: Progress) -> None:
        self.begun.set()
        while not self.open.wait(0.01):
            progress("holding", 0.5)


def ended(job: Job) -> Job:
    for _ in range(1000):
        if not job.pending:
            return job
        time.sleep(0.01)
    raise AssertionError("the job didn't end")


def test_jobs_run_one_by_one_in_order() -> None:
    line, gate, order = Line(room=5), Gate(), []
    first = Job("first", gate)
    others = [Job(str(i), lambda progress, i=i: order.append(i)) for i in range(3)]  # type: ignore[misc]
    for job in (first, *others):
        line.join(job)
    assert gate.begun.wait(10)
    assert [line.position(job) for job in (first, *others)] == [0, 1, 2, 3]
    assert [job.state for job in (first, *others)] == ["running", "waiting", "waiting", "waiting"]
    line.stop(others[1])
    assert others[1].state == "stopped"
    assert line.position(others[2]) == 2
    gate.open.set()
    assert ended(others[2]).state == "done"
    assert order == [0, 2]
    line.close()


def test_a_full_line_refuses() -> None:
    line, gate = Line(room=1), Gate()
    line.join(Job("first", gate))
    assert gate.begun.wait(10)
    line.join(Job("second", nothing))
    with pytest.raises(UsageError, match="waiting"):
        line.join(Job("third", nothing))
    line.close()


def test_a_running_job_is_stopped_at_its_next_sign_of_progress() -> None:
    line, gate = Line(room=1), Gate()
    job = Job("held", gate)
    line.join(job)
    assert gate.begun.wait(10)
    line.stop(job)
    assert ended(job).state == "stopped"
    assert job.error is None
    after = Job("after", nothing)
    line.join(after)
    assert ended(after).state == "done"
    line.close()


def test_failures_become_sentences(caplog: pytest.LogCaptureFixture) -> None:
    def raising(error: Exception) -> Job:
        def work(progress: Progress) -> None:
            raise error

        job = Job("failing", work)
        job.run()
        assert job.state == "failed"
        return job

    assert raising(AudioError("it is silent")).error == "it is silent"
    assert "out of memory" in (raising(MemoryError()).error or "")
    told = raising(KeyError("/secret/path")).error or ""
    assert "KeyError" in told
    assert "secret" not in told
    assert "secret" in caplog.text  # it is in the terminal


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    monkeypatch.setenv("AUTOMIX_TMP", str(tmp_path))
    return Pages(Limits(pages=2, kept_s=3600, left_s=60), Means("builtin"))


def test_pages_end_and_leave_nothing(pages: Pages, tmp_path: Path) -> None:
    first, second = pages.begin(), pages.begin()
    assert first.token != second.token
    assert len(first.token) >= 32
    with pytest.raises(UsageError, match="open"):
        pages.begin()
    (first.folder / "sound").write_bytes(b"x")
    assert first.folder.stat().st_mode & 0o077 == 0
    pages.end(first)
    assert not first.folder.exists()
    assert pages.find(first.token) is None
    assert pages.find(second.token) is second
    pages.close()
    assert list(tmp_path.iterdir()) == []


def test_pages_that_were_left_or_forgotten_are_swept(pages: Pages) -> None:
    left, forgotten = pages.begin(), pages.begin()
    pages.sweep()
    left.left = True
    left.touched_s -= 59
    forgotten.touched_s -= 3599
    pages.sweep()
    assert left.folder.exists()
    assert pages.find(left.token) is left  # reloaded: it stays
    left.touched_s -= 61
    pages.sweep()
    assert left.folder.exists()
    left.left = True
    forgotten.touched_s -= 2
    pages.sweep()
    assert not left.folder.exists()
    assert not forgotten.folder.exists()
    pages.close()


def test_a_page_at_work_is_not_forgotten_but_ends_when_it_is_left(pages: Pages) -> None:
    page, gate = pages.begin(), Gate()
    page.job = Job("held", gate)
    page._line.join(page.job)
    assert gate.begun.wait(10)
    page.touched_s -= 4000
    pages.sweep()
    assert page.folder.exists()
    page.left = True
    pages.sweep()
    assert not page.folder.exists()
    assert ended(page.job).state == "stopped"
    pages.close()


def test_what_a_killed_server_left_goes_with_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOMIX_TMP", str(tmp_path))
    code = (
        "import runpy, sys; f = runpy.run_path(sys.argv[1])['Folder'](); print(f.path, flush=True); input()"
    )
    command = [sys.executable, "-c", code, folders.__file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as other:
        assert other.stdout is not None
        path = Path(other.stdout.readline().strip())
        (path / "sound").write_bytes(b"x")
        own = folders.Folder()
        assert path.exists()  # a server that lives keeps its folder
        other.kill()
    own.remove()
    assert path.exists()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (tmp_path / "automix-web-link").symlink_to(elsewhere)
    after = folders.Folder()
    assert not path.exists()
    assert elsewhere.exists()  # a link isn't followed
    after.remove()
