"""One job at a time, the others in line: who is next, how far the running one is, and stopping any."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Literal

from styletransfer.errors import AutomixError, UsageError
from styletransfer.sources import Progress

State = Literal["waiting", "running", "done", "failed", "stopped"]

_LOG = logging.getLogger("automix.web")


class Stopped(AutomixError):
    """A job that somebody stopped."""


class Job:
    """Work that tells its progress. `stages` holds each stage that began, and the fraction that is done."""

    def __init__(self, what: str, work: Callable[[Progress], None]) -> None:
        self.what = what
        self.state: State = "waiting"
        self.stages: dict[str, float] = {}
        self.error: str | None = None
        self._work = work
        self._stopping = threading.Event()

    @property
    def pending(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")

    def stop(self) -> None:
        """Let it end at its next sign of progress, or never begin."""
        self._stopping.set()

    def run(self) -> None:
        """Do the work; whatever goes wrong becomes `error`, a sentence."""
        self.state = "running"
        try:
            self._told("", 0.0)
            self._work(self._told)
            self.state = "done"
        except Stopped:
            self.state = "stopped"
        except AutomixError as error:
            self.error, self.state = str(error), "failed"
        except Exception as error:
            _LOG.exception("a job failed")
            self.error, self.state = unforeseen(error), "failed"

    def _told(self, stage: str, fraction: float) -> None:
        if self._stopping.is_set():
            raise Stopped("stopped")
        if stage:
            self.stages[stage] = max(fraction, self.stages.get(stage, 0.0))


class Line:
    """Jobs in the order they came, on a thread of its own; at most `room` wait."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="automix-line", daemon=True)
        self._thread.start()

    def check_room(self) -> None:
        """UsageError where the line is as long as it may be."""
        if len(self._waiting) >= self._room:
            raise UsageError(f"{self._room} others are waiting already; try again later")

    def join(self, job: Job) -> None:
        """Stand in line. UsageError as `check_room`."""
        with self._changed:
            self.check_room()
            self._waiting.append(job)
            self._changed.notify()

    def position(self, job: Job) -> int:
        """How many come before it: 0 is running, or done."""
        with self._changed:
            ahead = int(self._running is not None)
            return self._waiting.index(job) + ahead if job in self._waiting else 0

    def stop(self, job: Job) -> None:
        """Take a job out of the line, or let it end soon."""
        job.stop()
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)
                job.state = "stopped"

    def close(self, patience_s: float = 5.0) -> None:
        """Stop everything, and wait a little for what is running."""
        with self._changed:
            self._closed = True
            for job in (*self._waiting, *([self._running] if self._running else [])):
                job.stop()
            self._changed.notify()
        self._thread.join(patience_s)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._running = None
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._running = self._waiting.popleft()
            job.run()


def unforeseen(error: Exception) -> str:
    """A sentence for what nobody thought of."""
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "out of memory; close other programs, or take a shorter song"
    return f"something unforeseen went wrong ({type(error).__name__}); the terminal says more"
