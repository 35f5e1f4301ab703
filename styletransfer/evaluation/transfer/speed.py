"""How long does a transfer take, and how much memory? Beside Matchering, in turn, in the same run.

Absolute figures from a shared machine are never compared across runs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

import styletransfer
from styletransfer.audio import Audio
from styletransfer.errors import AutomixError
from styletransfer.evaluation.matchering import Matchering
from styletransfer.evaluation.sound import write_excerpt
from styletransfer.stem_cache import StemCache

RUNS = 5
SONG_S, LONG_S = 180, 600

_MEASURED = """
import json, resource, sys
from pathlib import Path
from time import perf_counter
import torch
torch.set_num_threads(2)
import styletransfer
from styletransfer.stem_cache import StemCache
folder = Path(sys.argv[1])
begun = perf_counter()
result = styletransfer.transfer(folder / "input.wav", folder / "reference.wav", separator="builtin",
                                cache=StemCache(folder / "stems"), **json.loads(sys.argv[2]))
result.mix.write(folder / "output.wav")
seconds = perf_counter() - begun
seconds -= sum(s for stage, s in result.document.timings_s.items() if "separating" in stage)
try:  # the peak since this program began; getrusage's would count its parent's
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"peak_bytes": peak, "rest_s": seconds}))
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of work per second of input, the reference equally long; medians, on 2 threads.

    duration_s  of the input.
    separation  of both sides with `builtin`.
    rest        everything else: reading, measuring, matching, rendering, checking, writing.
    first       the rest in a process of its own, where every model has yet to be loaded.
    matchering  all of Matchering's work, reading and writing included; None where it isn't here.
    """

    duration_s: float
    separation: float
    rest: float
    first: float
    matchering: float | None
    stages: dict[str, float]

    def figures(self) -> dict[str, object]:
        return asdict(self)


def speed(
    source: Audio,
    reference: Audio,
    program: Matchering | None,
    tell: Callable[[str], None],
    options: Mapping[str, Any] | None = None,
) -> Speed:
    """Time both programs in turn on one pair, RUNS times each; sounds as files, nothing cached.

    options  what `styletransfer.transfer` is asked for, as JSON can say it.
    """
    shared = min(source.duration_s, reference.duration_s)
    source, reference = source.excerpt(0, shared), reference.excerpt(0, shared)
    ours: list[tuple[float, dict[str, float]]] = []
    first: list[float] = []
    theirs: list[float] = []
    for run in range(RUNS):
        tell(f"speed on {shared:.0f} s, run {run + 1} of {RUNS}")
        ours.append(_timed(source, reference, options or {}))
        first.append(_alone(source, reference, options or {})["rest_s"])
        if program is not None:
            theirs.append(program.seconds(source, reference))
    separation = [sum(t for stage, t in stages.items() if "separating" in stage) for _, stages in ours]
    rest = [total - part for (total, _), part in zip(ours, separation, strict=True)]
    return Speed(
        duration_s=shared,
        separation=statistics.median(separation) / shared,
        rest=statistics.median(rest) / shared,
        first=statistics.median(first) / shared,
        matchering=statistics.median(theirs) / shared if theirs else None,
        stages={
            stage: statistics.median(stages.get(stage, 0.0) for _, stages in ours) / shared
            for stage in ours[0][1]
        },
    )


def peak_bytes(sources: list[Audio], reference: Audio, options: Mapping[str, Any] | None = None) -> int:
    """Peak resident memory of a process that transfers 10 minutes of stereo: these sounds in a row."""
    return int(_alone(in_a_row(sources, LONG_S), reference, options or {})["peak_bytes"])


def in_a_row(sounds: list[Audio], duration_s: int) -> Audio:
    """Sounds one after the other, again and again, for so many seconds: (2, time) at the first one's rate."""
    rate = sounds[0].rate
    pieces = [sound.with_channels(2).at_rate(rate).samples for sound in sounds]
    repeats = -(-duration_s * rate // sum(piece.shape[-1] for piece in pieces))
    return Audio(torch.cat(pieces * repeats, -1)[:, : duration_s * rate], rate)


def _alone(source: Audio, reference: Audio, options: Mapping[str, Any]) -> dict[str, float]:
    """A transfer in a process of its own: its peak in bytes, and its seconds but for separation."""
    with tempfile.TemporaryDirectory(prefix="automix-speed-") as folder:
        write_excerpt(Path(folder, "input.wav"), source)
        write_excerpt(Path(folder, "reference.wav"), reference)
        command = [sys.executable, "-c", _MEASURED, folder, json.dumps(dict(options))]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip() or "no message").splitlines()[-1]
        raise AutomixError(f"a transfer of {source.duration_s:.0f} s in a process of its own failed: {why}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _timed(source: Audio, reference: Audio, options: Mapping[str, Any]) -> tuple[float, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="automix-speed-") as folder:
        paths = [Path(folder, name) for name in ("input.wav", "reference.wav", "output.wav")]
        write_excerpt(paths[0], source)
        write_excerpt(paths[1], reference)
        start = perf_counter()
        result = styletransfer.transfer(
            paths[0], paths[1], separator="builtin", cache=StemCache(Path(folder, "stems")), **options
        )
        result.mix.write(paths[2])
        return perf_counter() - start, result.document.timings_s
