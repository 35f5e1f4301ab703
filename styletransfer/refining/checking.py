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
from styletransfer.converter.console import STRIP, Settings, neutral
from styletransfer.desk import Desk
from styletransfer.document import Asked
from styletransfer.encoder.measures import measure
from styletransfer.gate import Amounts
from styletransfer.hearing import Input
from styletransfer.holding import held_back, passages_of
from styletransfer.notes import Note
from styletransfer.reference import Reference, excerpts
from styletransfer.threads import single, spread

from .likeness import sounds_apart
from .passages import Span, Split, joined, split
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
    amounts  of strips and master; what has none isn't refined, nor are stems with a reference of their own.
    bears    stem → how much of a change it bears.
    """
    if desk.treated:
        return _impossible(otherwise, matched, "a converter that turns knobs")
    heard = _listened(ours, theirs)
    if isinstance(heard, str):
        return _impossible(otherwise, matched, heard)
    resting = {name: neutral(STRIP) for name in desk.strips if not amounts[name]}
    elsewhere = {told.stem for told in theirs.sources if told.stem}  # those stems' sounds aren't at hand
    still = dict.fromkeys(elsewhere | set(resting), 0.0)
    start = {**desk.strips, **resting}
    reach = turnable(start, {**bears, **still}, asked.groups)
    if not amounts["master"] and not bool((reach > 0).any()):
        return _impossible(otherwise, matched, "something that both songs have and that isn't locked")
    other, strips = desk.anew(), desk.strips
    held: list[Note] = []
    with torch.inference_mode(False), torch.enable_grad():
        if bool((reach > 0).any()):
            network = (ours.encoder or encoders.load()).network
            passages = heard.passages()
            strips = turned(start, desk.master, *passages, reach, network, asked.refine, done)
            strips |= {name: desk.strips[name] for name in resting}
            strips, held = held_back(strips, passages_of(excerpts(ours.stems, ours.span_s)))
        notes = held + other.match(strips)
        if amounts["master"] and not desk.knows_master:
            other.turn_master(heard.mastered(other, asked.groups, asked.refine))
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
        other = desk.with_master(heard.mastered(desk, asked.groups, POLISH_STEPS))
    return other if heard.share(desk, other) <= 1 - MARGIN else desk


@dataclass(frozen=True, slots=True, eq=False)
class _Listened:
    """What was measured of both songs, mix and stems, and the pieces of it that are read or held out.

    span_s   what was measured of ours, where that isn't all.
    """

    ours: tuple[Audio, Stems]
    theirs: tuple[Audio, Stems]
    places: Split
    their_places: Split
    span_s: Span | None

    def passages(self) -> tuple[Passage, Passage]:
        """The pieces that are read, ours and the reference's."""
        return _joined(*self.ours, self.places.read), _joined(*self.theirs, self.their_places.read)

    def mastered(self, desk: Desk, groups: set[str], steps: int) -> Settings:
        """A desk's master turned by the pieces that are read."""
        bus = joined(_passage(desk.bus, self.span_s), self.places.read)
        wanted = joined(self.theirs[0], self.their_places.read)
        return mastered(_stereo(bus), _stereo(wanted), desk.master, groups, steps)

    def share(self, before: Desk, after: Desk) -> float:
        """What is left of the distance to the reference on the pieces that were held out."""

        def held(sound: Audio) -> Audio:
            return joined(_passage(sound, self.span_s), self.places.held)

        first, second = spread(lambda desk: desk.of_pieces(held), (before, after))
        return _share(first, second, joined(self.theirs[0], self.their_places.held))


def _listened(ours: Input, theirs: Reference) -> _Listened | str:
    """Both songs; what is missing where they can't be listened to."""
    found = _sounds(theirs)
    if found is None:
        return "the sound of a single reference"
    own_mix = _passage(ours.song.audio, ours.span_s)
    places, their_places = split(own_mix.duration_s), split(found[0].duration_s)
    if places is None or their_places is None:
        return "songs, or passages, of at least 6 s"
    own = excerpts(ours.stems, ours.span_s)
    return _Listened((own_mix, own), found, places, their_places, ours.span_s)


def _share(before: Audio, after: Audio, reference: Audio) -> float:
    """What is left of the distance to a reference: the gate's and the AF distance, their geometric mean."""
    wanted = measure(reference.samples, reference.rate)
    gate = [distance(measure(sound.samples, sound.rate), wanted).total for sound in (before, after)]
    af = [_af(sound, reference) for sound in (before, after)]
    return math.sqrt(gate[1] * af[1] / max(gate[0] * af[0], 1e-12))


def _af(sound: Audio, reference: Audio) -> float:
    return float(sounds_apart(_stereo(sound)[None], _stereo(reference)[None]))


def _stereo(sound: Audio) -> Tensor:
    """(2, time) at RATE."""
    return sound.at_rate(RATE).with_channels(2).samples


def _impossible(desk: Desk, matched: list[Note], what: str) -> Refined:
    note = Note("refinement-impossible", f"refinement needs {what}, so the start stands")
    return Refined(desk, [*matched, note])


def _sounds(theirs: Reference) -> tuple[Audio, Stems] | None:
    """Mix and stems that were measured; None where that isn't one sound, or it isn't at hand. Of stems with a
    reference of their own, the mix's."""
    # at an end of the way to another, one of two; a stem's own reference is none of the mix's
    counted = [told for told in theirs.sources if told.weight > 0 and told.stem is None]
    if theirs.song is None or theirs.stems is None or len(counted) != 1:
        return None
    return _passage(theirs.song.audio, theirs.span_s), excerpts(theirs.stems, theirs.span_s)


def _passage(sound: Audio, span_s: Span | None) -> Audio:
    return sound if span_s is None else sound.excerpt(*span_s)


def _joined(mix: Audio, stems: Stems, spans: list[Span]) -> Passage:
    """Both at RATE and of one length."""
    sounds = [_stereo(joined(sound, spans)) for sound in (mix, *stems.values())]
    frames = min(sound.shape[1] for sound in sounds)
    every = torch.stack([sound[:, :frames] for sound in sounds])
    return Passage(every[0], every[1:])
