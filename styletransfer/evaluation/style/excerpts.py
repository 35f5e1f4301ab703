"""What is heard before any effect: active 10 s passages of held-out pieces, stems at −23 LUFS."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.corpus.folder import RATE, CorpusSong
from styletransfer.corpus.passages import LEAST_ACTIVE, LEAST_LUFS, active_share, levelled
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import AudioError

EXCERPT_S = 10.0

_GRID_S = 2.5  # passages start on it
_TRIES = 16
_BELOW_SONG_LU = 10.0  # a passage further below its stem's loudness is a break, not the stem


@dataclass(frozen=True, eq=False)
class Dry:
    """Passages of one stem (or "mix") before effects.

    samples  (pieces, takes, 2, time) float32 at 44.1 kHz, each at −23 LUFS.
    pieces   their names, as songs carry them; `songs` the one chosen per piece.
    starts_s, gains  (pieces, takes) where each take starts in its song, and the factor that was applied.
    """

    stem: str
    samples: Tensor
    pieces: tuple[str, ...]
    songs: tuple[CorpusSong, ...]
    starts_s: tuple[tuple[float, ...], ...]
    gains: Tensor

    @cached_property
    def key(self) -> str:
        """Names the sound and its balance: equal keys, equal samples and gains."""
        digest = hashlib.sha256(self.samples.contiguous().numpy().tobytes())
        digest.update(self.gains.contiguous().numpy().tobytes())
        return digest.hexdigest()[:24]

    def changed(self, change: Callable[[Tensor], Tensor]) -> Dry:
        """The same passages after `change` (2, time) → (2, time) of each, again at −23 LUFS."""
        flat = [levelled(change(cut))[0] for cut in self.samples.flatten(0, 1)]
        return replace(self, samples=torch.stack(flat).unflatten(0, self.samples.shape[:2]))


def gather(songs: Sequence[CorpusSong], stem: str, most: int, takes: int, seed: int) -> Dry:
    """Passages of up to `most` pieces that have this stem, `takes` of each, one song per piece.

    Pieces, songs and passages follow from the seed alone. AudioError where fewer than two pieces have it.
    """
    generator = np.random.default_rng([seed, *stem.encode()])
    by_piece: dict[str, list[CorpusSong]] = {}
    for song in songs:
        if stem == "mix" or stem in song.stems:
            by_piece.setdefault(song.piece, []).append(song)
    names: list[str] = []
    chosen, starts, samples, gains = [], [], [], []
    for piece in generator.permutation(sorted(by_piece)):
        for number in generator.permutation(len(by_piece[piece])):
            song = by_piece[piece][number]
            found = _takes(song, stem, takes, generator)
            if found:
                break
        else:
            continue
        names.append(str(piece))
        chosen.append(song)
        starts.append(tuple(take[0] for take in found))
        samples.append(torch.stack([take[1] for take in found]))
        gains.append(torch.tensor([take[2] for take in found]))
        if len(names) == most:
            break
    if len(names) < 2:
        raise AudioError(
            f"only {len(names)} of these pieces have an active passage of {stem}; build more of the corpus"
        )
    return Dry(stem, torch.stack(samples), tuple(names), tuple(chosen), tuple(starts), torch.stack(gains))


def stems_of(mixes: Dry) -> list[Dry]:
    """The four stems of the very passages that some mixes are; one that is silent there has the gain 1."""
    found = []
    for stem in STEMS:
        samples, gains = [], []
        for song, starts in zip(mixes.songs, mixes.starts_s, strict=True):
            cuts = [song.read(stem, start_s, EXCERPT_S) for start_s in starts]
            brought = [levelled(cut) for cut in cuts]
            samples.append(torch.stack([cut for cut, _ in brought]))
            gains.append(torch.tensor([gain for _, gain in brought]))
        found.append(replace(mixes, stem=stem, samples=torch.stack(samples), gains=torch.stack(gains)))
    return found


def _takes(
    song: CorpusSong, stem: str, takes: int, generator: np.random.Generator
) -> list[tuple[float, Tensor, float]]:
    """So many times start, samples and gain; none where no active passage was found."""
    usual_lufs = _loudness_of(song, stem)
    grid = np.arange(max(0, math.floor((song.duration_s - EXCERPT_S) / _GRID_S) + 1)) * _GRID_S
    found: list[tuple[float, Tensor, float]] = []
    for start_s in generator.permutation(grid)[:_TRIES].tolist():
        cut = song.read(stem, start_s, EXCERPT_S)
        if cut.shape[1] < round(EXCERPT_S * RATE) or active_share(cut) < LEAST_ACTIVE:
            continue
        lufs = integrated_lufs(cut, RATE)
        if lufs < max(usual_lufs - _BELOW_SONG_LU, LEAST_LUFS):
            continue
        level, gain = levelled(cut)
        found.append((start_s, level, gain))
        if len(found) == takes:
            break
    # a short song repeats what it has
    return [found[index % len(found)] for index in range(takes)] if found else []


def _loudness_of(song: CorpusSong, stem: str) -> float:
    names = song.stems if stem == "mix" else (stem,)
    power = sum(10 ** (float(song.stats[name].get("lufs", -100.0)) / 10) for name in names)
    return 10 * math.log10(max(power, 1e-10))
