"""What a transfer knows of the other side: measures of one sound, of several, or of a style that was kept.

Nothing here needs the reference's sound once it was listened to; `song` and `stems` serve ears only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from styletransfer import mixdown
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.blending import blend_loudness, blend_songs, blend_styles, style_with_stems
from styletransfer.document import Referred, SeparatorUsed
from styletransfer.encoder.loudness import Loudness
from styletransfer.encoder.measures import Measures, measure
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import UsageError
from styletransfer.matching import SongMeasures
from styletransfer.notes import Note
from styletransfer.result import source_of
from styletransfer.scratch import release
from styletransfer.separation import Separator, confidence
from styletransfer.separation.confidence import Confidence
from styletransfer.sources import Song, passage_of, sum_of
from styletransfer.style import SongStyle, style_of
from styletransfer.threads import spread


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The other side of a transfer.

    loudness     of the finished mix.
    measures     of the mix and of its stems.
    stem_sum     of the sum of its stems, where both sides' stems are their own and no estimates: what the mix
                 has beyond that is what its master did.
    sources      what it was made from, each with its weight, as result.json tells it.
    confidences  how much of each stem is its own; empty where nobody asked.
    style        how it sounds to an encoder, where one listened.
    separators   what made the stems of kept styles in it; empty where the transfer's own separator did.
    song, stems  to be heard beside a result: the (heaviest) sound and its stems, where they are at hand.
    """

    loudness: Loudness
    measures: SongMeasures
    sources: list[Referred]
    confidences: dict[str, Confidence] = field(default_factory=dict)
    stem_sum: Measures | None = None
    style: SongStyle | None = None
    separators: tuple[SeparatorUsed, ...] = ()
    song: Song | None = None
    stems: Stems | None = None

    @property
    def span_s(self) -> tuple[float, float] | None:
        """The passage of `song` that was measured; None for all of it."""
        return max(
            (told for told in self.sources if told.stem is None), key=lambda told: told.weight
        ).measured_s


def listen(
    song: Song,
    stems: Stems,
    *,
    span_s: tuple[float, float] | None = None,
    ready_stems: bool = False,
    own_stems: bool = False,
    confident: bool = False,
    encoder: LoadedEncoder | None = None,
) -> Reference:
    """A reference from one sound and its stems.

    span_s       the passage that is measured; all of it where none is given. UsageError outside the song.
    ready_stems  whether the stems were given, for the document.
    own_stems    whether they, and the other side's, are no estimates.
    confident    look how much of each stem is its own, too.
    encoder      hears its style; no style without one.
    """
    passage = passage_of(song.audio, span_s, "the reference")
    return Reference(
        loudness=mixdown.loudness_of(passage),
        measures=measures_of(song.audio, stems, span_s, "the reference"),
        sources=[Referred(**source_of(song, span_s, ready_stems).model_dump())],
        confidences=confidence.confidences(song.audio, stems) if confident else {},
        stem_sum=measured(sum_of(excerpts(stems, span_s))) if own_stems else None,
        style=None if encoder is None else style_of(passage, excerpts(stems, span_s), encoder),
        song=song,
        stems=stems,
    )


def mixed(references: Sequence[Reference], weights: Sequence[float] | None = None) -> Reference:
    """One reference from several: weighted means of what was measured, in dB and LU; see `blending`.

    weights  one per reference, not negative, of any sum; equal where none are given.
    A reference of the whole weight comes out as it is. UsageError for weights that make no sense.
    """
    shares = shares_of(len(references), weights)
    sources = [
        told.model_copy(update={"weight": told.weight * share})
        for reference, share in zip(references, shares, strict=True)
        for told in reference.sources
    ]
    heard = [(reference, share) for reference, share in zip(references, shares, strict=True) if share > 0]
    if len(heard) == 1:
        return replace(heard[0][0], sources=sources)
    parts, shares = [reference for reference, _ in heard], [share for _, share in heard]
    heaviest = max(heard, key=lambda pair: pair[1])[0]
    return Reference(
        loudness=blend_loudness([part.loudness for part in parts], shares),
        measures=blend_songs([part.measures for part in parts], shares),
        sources=sources,
        confidences=_blended_confidences([part.confidences for part in parts], shares),
        style=blend_styles([part.style for part in parts], shares),
        separators=_separators(parts),
        song=heaviest.song,
        stems=heaviest.stems,
    )


