"""What a splitter learns from: excerpts of stems, true songs or remixed, as spectra made in workers."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import soxr
import torch
from torch import Generator, Tensor

from styletransfer.audio import STEMS
from styletransfer.corpus.folder import RATE, Corpus, CorpusSong
from styletransfer.errors import AudioError
from styletransfer.separation.splitters import FFT, HOP, LEVEL, SOURCES

from .mixing import balanced, errs, overdriven, processed
from .recipe import SeparatorRecipe

_TRIES = 4
_AUDIBLE_RMS = 2e-3
_MISSING = 0.06  # chance that a source is left out of an excerpt
_LEVEL_DB = 3.0
_FASTER = 0.12  # an excerpt is played faster or slower by at most this share


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to make one batch."""

    corpus: Path
    recipe: SeparatorRecipe
    seed: int


class Songs:
    """The songs of one split by stem and piece, so that a piece with many renderings counts once.

    AudioError where a source has none.
    """

    def __init__(self, corpus: Path, split: str) -> None:
        self.songs = [song for song in Corpus(corpus).songs(split) if set(song.stems) & set(SOURCES)]
        self._by_piece: dict[str, list[list[CorpusSong]]] = {}
        for stem in STEMS:
            pieces: dict[str, list[CorpusSong]] = {}
            for song in self.songs:
                if stem in song.stems:
                    pieces.setdefault(song.piece, []).append(song)
            self._by_piece[stem] = [pieces[name] for name in sorted(pieces)]
        missing = [stem for stem in SOURCES if not self._by_piece[stem]]
        if missing:
            raise AudioError(f"the corpus {corpus} has no {missing[0]} for {split}; build more of it")

    def draw(self, stem: str, generator: Generator) -> CorpusSong | None:
        """A song that has the stem; None where no song has it."""
        pieces = self._by_piece[stem]
        if not pieces:
            return None
        songs = pieces[_choose(generator, len(pieces))]
        return songs[_choose(generator, len(songs))]


@functools.lru_cache(maxsize=4)
def songs_of(corpus: Path, split: str) -> Songs:
    """The songs of a split, listed once per process."""
    return Songs(corpus, split)


def render(order: Order) -> tuple[Tensor, Tensor]:
    """A batch: accompaniments (batch, 2, bins, frames, 2) and sources (batch, 3, 2, bins, frames, 2).

    Real and imaginary parts of spectra as float16, so that they travel cheaply.
    """
    generator = Generator().manual_seed(order.seed)
    pairs = [excerpt(order, generator) for _ in range(order.recipe.batch)]
    heard, sources = (torch.stack([pair[i] for pair in pairs]) for i in range(2))
    return torch.view_as_real(heard).half(), torch.view_as_real(sources).half()


def excerpt(order: Order, generator: Generator) -> tuple[Tensor, Tensor]:
    """One example: the accompaniment as the splitter hears it, and its three sources, as complex spectra."""
    recipe, songs = order.recipe, songs_of(order.corpus, "train")
    chances = torch.tensor([recipe.remix_share, recipe.voice_share])
    remixed, voiced = (torch.rand(2, generator=generator) < chances).tolist()
    stems = (*SOURCES, "vocals") if voiced else SOURCES
    sounds = _remixed(songs, stems, recipe, generator) if remixed else _song(songs, stems, recipe, generator)
    spectra = torch.stack(
        [
            balanced(spectrum(_coloured(sounds[i], stem, recipe, generator), recipe.bins), generator)
            for i, stem in enumerate(stems)
        ]
    )
    kept = torch.rand(len(SOURCES), generator=generator) >= _MISSING
    if kept.any():
        spectra[: len(SOURCES)] *= kept[:, None, None, None]
    wanted = LEVEL * 10 ** (_LEVEL_DB * float(torch.randn((), generator=generator)) / 20)
    spectra = spectra * (wanted / max(level(spectra.sum(0)), 1e-6))
    sources = spectra[: len(SOURCES)]
    heard = sources.sum(0)
    return (errs(spectra[-1], heard, generator) if voiced else heard), sources


def spectrum(samples: Tensor, bins: int) -> Tensor:
    """The lowest bins (2, bins, frames) of the spectrum that splitters hear, of (2, time)."""
    window = torch.hann_window(FFT)
    whole = torch.stft(samples, FFT, HOP, window=window, pad_mode="constant", return_complex=True)
    return whole[:, :bins]


def level(spectrum: Tensor) -> float:
    """The RMS of the sound that a spectrum (2, bins, frames) shows, by Parseval."""
    energy = 2 * spectrum.abs().square().sum(1).mean() / (0.375 * FFT * FFT)  # Hann's mean square is .375
    return math.sqrt(float(energy))


def _remixed(songs: Songs, stems: tuple[str, ...], recipe: SeparatorRecipe, generator: Generator) -> Tensor:
    frames = (recipe.frames - 1) * HOP
    sounds = torch.zeros(len(stems), 2, frames)
    for i, stem in enumerate(stems):
        for _ in range(_TRIES):
            song = songs.draw(stem, generator)
            factor = _speed(generator)
            if song is None:
                break
            sounds[i] = _read(song, stem, float(torch.rand((), generator=generator)), frames, factor)
            if sounds[i].square().mean().sqrt() > _AUDIBLE_RMS:
                break
    return sounds


def _song(songs: Songs, stems: tuple[str, ...], recipe: SeparatorRecipe, generator: Generator) -> Tensor:
    frames = (recipe.frames - 1) * HOP
    song = songs.draw(SOURCES[_choose(generator, len(SOURCES))], generator)
    if song is None:
        raise AudioError("the corpus is empty; build it")
    sounds = torch.zeros(len(stems), 2, frames)
    for _ in range(_TRIES):
        place, factor = float(torch.rand((), generator=generator)), _speed(generator)
        sounds = torch.stack([_read(song, stem, place, frames, factor) for stem in stems])
        if sounds.sum(0).square().mean().sqrt() > _AUDIBLE_RMS:
            break
    return sounds


def _speed(generator: Generator) -> float:
    """Half of all excerpts as they are, the others faster or slower, pitch and all."""
    likely, share = torch.rand(2, generator=generator).tolist()
    return 1.0 if likely < 0.5 else 1 + _FASTER * (2 * share - 1)


def _read(song: CorpusSong, stem: str, place: float, frames: int, factor: float) -> Tensor:
    """Of one stem (2, frames), from a place between 0 and 1, played faster by a factor."""
    needed_s = (frames * factor + 64) / RATE
    sound = song.read(stem, max(0.0, place * (song.duration_s - needed_s)), needed_s)
    if factor != 1:
        faster = soxr.resample(sound.T.numpy(), round(RATE * factor), RATE, quality="MQ")
        sound = torch.from_numpy(faster.T.copy())
    whole = torch.zeros(2, frames)
    used = min(frames, sound.shape[1])
    whole[:, :used] = sound[:, :used]
    return whole


def _coloured(samples: Tensor, stem: str, recipe: SeparatorRecipe, generator: Generator) -> Tensor:
    chance = {"other": recipe.overdrive_share, "bass": recipe.overdrive_share / 3}.get(stem, 0.0)
    driven, affected = torch.rand(2, generator=generator).tolist()
    if driven < chance:
        samples = overdriven(samples, generator)
    if affected < recipe.effect_share:
        samples = processed(samples, stem, generator)
    return samples


def _choose(generator: Generator, count: int) -> int:
    return int(torch.randint(count, (), generator=generator))
