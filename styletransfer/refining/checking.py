"""Refines a matched desk on 20 s of both songs, and asks a passage of each that was held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer import encoders
from styletransfer.audio import Audio, Stems
from styletransfer.closeness import distance
from styletransfer.converter.console import GROUPS, Settings
from styletransfer.desk import Desk
from styletransfer.document import Asked
from styletransfer.encoder.measures import measure
from styletransfer.hearing import Input
from styletransfer.notes import Note
from styletransfer.reference import Reference

from .likeness import CREST, apart
from .passages import Span, Split, split
from .spectra import RATE, spectra_of
from .turning import Passage, turnable, turned

MARGIN = 0.02
"""How much closer, relatively, a held-out passage has to come."""


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """What came of refinement: the desk that stands, and its strips where refinement is to thank for them."""

    desk: Desk
    notes: list[Note]
    strips: dict[str, Settings] | None = None


def refined(
    desk: Desk,
    matched: list[Note],
    ours: Input,
    theirs: Reference,
    asked: Asked,
    bears: Mapping[str, float],
    done: Callable[[float], None] = lambda fraction: None,
) -> Refined:
    """The desk with refined strips where these bring held-out passages closer, else as it is, with a note.

    The strips are heard through the master as it was matched, since that is what they reach the listener by
    and what mends the mix's tone better than they can; behind refined strips it is matched again.

    matched  what was to know about the match; bears: stem → how much of a change it bears.
    """
    places = split(_passage(ours.song.audio, ours.span_s))
    found = _reference(theirs)
    if places is None or found is None:
        why = "single sound as reference" if found is None else "longer passage"
        return Refined(
            desk, [*matched, Note("refinement-impossible", f"refinement needs a {why}, so the start stands")]
        )
    mix, stems, their_places = found
    own = {name: _passage(stem, ours.span_s) for name, stem in ours.stems.items()}
    reach = turnable(desk.strips, bears, set(asked.only or GROUPS))
    strips = desk.strips
    if bool((reach > 0).any()):
        with torch.inference_mode(False), torch.enable_grad():
            strips = turned(
                desk.strips,
                desk.master,
                _cut(_passage(ours.song.audio, ours.span_s), own, places.read_s),
                _cut(mix, stems, their_places.read_s),
                reach,
                encoders.load().network,
                asked.refine,
                done,
            )
    other = Desk(ours, theirs, asked)
    notes = other.match(strips)
    start_s = 0.0 if ours.span_s is None else ours.span_s[0]
    held_s = start_s + places.held_s[0], start_s + places.held_s[1]
    share = _share(desk.passage(held_s), other.passage(held_s), mix.excerpt(*their_places.held_s))
    if share <= 1 - MARGIN:
        return Refined(other, notes, strips)
    said = (
        f"refinement brought passages that it hadn't read to {100 * share:.0f} % of their distance to the "
        f"reference, more than {100 * (1 - MARGIN):.0f} %, so the start stands"
    )
    return Refined(desk, [*matched, Note("refinement-dropped", said)])


def _share(before: Audio, after: Audio, reference: Audio) -> float:
    """What is left of the distance to a reference: the gate's and the AF distance, their geometric mean."""
    wanted = measure(reference.samples, reference.rate)
    gate = [distance(measure(sound.samples, sound.rate), wanted).total for sound in (before, after)]
    af = [_af(sound, reference) for sound in (before, after)]
    return math.sqrt(gate[1] * af[1] / max(gate[0] * af[0], 1e-12))


def _af(sound: Audio, reference: Audio) -> float:
    ours, theirs = (each.at_rate(RATE).with_channels(2).samples for each in (sound, reference))
    crest = _crest_db(ours) - _crest_db(theirs)
    return float(apart(spectra_of(ours[None]), spectra_of(theirs[None])) + CREST * crest.square().mean())


def _crest_db(samples: Tensor) -> Tensor:
    """(2,) of each channel."""
    rms = samples.square().mean(1).sqrt().clamp(min=1e-9)
    return 20 * torch.log10(samples.abs().amax(1).clamp(min=1e-9) / rms)


def _reference(theirs: Reference) -> tuple[Audio, Stems, Split] | None:
    """Mix and stems that were measured, and their passages; None without a single sound of enough length."""
    if theirs.song is None or theirs.stems is None or len(theirs.sources) != 1:
        return None
    span_s = theirs.sources[0].measured_s
    mix = _passage(theirs.song.audio, span_s)
    places = split(mix)
    if places is None:
        return None
    return mix, {name: _passage(stem, span_s) for name, stem in theirs.stems.items()}, places


def _passage(sound: Audio, span_s: Span | None) -> Audio:
    return sound if span_s is None else sound.excerpt(*span_s)


def _cut(mix: Audio, stems: Stems, span_s: Span) -> Passage:
    """Both at RATE and of one length."""
    cuts = [sound.excerpt(*span_s) for sound in (mix, *stems.values())]
    sounds = [cut.at_rate(RATE).with_channels(2).samples for cut in cuts]
    frames = min(sound.shape[1] for sound in sounds)
    every = torch.stack([sound[:, :frames] for sound in sounds])
    return Passage(every[0], every[1:])
