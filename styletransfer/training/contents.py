"""What is played through the chains: excerpts from a corpus's songs, all equally loud and alive."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from styletransfer.audio import STEMS
from styletransfer.chains.loudness import k_weighted_energy
from styletransfer.corpus.folder import RATE, Corpus, CorpusSong
from styletransfer.errors import AudioError

LOUDNESS_LUFS = -23.0
"""How loud every excerpt is before its chain, over its active passages."""

_BLOCK_S = 0.1
_ACTIVE_DB = 40.0
_LEAST_ACTIVE = 0.6
_LEAST_STEM_S = 5.0
_TRIES = 6


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Where an excerpt comes from."""

    piece: str
    song: str
    start_s: float


class Contents:
    """Excerpts of one split, drawn piece by piece, so that a piece with many renderings counts once.

    pools    which of the corpus's pools serve: "songs", "wet".
    AudioError where no stem has two pieces.
    """

    def __init__(
        self, corpus: Corpus, split: str, duration_s: float, pools: Sequence[str] = ("songs",)
    ) -> None:
        self.duration_s = duration_s
        self._pieces: dict[str, dict[str, list[CorpusSong]]] = {}
        songs = [song for pool in pools for song in corpus.songs(split, pool)]
        for stem in (*STEMS, "mix"):
            pieces: dict[str, list[CorpusSong]] = defaultdict(list)
            for song in songs:
                if song.duration_s >= duration_s and _alive(song, stem):
                    pieces[song.piece].append(song)
            if len(pieces) >= 2:
                self._pieces[stem] = {piece: pieces[piece] for piece in sorted(pieces)}
        if not self._pieces:
            raise AudioError(f"the corpus {corpus.path} has no two pieces for {split}; build more of it")

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems, and `mix`, that there are at least two pieces with."""
        return tuple(self._pieces)

    def pieces(self, stem: str) -> list[str]:
        """The pieces that have this stem."""
        return list(self._pieces[stem])

    def draw(
        self, generator: Generator, stem: str, groups: int, each: int
    ) -> tuple[Tensor, list[list[Excerpt]]]:
        """Excerpts (groups, each, 2, time) at LOUDNESS_LUFS; those of a group are of different pieces."""
        names = self.pieces(stem)
        frames = round(self.duration_s * RATE)
        samples = torch.zeros(groups, each, 2, frames)
        places: list[list[Excerpt]] = []
        for group in range(groups):
            chosen = torch.randperm(len(names), generator=generator)[:each].tolist()
            found = [self._excerpt(generator, stem, names[index]) for index in chosen]
            samples[group] = torch.stack([sound for sound, _ in found])
            places.append([place for _, place in found])
        return samples, places

    def _excerpt(self, generator: Generator, stem: str, piece: str) -> tuple[Tensor, Excerpt]:
        songs = self._pieces[stem][piece]
        best, best_share, best_place = torch.zeros(2, 0), -1.0, Excerpt(piece, "", 0.0)
        for _ in range(_TRIES):
            song = songs[_choose(generator, len(songs))]
            start_s = float(torch.rand((), generator=generator)) * (song.duration_s - self.duration_s)
            sound = song.read(stem, start_s, self.duration_s)
            share = float(active_blocks(sound).float().mean())
            if share > best_share:
                best, best_share, best_place = sound, share, Excerpt(piece, song.id, start_s)
            if share >= _LEAST_ACTIVE:
                break
        frames = round(self.duration_s * RATE)
        whole = torch.nn.functional.pad(best, (0, frames - best.shape[1]))[:, :frames]
        return levelled(whole), best_place


@functools.lru_cache(maxsize=8)
def contents_of(corpus: Path, split: str, duration_s: float, pool: str) -> Contents:
    """The contents of a corpus folder, read once per process."""
    return Contents(Corpus(corpus), split, duration_s, (pool,))


def levelled(samples: Tensor, loudness_lufs: float = LOUDNESS_LUFS) -> Tensor:
    """An excerpt (2, time) brought to a K-weighted loudness over its active 100 ms blocks; silence stays."""
    active = active_blocks(samples)
    if not active.any():
        return samples
    size = samples.shape[1] // len(active)
    kept: Tensor = samples[:, : len(active) * size].unflatten(1, (len(active), size))[:, active].flatten(1)
    energy = k_weighted_energy(kept[None], RATE)[0]
    wanted = energy.new_tensor(10 ** ((loudness_lufs + 0.691) / 10))
    brought: Tensor = samples * torch.sqrt(wanted / energy.clamp(min=1e-12))
    return brought


def active_blocks(samples: Tensor) -> Tensor:
    """Which 100 ms blocks (blocks,) of (2, time) lie within 40 dB of the loudest and above −70 dBFS."""
    size = min(samples.shape[1], round(_BLOCK_S * RATE))
    blocks = samples[:, : samples.shape[1] // size * size].unflatten(1, (-1, size))
    energy = blocks.square().mean((0, 2))
    return torch.logical_and(energy >= energy.max() * 10 ** (-_ACTIVE_DB / 10), energy > 1e-7)


def _alive(song: CorpusSong, stem: str) -> bool:
    if stem == "mix":
        return len(song.stems) >= 2
    return stem in song.stems and song.stats[stem].get("active_s", song.duration_s) >= _LEAST_STEM_S


def _choose(generator: Generator, count: int) -> int:
    return int(torch.randint(count, (), generator=generator))
