"""The sounds of a session's tracks, at the song's rate and length, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from styletransfer import files, mixdown, scratch
from styletransfer.audio import Audio
from styletransfer.converter.console import MASTER, STRIP, Settings, neutral
from styletransfer.result import Result

from .session import Print, Track


def write_sounds(
    result: Result, tracks: Sequence[Track], folder: Path, master: Settings | None = None
) -> dict[str, Path]:
    """Write each track's sound as 32-bit float WAV; track name → file.

    master  stages of the master that every sound but the reference's goes through.
    """
    files.make_folder(folder)
    paths = {}
    for track, sound in _sounds(result, tracks, master or {}):
        paths[track.name] = files.write(folder / f"{track.name}.wav", sound, subtype="FLOAT")
    return paths


def _sounds(result: Result, tracks: Sequence[Track], master: Settings) -> Iterator[tuple[Track, Audio]]:
    """Every track with its sound; the dry stems and the rest sum to the song. The rest comes after them."""
    song = result.song.audio.with_channels(2)
    rest = scratch.allocate(2, song.frames)
    rest += song.samples
    finished = result.stems if any(track.prints.finished for track in tracks) else {}
    for track in tracks:
        if track.name == "reference" and result.reference is not None:
            yield track, result.reference.audio
            continue
        if track.stem:
            stem, prints = result.dry_stems[track.stem], track.prints
            printed = finished[track.stem] if prints.finished else _printed(stem, prints)
            sound = _at_songs_rate(printed, song)
            if not prints.wet_only:
                rest -= (sound if printed is stem else _at_songs_rate(stem, song)).samples
        else:
            sound = Audio(rest, song.rate)
        if master:
            sound = mixdown.master_bus(sound, neutral(MASTER) | master)
        yield track, sound
        scratch.release(rest)


def _printed(stem: Audio, prints: Print) -> Audio:
    """The stem through what is rendered into its track."""
    if not prints.settings:
        return stem
    settings = neutral(STRIP) | prints.settings
    whole = mixdown.processed_stem(stem, settings)
    if not prints.wet_only:
        return whole
    before = mixdown.processed_stem(stem, settings | {"reverb": neutral(STRIP)["reverb"]})
    return Audio(whole.samples - before.samples, stem.rate)


def _at_songs_rate(stem: Audio, song: Audio) -> Audio:
    """The stem in stereo at the song's rate, exactly as long as the song."""
    sound = stem.with_channels(2).at_rate(song.rate)
    short = song.frames - sound.frames
    samples = sound.samples[:, : song.frames]
    return Audio(torch.nn.functional.pad(samples, (0, short)) if short > 0 else samples, song.rate)
