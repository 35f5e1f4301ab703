"""Measure the averages of a corpus: one excerpt per piece and stem class, of training songs only."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer import __version__
from styletransfer.corpus.folder import RATE, Corpus, CorpusSong
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.encoder.measures import BAND_HZ, FLOOR_DB, Measures, measure
from styletransfer.errors import AudioError

from .averages import CLASSES, Averages, Provenance, StemAverages, StemClass
from .onsets import FEWEST, onset_hops, onset_peak_db
from .reverberation import decay_s
from .spectrogram import powers

EXCERPT_S = 20.0
PIECES = 160
"""How many pieces are measured, and how long an excerpt of each stem."""

_TRIES = 4
_LEAST_ACTIVE = 0.3
_FURTHEST_BALANCE_DB = 12.0  # a stem on one side only counts no further


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What was measured of one excerpt."""

    measures: Measures
    loudness_lufs: float
    onset_peak_db: float | None
    decay_s: float


def look(samples: Tensor, rate: int) -> Look | None:
    """Measure an excerpt (2, time); None if it is silent, or nearly all of the time."""
    loudness = integrated_lufs(samples, rate)
    measures = measure(samples, rate)
    if not math.isfinite(loudness) or measures.activity < _LEAST_ACTIVE:
        return None
    power = powers(samples, rate)
    hops = onset_hops(power)
    peak = onset_peak_db(samples, rate, hops) - loudness if len(hops) >= FEWEST else None
    return Look(measures, loudness, peak, decay_s(power, rate))


def measure_averages(
    corpus: Corpus,
    seed: int = 0,
    *,
    pieces: int = PIECES,
    excerpt_s: float = EXCERPT_S,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Averages:
    """The averages of a corpus's training songs.

    seed     draws the pieces, one rendering of each, and where excerpts begin.
    Stems that none of them has are left out. AudioError if the corpus has no training songs, or silent ones.
    """
    generator = torch.Generator().manual_seed(seed)
    training = corpus.songs("train")
    songs = _one_per_piece(training, pieces, generator)
    if not songs:
        raise AudioError(f"{corpus.path} has no training songs; build more of the corpus")
    looks: dict[StemClass, list[Look]] = {name: [] for name in CLASSES}
    for number, song in enumerate(songs):
        for name in CLASSES:
            seen = _look_into(song, name, excerpt_s, generator)
            if seen is not None:
                looks[name].append(seen)
        progress((number + 1) / len(songs))
    if not any(looks.values()):
        raise AudioError(f"the training songs of {corpus.path} are silent; build the corpus again")
    return Averages(
        corpus=Provenance(
            split="train",
            songs=len(training),
            hours=round(sum(song.duration_s for song in training) / 3600, 2),
            pieces=len(songs),
            excerpt_s=excerpt_s,
            seed=seed,
            date=datetime.date.today().isoformat(),
            automix=__version__,
        ),
        stems={name: average(found) for name, found in looks.items() if found},
    )


def average(looks: list[Look]) -> StemAverages:
    """The average of at least one look; spectra are averaged as magnitudes at equal loudness."""
    loudness = _mean([found.loudness_lufs for found in looks])
    mid, side = torch.zeros(len(BAND_HZ)).double(), torch.zeros(len(BAND_HZ)).double()
    for found in looks:
        mid += 10 ** ((found.measures.mid_db - found.measures.loudness_lufs) / 20) / len(looks)
        side += 10 ** ((found.measures.side_db - found.measures.loudness_lufs) / 20) / len(looks)
    shares = [1 / (1 + 10 ** (-found.measures.width_db / 10)) for found in looks]
    share = min(max(_mean(shares), 1e-6), 1 - 1e-6)
    peaks = [found.onset_peak_db for found in looks if found.onset_peak_db is not None]
    decays = [math.log(found.decay_s) for found in looks if found.decay_s > 0]
    limit = _FURTHEST_BALANCE_DB
    return StemAverages(
        songs=len(looks),
        loudness_lufs=round(loudness, 2),
        mid_db=_rounded(20 * torch.log10(mid.clamp(min=1e-9)) + loudness),
        side_db=_rounded(20 * torch.log10(side.clamp(min=1e-9)) + loudness),
        bandwidth_hz=round(float(torch.tensor([f.measures.bandwidth_hz for f in looks]).median()), 1),
        width_db=round(10 * math.log10(share / (1 - share)), 2),
        balance_db=round(_mean([min(max(f.measures.balance_db, -limit), limit) for f in looks]), 2),
        onset_peak_db=round(_mean(peaks), 2) if peaks else 0.0,
        decay_s=round(math.exp(_mean(decays)), 3) if decays else 0.0,
    )


def _one_per_piece(songs: list[CorpusSong], pieces: int, generator: torch.Generator) -> list[CorpusSong]:
    """At most so many songs, each of another piece, at random."""
    chosen: dict[str, CorpusSong] = {}
    for index in torch.randperm(len(songs), generator=generator).tolist():
        chosen.setdefault(songs[index].piece, songs[index])
    return list(chosen.values())[:pieces]


def _look_into(song: CorpusSong, stem: str, excerpt_s: float, generator: torch.Generator) -> Look | None:
    """A look at an excerpt where the stem plays; None if none was found in a few tries."""
    starts = torch.rand(_TRIES, generator=generator) * max(0.0, song.duration_s - excerpt_s)
    if stem != "mix" and stem not in song.stems:
        return None
    looks = (look(song.read(stem, start, excerpt_s), RATE) for start in starts.tolist())
    return next((found for found in looks if found is not None), None)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _rounded(level_db: Tensor) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in level_db.clamp(min=FLOOR_DB))
