"""What does Matchering 2.0, the tool that people pick today, make of the same pair?

Matchering is GPL-3: it is run as a separate program in an environment of its own, with sounds going
in and out as files, and never imported. Its results are kept by the content of what it was given,
since it answers the same to the same; its times are always measured anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from styletransfer.audio import Audio
from styletransfer.errors import AutomixError
from styletransfer.evaluation.sound import read_excerpt, write_excerpt

VERSION = "2.0.6"

_DRIVER = """
import json, sys, time
import matchering
target, reference, result = sys.argv[1:]
start = time.perf_counter()
matchering.process(target=target, reference=reference, results=[matchering.pcm24(result)])
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


class MatcheringError(AutomixError):
    """Matchering can't be installed, or refused a pair."""


@dataclass(frozen=True, slots=True)
class Matchering:
    """Matchering in the environment under `folder`, results kept beside it.

    It works at 44.1 kHz: an input at another rate comes back at that one. Its level matching looks at
    pieces of at most 15 s; it refuses sounds shorter than about 1 s, and equal ones.
    """

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "matchering-env" / ("Scripts" if os.name == "nt" else "bin") / "python"

    def install(self) -> None:
        """Make its environment where there is none yet; needs the package index."""
        marker = self.folder / "matchering-env" / f"matchering-{VERSION}"
        if marker.is_file():
            return
        _checked([sys.executable, "-m", "venv", str(marker.parent)], "could not make an environment for it")
        pip = [str(self.python), "-m", "pip", "install", "-q", f"matchering=={VERSION}"]
        _checked(pip, "could not install it")
        marker.touch()

    def transfer(self, source: Audio, reference: Audio) -> Audio:
        """Its answer to a pair, from the kept results where it answered before."""
        digest = hashlib.sha256(VERSION.encode())
        for sound in (source, reference):
            digest.update(f"{sound.rate} {sound.channels} {sound.frames}".encode())
            digest.update(sound.samples.contiguous().numpy().tobytes())
        kept = self.folder / "matchering-results" / f"{digest.hexdigest()[:32]}.wav"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="matchering-", dir=kept.parent) as work:
                made, _ = self._run(source, reference, Path(work))
                made.replace(kept)
        return read_excerpt(kept)

    def seconds(self, source: Audio, reference: Audio) -> float:
        """Time of one transfer, without the program's start; never from the kept results."""
        with tempfile.TemporaryDirectory(prefix="matchering-") as work:
            return self._run(source, reference, Path(work))[1]

    def _run(self, source: Audio, reference: Audio, work: Path) -> tuple[Path, float]:
        target_path, reference_path, result = work / "target.wav", work / "reference.wav", work / "result.wav"
        write_excerpt(target_path, source)
        write_excerpt(reference_path, reference)
        paths = [str(path) for path in (target_path, reference_path, result)]
        printed = _checked([str(self.python), "-c", _DRIVER, *paths], "failed on a pair")
        return result, float(json.loads(printed.splitlines()[-1])["seconds"])


def _checked(command: list[str], failure: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise MatcheringError(f"Matchering {failure}: {error}") from error
    if done.returncode:
        why = (done.stderr.strip() or "no message").splitlines()[-1]
        raise MatcheringError(f"Matchering {failure}: {why}")
    return done.stdout
