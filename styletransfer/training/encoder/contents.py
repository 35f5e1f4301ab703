"""What is played through the chains: excerpts from a corpus's songs, all equally loud and alive."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Generator, Tensor

from styletransfer.audio import STEMS
from styletransfer.corpus.folder import RATE, Corpus, CorpusSong
from styletransfer.corpus.passages import LEAST_ACTIVE, active_share, levelled
from styletransfer.errors import AudioError

from .variation import MOST_STRETCH, varied

_LEAST_STEM_S = 5.0
_TRIES = 6
_FULL_SCALE = 32768  # of a corpus's 16-bit files


class Contents:
    """Excerpts of one split, drawn piece by piece, so that a piece with many renderings counts once.

    pools    which of the corpus's pools serve: "songs", "wet".
    vary     whether each excerpt is made unlike itself (`variation`).
    keep     whether stems are decoded once and held in memory, 0.6 GB for an hour of one: a GPU outruns FLAC.
    AudioError where no stem has two pieces.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        duration_s: float,
        pools: Sequence[str] = ("songs",),
        *,
        vary: bool = False,
        keep: bool = False,
    ) -> None:
        self._frames, self._vary = round(duration_s * RATE), vary
        self._kept: dict[tuple[Path, str], Tensor] | None = {} if keep else None
        self._read_s = duration_s * (MOST_STRETCH if vary else 1.0)
        self._pieces: dict[str, dict[str, list[CorpusSong]]] = {}
        songs = [song for pool in pools for song in corpus.songs(split, pool)]
        for stem in (*STEMS, "mix"):
            pieces: dict[str, list[CorpusSong]] = defaultdict(list)
            for song in songs:
                if song.duration_s >= self._read_s and _alive(song, stem):
                    pieces[song.piece].append(song)
            if len(pieces) >= 2:
                self._pieces[stem] = {piece: pieces[piece] for piece in sorted(pieces)}
        if not self._pieces:
            raise AudioError(f"the corpus {corpus.path} has no two pieces for {split}; build more of it")

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems, and `mix`, that there are at least two pieces with."""
        return tuple(self._pieces)

    def with_pieces(self, least: int) -> tuple[str, ...]:
        """The stems, and `mix`, that there are at least so many pieces with."""
        return tuple(stem for stem, pieces in self._pieces.items() if len(pieces) >= least)

    def pieces(self, stem: str) -> list[str]:
        """The pieces that have this stem."""
        return list(self._pieces[stem])

    def draw(self, generator: Generator, stem: str, groups: int, each: int) -> Tensor:
        """Excerpts (groups, each, 2, time) at −23 LUFS; those of a group are of different pieces, of which
        there must be as many."""
        return torch.cat(self.draw_cropped(generator, stem, groups, [1.0] * each), 1)

    def draw_cropped(
        self, generator: Generator, stem: str, groups: int, shares: Sequence[float]
    ) -> list[Tensor]:
        """The same with excerpts of these shares of the full length: (groups, 1, 2, time) for each share."""
        names = self.pieces(stem)
        drawn = []
        for _ in range(groups):
            chosen = torch.randperm(len(names), generator=generator)[: len(shares)].tolist()
            drawn.append(
                [
                    self._excerpt(generator, self._pieces[stem][names[index]], (stem,), share)
                    for index, share in zip(chosen, shares, strict=True)
                ]
            )
        return [
            torch.stack([levelled(sounds[0])[0] for sounds in column])[:, None]
            for column in zip(*drawn, strict=True)
        ]

    def together(self, stems: Sequence[str]) -> dict[str, list[CorpusSong]]:
        """Piece → its songs in which all of these stems are alive."""
        found = {}
        for piece, songs in self._pieces.get(next(iter(stems), ""), {}).items():
            if full := [song for song in songs if all(_alive(song, stem) for stem in stems)]:
                found[piece] = full
        return found

    def draw_songs(self, generator: Generator, stems: Sequence[str], each: int) -> Tensor:
        """Passages (each, stems, 2, time) in which all of these stems play, as loud as in their songs, each
        of another piece, of which there must be as many."""
        pieces = list(self.together(stems).values())
        chosen = torch.randperm(len(pieces), generator=generator)[:each].tolist()
        return torch.stack([self._excerpt(generator, pieces[index], stems) for index in chosen])

    def _excerpt(
        self, generator: Generator, songs: Sequence[CorpusSong], stems: Sequence[str], share: float = 1.0
    ) -> Tensor:
        """The liveliest of some passages, (stems, 2, time): one where the rarest of the stems plays most."""
        frames, read_s = round(share * self._frames), share * self._read_s
        best, best_share = torch.zeros(len(stems), 2, 0), -1.0
        for _ in range(_TRIES):
            song = songs[_choose(generator, len(songs))]
            start_s = float(torch.rand((), generator=generator)) * (song.duration_s - read_s)
            sounds = torch.stack([self._read(song, stem, start_s, read_s) for stem in stems])
            alive = min(map(active_share, sounds))
            if alive > best_share:
                best, best_share = sounds, alive
            if alive >= LEAST_ACTIVE:
                break
        if self._vary:
            best = varied(generator, best, frames)
        return torch.nn.functional.pad(best, (0, frames - best.shape[-1]))[..., :frames]

    def _read(self, song: CorpusSong, stem: str, start_s: float, duration_s: float) -> Tensor:
        """As `CorpusSong.read`."""
        if self._kept is None:
            return song.read(stem, start_s, duration_s)
        if stem == "mix":
            return torch.stack([self._read(song, each, start_s, duration_s) for each in song.stems]).sum(0)
        whole = self._kept.get((song.path, stem))
        if whole is None:
            whole = (song.read(stem) * _FULL_SCALE).to(torch.int16)
            self._kept[song.path, stem] = whole
        first = round(start_s * RATE)
        return whole[:, first : first + round(duration_s * RATE)].float() / _FULL_SCALE


@functools.lru_cache(maxsize=8)
def contents_of(
    corpus: Path, split: str, duration_s: float, pool: str, vary: bool = False, keep: bool = False
) -> Contents:
    """The contents of a corpus folder, read once per process."""
    return Contents(Corpus(corpus), split, duration_s, (pool,), vary=vary, keep=keep)


def _alive(song: CorpusSong, stem: str) -> bool:
    if stem == "mix":
        return len(song.stems) >= 2
    return stem in song.stems and song.stats[stem].get("active_s", song.duration_s) >= _LEAST_STEM_S


def _choose(generator: Generator, count: int) -> int:
    return int(torch.randint(count, (), generator=generator))
