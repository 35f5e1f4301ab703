"""A corpus for tests: short songs of pulsing tones and noise, in all three splits; and training on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch
from pydantic import BaseModel
from torch import Generator, Tensor

from styletransfer.corpus.folder import RATE, write_song

_TONES_HZ = {"drums": 3.0, "bass": 80.0, "other": 440.0, "vocals": 600.0}


def small_corpus(
    folder: Path,
    *,
    pieces: tuple[int, int, int] = (3, 2, 2),
    duration_s: float = 5.0,
    stems: tuple[str, ...] = tuple(_TONES_HZ),
) -> Path:
    """So many pieces for training, validation and test."""
    generator = Generator().manual_seed(0)
    for split, count in zip(("train", "validation", "test"), pieces, strict=True):
        for index in range(count):
            sounds = {name: _stem(generator, _TONES_HZ[name], duration_s) for name in stems}
            name = f"{split}-{index}"
            meta = {"id": name, "title": name, "piece": name, "sources": [name], "packages": ["test"]}
            write_song(
                folder, sounds, {**meta, "licences": ["CC0"], "split": split, "seed": 0, "kind": "rendered"}
            )
    return folder


def _stem(generator: Generator, frequency_hz: float, duration_s: float) -> Tensor:
    frames = round(duration_s * RATE)
    time = torch.arange(frames) / RATE
    pitch = frequency_hz * (1 + 0.5 * float(torch.rand((), generator=generator)))
    steps = 0.2 + torch.rand(1, 8 * round(duration_s), generator=generator)
    envelope = steps.repeat_interleave(-(-frames // steps.shape[1]), 1)[:, :frames]
    sound = 0.1 * torch.sin(2 * torch.pi * pitch * time) + 0.03 * torch.randn(2, frames, generator=generator)
    return sound * envelope


def trained_by_two(network: str, corpus: Path, recipe: BaseModel, folder: Path) -> Path:
    """The weights that `automix train NETWORK` leaves, run in two processes."""
    told = folder / "tiny.toml"
    told.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in recipe.model_dump().items()))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["-m", "styletransfer.cli", "train", network, str(corpus), "--recipe", str(told)]
    done = subprocess.run(
        [*command, "-o", str(folder / "run")], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return next((folder / "run").glob("*-????????.safetensors"))
