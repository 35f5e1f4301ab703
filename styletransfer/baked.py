"""What is baked into a song, that no console takes out? Flattened peaks, clipping, a room.

Each is told only where the song has it and its reference hasn't, and only where it can be read from the
sound. Soft saturation can't be told from an instrument's own, nor a room on instruments that ring.
"""

from __future__ import annotations

import torch
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.encoder.measures import ACTIVE_DB
from styletransfer.hearing import Input
from styletransfer.normalization import load_averages
from styletransfer.normalization.reverberation import decay_s
from styletransfer.normalization.spectrogram import powers
from styletransfer.notes import Note
from styletransfer.reference import Reference, excerpts

CEILING_DB = 0.5
CEILING_SHARE = 0.5
"""Peaks are flattened where half of all blocks peak within so little of the highest: 2 to 16 % of a dry
mix's blocks do, 44 to 100 % behind a limiter that takes 6 dB (14 training songs)."""

PUNCH_DB = 2.0
"""How much further the reference's peaks must stand out."""

FLAT_SAMPLES = 4
FLAT_PART = 2.0**-14
TOPS_PER_S = 1.0
"""A song clips where this often so many samples in a row lie within a 16384th of its highest or lowest."""

VOICE = "vocals"
"""The one stem whose decay tells of a room: drums, bass and the rest ring by themselves for as long."""

LONG, LONGER = 1.75, 1.5
"""How much longer voices must ring than the average, and than the reference's: dry ones of 8 training songs
ring .7 to 1.6 times the average, 1.4 to 2.7 times with 1.5 s of reverb at .2, 2.1 to 3 with 2 s at .5."""

_BLOCK_S = 0.4
_WALK_S = 10.0
_EXCERPT_S = 20.0


def baked(ours: Input, theirs: Reference) -> list[Note]:
    """What the input has to itself of what can't be undone, as notes with a code.

    Passages that were chosen to be measured are all that is listened to. A reference that was kept
    without its sound says nothing of rooms; it is taken not to clip.
    """
    song = ours.song.audio if ours.span_s is None else ours.song.audio.excerpt(*ours.span_s)
    found = [_crushed(song, ours, theirs), _clipped(song, theirs), _reverberant(ours, theirs)]
    return [note for note in found if note is not None]


def _crushed(song: Audio, ours: Input, theirs: Reference) -> Note | None:
    lacking_db = theirs.measures.mix.punch_db - ours.measures.mix.punch_db
    if lacking_db < PUNCH_DB or ceiling_share(song) < CEILING_SHARE:
        return None
    return Note(
        "dynamics-crushed",
        f"the input's peaks end at one level, {lacking_db:.1f} dB less above the rest than the reference's, "
        "and what a limiter took away doesn't come back",
        "master",
    )


def _clipped(song: Audio, theirs: Reference) -> Note | None:
    tops = flat_tops_per_s(song)
    if tops < TOPS_PER_S:
        return None
    if theirs.song is not None:
        wanted = theirs.song.audio if theirs.span_s is None else theirs.song.audio.excerpt(*theirs.span_s)
        if flat_tops_per_s(wanted) > tops / 4:
            return None
    return Note(
        "clipping-baked",
        f"the input clips {tops:.0f} times per second, as the reference doesn't: what that distorts stays "
        "distorted",
        "master",
    )


def _reverberant(ours: Input, theirs: Reference) -> Note | None:
    if theirs.stems is None or VOICE in theirs.measures.stem_mixes:
        return None
    if not (ours.measures.present(VOICE) and theirs.measures.present(VOICE)):
        return None
    voices = excerpts(ours.stems, ours.span_s)[VOICE], excerpts(theirs.stems, theirs.span_s)[VOICE]
    ring, wanted = map(ringing_s, voices)
    if ring < max(LONG * load_averages().of(VOICE).decay_s, LONGER * wanted):
        return None
    return Note(
        "reverb-baked",
        f"the input's {VOICE} ring {ring / max(wanted, 1e-3):.1f} times as long as the reference's; a room "
        "can be added, not taken away",
        VOICE,
    )


def ceiling_share(sound: Audio) -> float:
    """Share of active 0.4 s blocks whose peak lies within CEILING_DB of the highest, 0 to 1."""
    length = max(1, round(_BLOCK_S * sound.rate))
    peaks = torch.cat([block.abs().amax().reshape(1) for block in sound.blocks(length)])
    highest = peaks.max().clamp(min=1e-9)
    active = peaks >= highest * 10 ** (-ACTIVE_DB / 20)
    return float((peaks[active] >= highest * 10 ** (-CEILING_DB / 20)).double().mean())


def flat_tops_per_s(sound: Audio) -> float:
    """How often per second FLAT_SAMPLES or more in a row lie at a channel's highest or lowest sample."""
    length = round(_WALK_S * sound.rate)
    highest = torch.stack([_both_ways(block).amax(1) for block in sound.blocks(length)]).amax(0)
    edge = highest.clamp(min=1e-6)[:, None] * (1 - FLAT_PART)
    count = sum(_runs(_both_ways(block) >= edge) for block in sound.blocks(length))
    return count / sound.duration_s


def ringing_s(stem: Audio) -> float:
    """The decay time of a stem's loudest 20 s; see `normalization.reverberation.decay_s`."""
    passage = stem.excerpt(*stem.loudest_s(_EXCERPT_S))
    return decay_s(powers(passage.samples, passage.rate), passage.rate)


def _both_ways(samples: Tensor) -> Tensor:
    """(2 · channels, time): each channel, and upside down."""
    return torch.cat((samples, -samples))


def _runs(flat: Tensor) -> int:
    """How many runs of at least FLAT_SAMPLES there are in (rows, time)."""
    frames = flat.shape[1] - FLAT_SAMPLES + 1
    if frames < 1:
        return 0
    run = flat[:, :frames]
    for later in range(1, FLAT_SAMPLES):
        run = run & flat[:, later : later + frames]
    return int(run[:, 0].sum()) + int((run[:, 1:] & ~run[:, :-1]).sum())
