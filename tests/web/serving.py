"""A page's server on a thread of the tests, and a plain client that says what a browser would."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import soundfile

from styletransfer.web import Limits, Means
from styletransfer.web.server import listening, server_of


@contextmanager
def server(limits: Limits | None = None, means: Means | None = None) -> Iterator[int]:
    """The port of a server that runs meanwhile."""
    ready = threading.Event()
    with closing(listening(0)) as listener:
        chosen = means or Means("builtin")
        running = server_of(listener, limits or Limits(), chosen, lambda address: ready.set())
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert ready.wait(60)
            yield int(listener.getsockname()[1])
        finally:
            running.should_exit = True
            thread.join(60)


@dataclass(frozen=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.told["error"])


class Page:
    """What a browser's page does: it has a token, and asks under it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = self.ask("POST", "/work").told["token"]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A request from this page. `headers` with _ for -, "" leaves one out; a dict travels as JSON."""
        own = {"Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}"}
        if isinstance(body, dict):
            own["Content-Type"], body = "application/json", json.dumps(body)
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request(method, path, body, {name: v for name, v in own.items() if v})
            found = connection.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())

    def work(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """The same, in the page's own workspace."""
        return self.ask(method, f"/work/{self.token}{path}", body, **headers)

    def drop(self, role: str, path: Path, name: str | None = None) -> Answer:
        """Upload a file."""
        address = f"/sounds?{urlencode({'role': role, 'name': name or path.name})}"
        return self.work("POST", address, path.read_bytes())

    def wait(self, seconds: float = 300.0) -> dict[str, Any]:
        """The page's state once nothing is under way."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state: dict[str, Any] = self.work("GET", "").told
            if state["job"] is None or state["job"]["state"] not in ("waiting", "running"):
                return state
            time.sleep(0.1)
        raise AssertionError("the work didn't end")


def excerpt(source: Path, target: Path, start_s: float, length_s: float) -> Path:
    """A passage of a sound as a WAV."""
    rate = soundfile.info(source).samplerate
    samples, _ = soundfile.read(source, start=round(start_s * rate), frames=round(length_s * rate))
    soundfile.write(target, samples, rate, subtype="PCM_24")
    return target


def noise(path: Path, seconds: float = 1.0) -> Path:
    """A little noise as a WAV."""
    generator = np.random.default_rng(0)
    soundfile.write(path, 0.1 * generator.standard_normal((round(8000 * seconds), 1)), 8000)
    return path
