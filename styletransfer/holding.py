"""A strip may change how a stem sounds, not what it plays: what would repaint it is held back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from styletransfer import mixdown
from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import STRIP, Settings, keeping, neutral, scaled
from styletransfer.encoder.content import Content
from styletransfer.notes import Note
from styletransfer.threads import spread

ONSETS_KEPT, CHROMA_KEPT = 0.98, 0.95
"""The least correlation with what they were that a strip leaves to a passage: any room rings on into the next
chord."""

_PASSAGE_S = 20.0
_TRIES = 6
_CAUTION = 0.95  # of the share at which a power law through what was tried would lose just enough
_FLATTEST = 0.3  # exponent of that law: what a little does already; a parabola, as of compressors, is assumed
_NOTED = 0.5  # less than this much of what was set is said
_WORDS = {"dynamics": "compression and saturation", "space": "reverb"}


def passages_of(stems: Stems) -> Stems:
    """Each stem's loudest 20 s, in stereo: what strips are tried on."""
    found = spread(lambda stem: stem.excerpt(*stem.loudest_s(_PASSAGE_S)).with_channels(2), stems.values())
    return dict(zip(stems, found, strict=True))


def held_back(strips: Mapping[str, Settings], passages: Stems) -> tuple[dict[str, Settings], list[Note]]:
    """The same strips with no more dynamics, and no more reverb, than leave ONSETS_KEPT and CHROMA_KEPT.

    Listens to each stem's passage behind either of them. Tone, width and level, which move neither
    onsets nor chroma, stay.
    """
    names = [name for name, settings in strips.items() if settings != neutral(STRIP)]
    found = spread(lambda name: _held(strips[name], passages[name], name), names)
    held = {name: settings for name, (settings, _) in zip(names, found, strict=True)}
    return {**strips, **held}, [note for _, notes in found for note in notes]


def _held(settings: Settings, passage: Audio, name: str) -> tuple[Settings, list[Note]]:
    shares = {group: _share(keeping(STRIP, settings, {group}), group, passage) for group in _WORDS}
    notes = [
        Note(
            "content-held",
            f"{_WORDS[group]} of {name} held back to {100 * share:.0f} % of what was set, since more would "
            "blur the notes",
            name,
        )
        for group, share in shares.items()
        if share < _NOTED
    ]
    return _with(settings, shares), notes


def _share(acting: Settings, group: str, passage: Audio) -> float:
    """How much of a group's settings a passage bears, for themselves."""
    if acting == neutral(STRIP):
        return 1.0
    before, share, power = Content(passage.samples, passage.rate), 1.0, 2.0
    tried: tuple[float, float] | None = None
    for _ in range(_TRIES):
        heard = mixdown.processed_stem(passage, _with(acting, {group: share}))
        after = Content(heard.samples, heard.rate)
        lost = max(
            (1 - after.onsets_kept(before)) / (1 - ONSETS_KEPT),
            (1 - after.chroma_kept(before)) / (1 - CHROMA_KEPT),
        )
        if not lost > 1:  # nor where there is nothing to compare
            return share
        if tried is not None:
            power = min(max(math.log(tried[1] / lost) / math.log(tried[0] / share), _FLATTEST), 2.0)
        tried = share, lost
        share *= _CAUTION * lost ** (-1 / power)
    return 0.0


def _with(settings: Settings, shares: Mapping[str, float]) -> Settings:
    """Settings with so much of each group."""
    gentler = {group: scaled(STRIP, settings, share) for group, share in shares.items()}
    return {
        name: gentler[stage.group][name] if stage.group in gentler else settings[name]
        for name, stage in STRIP.items()
    }
