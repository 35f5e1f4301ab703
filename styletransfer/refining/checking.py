"""Refines a matched desk on 20 s of both songs, and asks a passage of each that was held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from styletransfer import encoders
from styletransfer.audio import Audio, Stems
from styletransfer.closeness import distance
from styletransfer.converter.console import GROUPS, Settings
from styletransfer.desk import Desk
from styletransfer.document import Asked
from styletransfer.encoder.measures import measure
from styletransfer.gate import Amounts
from styletransfer.hearing import Input
from styletransfer.holding import held_back
from styletransfer.notes import Note
from styletransfer.reference import Reference
from styletransfer.threads import single, spread

from .likeness import sounds_apart
from .passages import Span, joined, split
from .spectra import RATE
from .turning import Passage, mastered, turnable, turned

MARGIN = 0.02
"""How much closer, relatively, a held-out passage has to come."""


POLISH_STEPS = 60
"""Of `polished`, some seconds on one core."""


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """What came of refinement: the desk that stands, and its strips where refinement is to thank for them."""

    desk: Desk
    notes: list[Note]
    strips: dict[str, Settings] | None = None


def refined(
    desk: Desk,
    otherwise: Desk,
    matched: list[Note],
    ours: Input,
    theirs: Reference,
    asked: Asked,
    amounts: Amounts,
    bears: Mapping[str, float],
    done: Callable[[float], None] = lambda fraction: None,
) -> Refined:
    """The desk with refined settings where these bring held-out passages closer, else `otherwise` and a note.

    The strips are refined first, heard through the master as it was matched, since that is how they reach a
    listener, and since it mends the mix's tone better than they can. Behind refined strips the master is
    matched again, and refined in its turn.

    otherwise  the desk as it would be without refinement: its master may have been polished.
    matched  what was to know about the match.
    amounts  of strips and master; what has none isn't refined. bears: stem → how much of a change it bears.
    """
    if desk.treated:
        return _impossible(otherwise, matched, "a converter that turns knobs")
    heard = _listened(ours, theirs)
    if isinstance(heard, str):
        return _impossible(otherwise, matched, heard)
    groups: set[str] = set(asked.only or GROUPS)
    silent = {name: 0.0 for name, amount in amounts.items() if not amount}
    reach = turnable(desk.strips, {**bears, **silent}, groups)
    if not amounts["master"] and not bool((reach > 0).any()):
        return _impossible(otherwise, matched, "something that both songs have and that isn't locked")
    other, strips = desk.anew(), desk.strips
    held: list[Note] = []
    with torch.inference_mode(False), torch.enable_grad():
        if bool((reach > 0).any()):
            network = encoders.load().network
            strips = turned(desk.strips, desk.master, *heard.read, reach, network, asked.refine, done)
            strips, held = held_back(
                strips, {name: _passage(stem, ours.span_s) for name, stem in ours.stems.items()}
            )
        notes = held + other.match(strips)
        if amounts["master"] and not desk.knows_master:
            other.turn_master(mastered(strips, other.master, *heard.read, groups, asked.refine))
    share = heard.share(otherwise, other)
    if share <= 1 - MARGIN:
        return Refined(other, notes, strips)
    said = (
        f"refinement brought passages that it hadn't read to {100 * share:.0f} % of their distance to the "
        f"reference, more than {100 * (1 - MARGIN):.0f} %, so the start stands"
    )
    return Refined(otherwise, [*matched, Note("refinement-dropped", said)])


def polished(desk: Desk, ours: Input, theirs: Reference, asked: Asked, amounts: Amounts) -> Desk:
    """The desk with its master's linear knobs turned by gradient from where the closed form set them.

    Where held-out passages come no closer, nothing can be read, or the reference's master is known, the desk
    as it is.
    """
    if desk.treated or desk.knows_master or not amounts["master"]:
        return desk
    heard = _listened(ours, theirs)
    if isinstance(heard, str):
        return desk
    with torch.inference_mode(False), torch.enable_grad(), single():
        groups: set[str] = set(asked.only or GROUPS)
        other = desk.with_master(mastered(desk.strips, desk.master, *heard.read, groups, POLISH_STEPS))
    return other if heard.share(desk, other) <= 1 - MARGIN else desk


@dataclass(frozen=True, slots=True, eq=False)
class _Listened:
    """Passages of both songs: `read` of ours and theirs; `held` of ours, and the reference's, held out."""

    read: tuple[Passage, Passage]
    held: Callable[[Audio], Audio]
    reference: Audio

    def share(self, before: Desk, after: Desk) -> float:
        """What is left of the distance to the reference on the passages that were held out."""
        first, second = spread(lambda desk: desk.of_pieces(self.held), (before, after))
        return _share(first, second, self.reference)


def _listened(ours: Input, theirs: Reference) -> _Listened | str:
    """The passages; what is missing where there are none."""
    found = _sounds(theirs)
    if found is None:
        return "the sound of a single reference"
    mix, stems = found
    own_mix = _passage(ours.song.audio, ours.span_s)
    places, their_places = split(own_mix.duration_s), split(mix.duration_s)
    if places is None or their_places is None:
        return "songs, or passages, of at least 6 s"
    own = {name: _passage(stem, ours.span_s) for name, stem in ours.stems.items()}
    return _Listened(
        read=(_joined(own_mix, own, places.read), _joined(mix, stems, their_places.read)),
        held=lambda sound: joined(_passage(sound, ours.span_s), places.held),
        reference=joined(mix, their_places.held),
    )


def _share(before: Audio, after: Audio, reference: Audio) -> float:
    """What is left of the distance to a reference: the gate's and the AF distance, their geometric mean."""
    wanted = measure(reference.samples, reference.rate)
    gate = [distance(measure(sound.samples, sound.rate), wanted).total for sound in (before, after)]
    af = [_af(sound, reference) for sound in (before, after)]
    return math.sqrt(gate[1] * af[1] / max(gate[0] * af[0], 1e-12))


def _af(sound: Audio, reference: Audio) -> float:
    ours, theirs = (each.at_rate(RATE).with_channels(2).samples for each in (sound, reference))
    return float(sounds_apart(ours[None], theirs[None]))


def _impossible(desk: Desk, matched: list[Note], what: str) -> Refined:
    note = Note("refinement-impossible", f"refinement needs {what}, so the start stands")
    return Refined(desk, [*matched, note])


def _sounds(theirs: Reference) -> tuple[Audio, Stems] | None:
    """Mix and stems that were measured; None where that isn't one sound, or it isn't at hand."""
    counted = [
        told for told in theirs.sources if told.weight > 0
    ]  # at an end of the way to another, one of two
    if theirs.song is None or theirs.stems is None or len(counted) != 1:
        return None
    span_s = counted[0].measured_s
    return _passage(theirs.song.audio, span_s), {n: _passage(s, span_s) for n, s in theirs.stems.items()}


def _passage(sound: Audio, span_s: Span | None) -> Audio:
    return sound if span_s is None else sound.excerpt(*span_s)


def _joined(mix: Audio, stems: Stems, spans: list[Span]) -> Passage:
    """Both at RATE and of one length."""
    cuts = [joined(sound, spans) for sound in (mix, *stems.values())]
    sounds = [cut.at_rate(RATE).with_channels(2).samples for cut in cuts]
    frames = min(sound.shape[1] for sound in sounds)
    every = torch.stack([sound[:, :frames] for sound in sounds])
    return Passage(every[0], every[1:])
