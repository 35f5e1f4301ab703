"""How long does it take to embed a song? A mix and its four stems, three minutes long."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from time import perf_counter

from styletransfer.audio import STEMS, Audio
from styletransfer.corpus.folder import RATE, CorpusSong
from styletransfer.encoders import LoadedEncoder
from styletransfer.sources import sum_of
from styletransfer.style import style_of

LENGTH_S = 180.0
_RUNS = 5


def embedding_s(songs: Sequence[CorpusSong], encoder: LoadedEncoder) -> float:
    """Seconds, the median of 5 runs after another, on the threads that torch has.

    The song with most stems is repeated until it is LENGTH_S long.
    """
    song = max(songs, key=lambda one: (len(one.stems), one.duration_s))
    frames = round(LENGTH_S * RATE)
    stems = {}
    for name in STEMS:
        samples = song.read(name, 0.0, song.duration_s)
        stems[name] = Audio(samples.repeat(1, -(-frames // samples.shape[1]))[:, :frames], RATE)
    mix = sum_of(stems)
    taken = []
    for _ in range(_RUNS + 1):
        begun = perf_counter()
        style_of(mix, stems, encoder)
        taken.append(perf_counter() - begun)
    return statistics.median(taken[1:])
