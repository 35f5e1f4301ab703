"""What a transfer hears of both sides: songs and their stems through one separator, measured alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from styletransfer import mixdown
from styletransfer.audio import Stems
from styletransfer.clock import Clock
from styletransfer.encoder.loudness import Loudness
from styletransfer.encoder.measures import Measures
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import ConfigError, UsageError
from styletransfer.known_stems import KnownStems
from styletransfer.matching import SongMeasures
from styletransfer.reference import Reference, excerpts, listen, measured, measures_of
from styletransfer.separation import Separator, confidence, read_stems, rest_in
from styletransfer.separation.confidence import Confidence
from styletransfer.sources import Song, Sound, load, made_of, opened, passage_of, sum_of
from styletransfer.stem_cache import StemCache, separate_cached
from styletransfer.style import SongStyle, style_of

Span = tuple[float, float] | None
"""A passage in seconds; None is all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """The song to change, as a transfer hears it.

    stems        as they were measured; `played` as they will be rendered.
    loudness     on two channels; `own_loudness` on the channels that the song has.
    confidences  how much of each separated stem is its own; empty where both sides' were given.
    confident    whether a stem is changed less, the less of it is its own.
    encoder      what listened to it, where a network is to compare styles; `style` is what it heard.
    stem_sum     measures of the sum of its stems, where both sides' are their own and no estimates.
    """

    song: Song
    stems: Stems
    played: Stems
    loudness: Loudness
    own_loudness: Loudness
    measures: SongMeasures
    confidences: dict[str, Confidence]
    encoder: LoadedEncoder | None
    style: SongStyle | None
    span_s: Span
    ready_stems: bool
    stem_sum: Measures | None = None
    confident: bool = False


def hear(
    input: Sound | None,
    references: Sequence[Sound | Reference],
    stem_references: Mapping[str, Sound | Reference],
    separator: Separator,
    *,
    stems_in: Path | None,
    reference_stems: Path | None,
    in_range: Span,
    reference_range: Span,
    preview_s: float | None,
    confident: bool,
    encoder: LoadedEncoder | None,
    cache: StemCache | None,
    clock: Clock,
) -> tuple[Input, list[Reference], dict[str, Reference]]:
    """Read everything, then separate and measure it: the input, the references, single stems' references.

    Arguments as `pipeline.transfer`. A sound that serves twice is heard once.
    """
    cache = cache or StemCache()
    with clock("reading"):
        song, dry = opened(input, stems_in, preview_s)
        theirs = [_loaded(sound) for sound in references]
        for_stems = {name: _loaded(sound) for name, sound in stem_references.items()}
    given: dict[str, Stems] = {}
    if reference_stems is not None or reference_range is not None:
        if len(theirs) > 1 or not isinstance(theirs[0], Song):
            raise UsageError("a reference's own stems or passage need a single sound as reference")
        if reference_stems is not None:
            given[theirs[0].key] = read_stems(reference_stems, theirs[0].audio)
    both_ready = dry is not None and bool(given)
    own_stems = isinstance(separator, KnownStems) and separator.exact
    if both_ready and dry and stems_in and reference_stems and isinstance(theirs[0], Song):
        separated = rest_in(stems_in) or rest_in(reference_stems)
        whole = made_of(song.audio, dry) and made_of(theirs[0].audio, given[theirs[0].key])
        own_stems = whole and separated is None
    known: dict[tuple[str, Span], Reference] = {}

    def listened(sound: Song | Reference, span_s: Span = None) -> Reference:
        if isinstance(sound, Reference):
            _check_encoder(sound, encoder)
            return sound
        if (sound.key, span_s) not in known:
            with clock("separating reference") as done:
                ready = given.get(sound.key) if both_ready else None
                stems = ready or separate_cached(sound.audio, separator, cache, done)
            with clock("measuring reference"):
                known[sound.key, span_s] = listen(
                    sound,
                    stems,
                    span_s=span_s,
                    ready_stems=sound.key in given,
                    own_stems=own_stems,
                    confident=not (ready or own_stems),
                    encoder=encoder,
                )
        return known[sound.key, span_s]

    heard = [listened(sound, reference_range) for sound in theirs]
    heard_for_stems = {name: listened(sound) for name, sound in for_stems.items()}
    with clock("separating input") as done:
        stems = dry if both_ready and dry else separate_cached(song.audio, separator, cache, done)
    with clock("measuring input"):
        measures = measures_of(song.audio, stems, in_range, "the input")
        loudness = mixdown.loudness_of(song.audio.with_channels(2))
        ours = Input(
            song=song,
            stems=stems,
            played=stems if dry is None else dry,
            loudness=loudness,
            own_loudness=loudness if song.audio.channels == 2 else mixdown.loudness_of(song.audio),
            measures=measures,
            confidences={} if both_ready or own_stems else confidence.confidences(song.audio, stems),
            encoder=encoder,
            style=_style(song, stems, in_range, encoder),
            span_s=in_range,
            ready_stems=dry is not None,
            stem_sum=measured(sum_of(excerpts(stems, in_range))) if own_stems else None,
            confident=confident,
        )
    return ours, heard, heard_for_stems


def _style(song: Song, stems: Stems, span_s: Span, encoder: LoadedEncoder | None) -> SongStyle | None:
    if encoder is None:
        return None
    return style_of(passage_of(song.audio, span_s, "the input"), excerpts(stems, span_s), encoder)


def _check_encoder(kept: Reference, encoder: LoadedEncoder | None) -> None:
    """ConfigError where a network is to compare a kept style with one of another encoder."""
    if encoder is not None and kept.style is not None and kept.style.encoder != encoder.fingerprint:
        raise ConfigError(
            f"the style of {kept.sources[0].name} was heard by encoder {kept.style.encoder}, and the "
            f"converter needs {encoder.fingerprint}; save it again from its song, or take --converter closed"
        )


def _loaded(sound: Sound | Reference) -> Song | Reference:
    return sound if isinstance(sound, Reference) else load(sound, "the reference")
