"""Every sound in a folder as an embedding, for a picture: what lies together is mixed alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from styletransfer import encoders, files
from styletransfer.corpus.folder import RATE
from styletransfer.corpus.passages import active_share
from styletransfer.errors import AudioError, UsageError
from styletransfer.separation.stem_files import SUFFIXES, stems_in

from .excerpts import EXCERPT_S
from .intervals import Floats

COLOURS = ("folder", "stem")
_MOST_EXCERPTS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """The sounds found, each with its embedding (n, D), and what a picture may be coloured by."""

    paths: list[Path]
    vectors: Floats
    folders: list[str]
    stems: list[str]

    def labels(self, colour: str) -> list[str]:
        """The folder or the stem of each sound. UsageError for anything else."""
        if colour not in COLOURS:
            raise UsageError(f"a picture is coloured by {' or '.join(COLOURS)}, not by {colour!r}")
        return self.folders if colour == "folder" else self.stems


def embed_folder(
    folder: Path,
    encoder: str | Path = encoders.SHIPPED,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda fraction: None,
) -> Sounds:
    """Embed every sound in a folder and below it; a file's name says which stem it is, else it is a mix.

    AudioError where there are fewer than three; CheckpointError without the encoder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name one that holds sounds")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if len(paths) < 3:
        raise AudioError(f"{folder} holds {len(paths)} sounds, and a picture needs at least 3; add some")
    loaded = encoders.load(encoder, device)
    vectors, folders, stems = [], [], []
    for number, path in enumerate(paths):
        progress(number / len(paths))
        named = stems_in(path.stem.lower())
        stem = next(iter(named)) if len(named) == 1 else "mix"
        with torch.inference_mode():
            heard = loaded.network.embed(_excerpts(path).to(device), stem).mean(0)
        vectors.append(heard.cpu().double().numpy())
        folders.append(path.relative_to(folder).parts[0] if path.parent != folder else folder.resolve().name)
        stems.append(stem)
    progress(1.0)
    return Sounds(paths, np.stack(vectors), folders, stems)


def _excerpts(path: Path) -> Tensor:
    """Up to six active excerpts (n, 2, time) of at most 10 s, spread over a file."""
    audio = files.read(path)
    files.check_usable(audio, path)
    length_s = min(EXCERPT_S, audio.duration_s)
    starts_s = np.linspace(0, audio.duration_s - length_s, max(1, round(audio.duration_s / length_s)))
    cuts: list[Tensor] = []
    for start_s in np.random.default_rng(0).permutation(starts_s):
        cut = audio.excerpt(start_s, start_s + length_s).with_channels(2).at_rate(RATE).samples
        if active_share(cut) > 0 or not cuts:
            cuts.append(cut)
        if len(cuts) == _MOST_EXCERPTS:
            break
    shortest = min(cut.shape[1] for cut in cuts)
    return torch.stack([cut[:, :shortest] for cut in cuts])
