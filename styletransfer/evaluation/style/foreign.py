"""Is a style found again when another program made it? Effects of sox, which no training has heard.

An encoder that knows only our console is a toy. sox (Debian package `sox`, GPL) is run as a program; its
effects stand in for the ten, in comparable ranges. After each but gain the excerpt is as loud as before.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import torch
from torch import Tensor

from styletransfer.chains.loudness import k_weighted_energy, matching_factor
from styletransfer.corpus.folder import RATE
from styletransfer.errors import AutomixError, ResourceError

from .bank import Renderer
from .excerpts import Dry
from .intervals import Ints

COUNTS = (4, 8)
"""Numbers of effects per chain."""

Steps = list[list[str]]
"""A chain: per effect the arguments of sox, one or more sox effects in a row."""

_TIME_LIMIT_S = 120


def chains(count: int, effects: int, seed: int) -> list[Steps]:
    """So many chains of exactly so many distinct effects, drawn by the seed."""
    return [chain for _, chain in _drawn(count, effects, seed)]


def present(count: int, effects: int, seed: int) -> np.ndarray:
    """(count, number of NAMES) bool: which effects `chains` of the same arguments hold."""
    held = np.zeros((count, len(NAMES)), dtype=bool)
    for style, (kept, _) in enumerate(_drawn(count, effects, seed)):
        held[style, kept] = True
    return held


def _drawn(count: int, effects: int, seed: int) -> Iterator[tuple[list[int], Steps]]:
    """Each chain, and the places of its effects among NAMES."""
    generator = np.random.default_rng([seed, effects])
    for _ in range(count):
        kept = sorted(generator.choice(len(NAMES), effects, replace=False).tolist())
        yield kept, [_EFFECTS[NAMES[place]](generator) for place in kept]


def through_sox(dry: Dry, styles: list[Steps]) -> Renderer:
    """Passages through sox, style i being the i-th chain. ResourceError where sox is not here."""
    version = sox_version()

    def render(jobs: Ints) -> Tensor:
        return torch.stack([apply(dry.samples[piece, take], styles[style]) for style, piece, take in jobs])

    plain = hashlib.sha256(json.dumps(styles).encode()).hexdigest()[:24]
    return Renderer(dry.stem, f"{version} {dry.key} {plain}", render)


def apply(samples: Tensor, steps: Steps) -> Tensor:
    """One excerpt (2, time) through a chain, each effect but gain brought back to its input's loudness."""
    wanted = k_weighted_energy(samples[None], RATE)
    for step in steps:
        done = _run(samples, step)
        energy = k_weighted_energy(done[None], RATE)
        if step[0] == "vol":
            wanted = energy
        samples = done * matching_factor(energy, wanted)
    return samples