def check_stems(names: Iterable[str]) -> None:
    """UsageError for a stem that there isn't."""
    for name in names:
        if name not in STEMS:
            raise UsageError(f"there is no stem {name!r}; there are {', '.join(STEMS)}")


def with_stems(reference: Reference, stems: Mapping[str, Reference]) -> Reference:
    """The same reference with some stems' targets, relative to their own mixes, from others.

    UsageError for a stem that there isn't.
    """
    if not stems:
        return reference
    check_stems(stems)
    measures = reference.measures
    taken = {name: other.measures.stems[name] for name, other in stems.items()}
    mixes = {name: other.measures.mix_of(name) for name, other in stems.items()}
    return replace(
        reference,
        measures=SongMeasures(measures.mix, measures.stems | taken, measures.stem_mixes | mixes),
        sources=[
            *reference.sources,
            *(
                told.model_copy(update={"stem": name})
                for name in STEMS
                if name in stems
                for told in stems[name].sources
            ),
        ],
        confidences=reference.confidences
        | {name: other.confidences[name] for name, other in stems.items() if name in other.confidences},
        style=style_with_stems(reference.style, {name: other.style for name, other in stems.items()}),
        separators=_separators([reference, *stems.values()]),
    )


def shares_of(count: int, weights: Sequence[float] | None) -> list[float]:
    """Weights that add up to 1. UsageError where they don't fit."""
    if weights is None:
        return [1 / count] * count
    if len(weights) != count:
        raise UsageError(f"{len(weights)} weights don't fit {count} references; give one weight to each")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or sum(weights) <= 0:
        raise UsageError("weights are numbers from 0 up, not all of them 0, like .7,.3")
    return [weight / sum(weights) for weight in weights]


def excerpts(stems: Stems, span_s: tuple[float, float] | None) -> Stems:
    """The stems of a passage; as they are where none is given."""
    return stems if span_s is None else {name: stem.excerpt(*span_s) for name, stem in stems.items()}


def measures_of(mix: Audio, stems: Stems, span_s: tuple[float, float] | None, role: str) -> SongMeasures:
    """Measures of a passage of a mix and of its stems; of all where no passage is given."""
    passage, parts = passage_of(mix, span_s, role), excerpts(stems, span_s)
    for sound in (passage, *parts.values()):  # as separation left them: all of them at once in memory
        release(sound.samples)
    whole, *each = spread(measured, [passage, *(parts[name] for name in STEMS)])
    return SongMeasures(whole, dict(zip(STEMS, each, strict=True)))


def measured(audio: Audio) -> Measures:
    """Measures of all of a sound; its scratch memory, which was read through, is let go."""
    found = measure(audio.samples, audio.rate)
    release(audio.samples)
    return found


def other_stems(reference: Reference, separator: Separator) -> list[Note]:
    """A warning for each other separator that made stems which a reference was measured on."""
    return [
        Note(
            "style-separator",
            f"a style was measured on stems by {other.name}, and the input on stems by {separator.name}: "
            "what differs between these is matched too",
        )
        for other in reference.separators
        if other.fingerprint != separator.fingerprint
    ]


def _separators(references: Sequence[Reference]) -> tuple[SeparatorUsed, ...]:
    """All of them, each once."""
    every = {used.fingerprint: used for reference in references for used in reference.separators}
    return tuple(every.values())


def _blended_confidences(
    each: Sequence[dict[str, Confidence]], shares: Sequence[float]
) -> dict[str, Confidence]:
    """All segments together, every song's energy brought to its share, for stems that all of them tell."""
    blended = {}
    for name in STEMS:
        if all(name in told for told in each):
            parts = [told[name] for told in each]
            energy = [
                share * part.energy / part.energy.sum().clamp(min=1e-12)
                for part, share in zip(parts, shares, strict=True)
            ]
            blended[name] = Confidence(torch.cat([part.features for part in parts]), torch.cat(energy))
    return blended
