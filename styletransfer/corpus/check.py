"""Is a corpus what it says? Files, lengths, silence, clipping, leaks between splits; hours and licences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import soundfile
import torch

from styletransfer.audio import STEMS
from styletransfer.errors import AudioError
from styletransfer.threads import spread

from .folder import POOLS, RATE, SPLITS, Corpus, CorpusSong, active_s
from .split import leaks

_LEAST_ACTIVE_S = 1.0
_FULL_SCALE = 0.9999
_AT_A_TIME = 16


def faults(corpus: Corpus, progress: Callable[[float], None] = lambda share: None) -> list[str]:
    """Every fault of a corpus, in both pools, in a sentence; none where all is well. Reads every file."""
    songs = [song for pool in POOLS for song in corpus.songs(pool=pool)]
    found = [f"{leak} are not apart" for leak in leaks(songs)]
    found += [f"the split {split} has no songs" for split in SPLITS if split not in {s.split for s in songs}]
    found += [
        f"the split {split} has no {stem}"
        for split in sorted({song.split for song in songs} & {*SPLITS})
        for stem in STEMS
        if not any(stem in song.stems or stem in song.pending for song in songs if song.split == split)
    ]
    for start in range(0, len(songs), _AT_A_TIME):
        some = songs[start : start + _AT_A_TIME]
        for song, wrong in zip(some, spread(_song_faults, some), strict=True):
            found += [f"{song.id}: {fault}" for fault in wrong]
        progress((start + len(some)) / len(songs))
    return found


def _song_faults(song: CorpusSong) -> list[str]:
    found = []
    if song.split not in SPLITS:
        found.append(f"there is no split {song.split!r}")
    if not song.licences or not song.packages:
        found.append("it names no package or no licence")
    there = {path.stem for path in song.path.glob("*.flac")}
    if there != set(song.stems):
        found.append(f"it has the stems {sorted(there)}, and meta.json names {sorted(song.stems)}")
    mix = torch.zeros(2, round(song.duration_s * RATE))
    for stem in (name for name in song.stems if name in there):
        try:
            info = soundfile.info(song.path / f"{stem}.flac")
            samples = song.read(stem)
        except (AudioError, RuntimeError) as error:
            found.append(f"{stem} can't be read: {error}")
            continue
        if info.frames != round(song.duration_s * RATE):
            found.append(f"{stem} lasts {info.frames / RATE:.2f} s, not {song.duration_s:.2f} s")
            continue
        mix += samples
        if (sounding_s := active_s(samples)) < _LEAST_ACTIVE_S:
            found.append(f"{stem} is silent but for {sounding_s:g} s")
        if samples.numel() and float(samples.abs().max()) >= _FULL_SCALE:
            found.append(f"{stem} clips")
        if float(samples.mean(-1).abs().max()) > 0.01:
            found.append(f"{stem} has an offset of {float(samples.mean(-1).abs().max()):.3f}")
    if not found and mix.numel() and float(mix.abs().max()) >= _FULL_SCALE:
        found.append("its mix clips")
    return found


def table(songs: Sequence[CorpusSong]) -> list[str]:
    """What a corpus holds, line by line: songs, pieces, hours in all and per stem of each split; licences."""
    lines = [f"{'':12}{'songs':>7}{'pieces':>8}{'hours':>8}" + "".join(f"{stem:>9}" for stem in STEMS)]
    for split in (*SPLITS, "all"):
        own = [song for song in songs if split in (song.split, "all")]
        active = [sum(song.stats[stem]["active_s"] for song in own if stem in song.stems) for stem in STEMS]
        hours = sum(song.duration_s for song in own) / 3600
        pieces = len({song.piece for song in own})
        lines.append(
            f"{split:12}{len(own):7}{pieces:8}{hours:8.2f}" + "".join(f"{s / 3600:9.2f}" for s in active)
        )
    waiting = sum(bool(song.pending) for song in songs)
    if waiting:
        lines.append(
            f"{waiting} songs wait for {', '.join(sorted({p for song in songs for p in song.pending}))}"
        )
    licences = Counter(licence for song in songs for licence in song.licences)
    named = ", ".join(f"{licence} ({count})" for licence, count in sorted(licences.items()))
    packages = sorted({package for song in songs for package in song.packages})
    lines.append(f"licences (songs that carry them): {named}")
    lines.append(f"packages: {', '.join(packages)}")
    return lines