@cache
def sox_version() -> str:
    """What sox calls itself. ResourceError where it is not installed."""
    if shutil.which("sox") is None:
        raise ResourceError(
            "foreign effects need the program sox, which is not here; install it (`apt-get install sox`), "
            "or leave them out with --no-foreign"
        )
    done = subprocess.run(["sox", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("sox:").strip()


def _run(samples: Tensor, step: list[str]) -> Tensor:
    # sox works on 32-bit integers and clips what exceeds 1; a threshold must meet the level it was drawn for
    room = 1.0 if step[0] in ("compand", "overdrive") else 16 * max(1.0, float(samples.abs().max()))
    sound = ["-t", "raw", "-e", "floating-point", "-b", "32", "-r", str(RATE), "-c", "2", "-"]
    done = subprocess.run(
        ["sox", "-D", "-V1", *sound, *sound, *step],
        input=(samples / room).T.contiguous().numpy().tobytes(),
        capture_output=True,
        timeout=_TIME_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise AutomixError(f"sox failed at `{' '.join(step)}`: {done.stderr.decode().strip()}")
    out = torch.from_numpy(np.frombuffer(done.stdout, dtype="<f4").copy()).reshape(-1, 2).T * room
    return torch.nn.functional.pad(out, (0, max(0, samples.shape[1] - out.shape[1])))[:, : samples.shape[1]]


def _log(generator: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


def _equalizer(generator: np.random.Generator) -> list[str]:
    steps = ["bass", _text(generator.uniform(-15, 15)), _text(_log(generator, 30, 200)), "0.7q"]
    for low_hz, high_hz in ((200, 1000), (1000, 3000), (3000, 8000)):
        steps += ["equalizer", _text(_log(generator, low_hz, high_hz)), f"{_text(_log(generator, 0.1, 2))}q"]
        steps.append(_text(generator.uniform(-15, 15)))
    return [*steps, "treble", _text(generator.uniform(-15, 15)), _text(_log(generator, 5000, 10000)), "0.7q"]


def _filter(generator: np.random.Generator) -> list[str]:
    """What sox has instead of an equalizer on mid or side: a band of the sound."""
    return ["highpass", _text(_log(generator, 40, 500)), "lowpass", _text(_log(generator, 2000, 16000))]


def _compressor(generator: np.random.Generator) -> list[str]:
    threshold_db = generator.uniform(-80, -5)
    top_db = threshold_db * (1 - 1 / _log(generator, 4, 40))
    times = f"{_text(_log(generator, 0.001, 0.02))},{_text(_log(generator, 0.05, 0.5))}"
    return ["compand", times, f"3:{_text(threshold_db)},{_text(threshold_db)},0,{_text(top_db)}"]


def _expander(generator: np.random.Generator) -> list[str]:
    threshold_db, ratio = generator.uniform(-40, -12), _log(generator, 2, 8)
    depth_db = generator.uniform(10, 50) / (ratio - 1)
    knees = (threshold_db - depth_db, threshold_db - depth_db * ratio, threshold_db, threshold_db, 0, 0)
    times = f"{_text(_log(generator, 0.001, 0.02))},{_text(_log(generator, 0.05, 0.5))}"
    return ["compand", times, ",".join(map(_text, knees))]


def _limiter(generator: np.random.Generator) -> list[str]:
    ceiling_db = _text(generator.uniform(-36, -14))
    times = f"0.0005,{_text(_log(generator, 0.02, 0.5))}"
    return ["compand", times, f"{ceiling_db},{ceiling_db},0,{ceiling_db}"]


def _overdrive(generator: np.random.Generator) -> list[str]:
    return ["overdrive", _text(generator.uniform(9, 36)), _text(generator.uniform(0, 40))]


def _pan(generator: np.random.Generator) -> list[str]:
    position = generator.uniform(0, 1)
    left = math.sqrt((1 - position) * math.cos(position * math.pi / 2))
    right = math.sqrt(position * math.sin(position * math.pi / 2))
    return ["remix", f"1v{_text(left)}", f"2v{_text(right)}"]


def _width(generator: np.random.Generator) -> list[str]:
    place = generator.uniform(0, 1.75)  # as our console's: 0 to 1 evenly, then 1 to 4 by its reciprocal
    width = place if place <= 1 else 1 / (2 - place)
    same, other = _text((1 + width) / 2), _text((1 - width) / 2)
    return ["remix", f"1v{same},2v{other}", f"1v{other},2v{same}"]


def _reverb(generator: np.random.Generator) -> list[str]:
    shares = [generator.uniform(20, 95), generator.uniform(0, 100), generator.uniform(20, 100)]
    wet_db = generator.uniform(-6, 3)
    return ["reverb", *map(_text, shares), "100", _text(generator.uniform(0, 60)), _text(wet_db)]


def _gain(generator: np.random.Generator) -> list[str]:
    return ["vol", f"{_text(generator.uniform(-6, 9))}dB"]


def _text(value: float) -> str:
    return f"{value:.5f}"


_EFFECTS: dict[str, Callable[[np.random.Generator], list[str]]] = {
    "eq": _equalizer,
    "filter": _filter,
    "compressor": _compressor,
    "expander": _expander,
    "pan": _pan,
    "width": _width,
    "saturation": _overdrive,
    "reverb": _reverb,
    "limiter": _limiter,
    "gain": _gain,
}
"""What draws each effect, in the order in which a chain takes them."""

NAMES = tuple(_EFFECTS)
"""Of sox's effects, as ours are called; `filter` is in the place of our `mid_side_eq`."""
