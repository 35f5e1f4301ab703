"""Which 20 s of a song refinement reads, and which others are held out to check it."""

from __future__ import annotations

from typing import NamedTuple

import torch

from styletransfer.audio import Audio

PIECES = 4
READ_S = 20.0
LEAST_S = 6.0
"""Shorter sounds can't be read and checked on."""

Span = tuple[float, float]


class Split(NamedTuple):
    """Pieces of one sound, from and to in seconds, none of which overlap."""

    read: list[Span]
    held: list[Span]


def split(duration_s: float) -> Split | None:
    """Four pieces to read and four to hold out, by turns all over a sound; None for too short a one.

    A song's parts differ more than its neighbouring seconds, so pieces are spread. Together they last up
    to READ_S each; of sounds below 60 s two thirds at most are read, and a third is held out.
    """
    if duration_s < LEAST_S:
        return None
    part_s = duration_s / PIECES
    read_s, held_s = min(READ_S / PIECES, part_s * 2 / 3), min(READ_S / PIECES, part_s / 3)
    spare_s = part_s - read_s - held_s
    starts = [number * part_s + spare_s / 4 for number in range(PIECES)]
    others = [start + read_s + spare_s / 2 for start in starts]
    return Split([(at, at + read_s) for at in starts], [(at, at + held_s) for at in others])


def joined(sound: Audio, spans: list[Span]) -> Audio:
    """Pieces of a sound, one after the other."""
    pieces = [sound.excerpt(*span_s).samples for span_s in spans]
    return Audio(torch.cat(pieces, 1), sound.rate)
