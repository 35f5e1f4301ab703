"""A style that is kept: what a transfer reads of a reference, and how an encoder heard it; no sound."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from styletransfer import encoders, reference
from styletransfer.audio import STEMS
from styletransfer.document import SeparatorUsed
from styletransfer.encoder.measures import Measures
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import ConfigError
from styletransfer.reference import Reference
from styletransfer.separation import Separator, choose, read_stems
from styletransfer.sources import Progress, Song, Sound, load, passage_of
from styletransfer.stem_cache import StemCache, separate_cached
from styletransfer.style import SongStyle, Style, style_of
from styletransfer.texts import plain

from .words import Difference, differences, dynamic, louder

MIX = "mix"
PARTS = (MIX, *STEMS)
"""What of a song has a style."""

MOST_TAGS = 32


@dataclass(frozen=True, slots=True, eq=False)
class SavedStyle:
    """A reference without its sound, by name.

    separator   what made the stems.
    reference   with a style of mix and stems, without song and stems.
    `title` and `tags` are made harmless; tags are in order, each once.
    """

    title: str
    tags: tuple[str, ...]
    separator: SeparatorUsed
    reference: Reference

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", plain(self.title) or "untitled")
        tags = {plain(tag, 60) for tag in self.tags} - {""}
        object.__setattr__(self, "tags", tuple(sorted(tags))[:MOST_TAGS])
        object.__setattr__(
            self, "reference", replace(self.reference, separators=(self.separator,), song=None, stems=None)
        )
        if self.reference.style is None or set(self.reference.style.stems) != set(STEMS):
            raise ValueError("a style that is kept has an embedding of the mix and of each stem")

    @property
    def song(self) -> SongStyle:
        """How the encoder heard it."""
        assert self.reference.style is not None
        return self.reference.style

    @property
    def key(self) -> str:
        """What makes two styles the same: their sources, and how these were measured and weighted."""
        told = sorted(
            f"{source.sha256} {source.measured_s} {source.weight:.6f} {source.stem}"
            for source in self.reference.sources
        )
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    @property
    def sound(self) -> str | None:
        """The sha256 of the samples of the one song that all of it was heard from; None of anything else."""
        sources = self.reference.sources
        whole = len(sources) == 1 and sources[0].measured_s is None and not sources[0].ready_stems
        return sources[0].sha256 if whole else None

    def part(self, name: str) -> tuple[Style, Measures]:
        """The style and the measures of "mix" or a stem."""
        measures = self.reference.measures
        if name == MIX:
            return self.song.mix, measures.mix
        return self.song.stems[name], measures.stems[name]

    def called(self, title: str, tags: Sequence[str]) -> SavedStyle:
        """The same under another name."""
        return replace(self, title=title, tags=tuple(tags))

    def heard_by(self, fingerprint: str) -> SavedStyle:
        """Itself. ConfigError where another encoder heard it: embeddings of two encoders don't compare."""
        if self.song.encoder != fingerprint:
            raise ConfigError(
                f"the style {self.title!r} was heard by encoder {self.song.encoder}, and this is "
                f"{fingerprint}; save it again from its song"
            )
        return self

    def differs_from(self, other: SavedStyle, part: str = MIX) -> list[Difference]:
        """In what its mix, or one stem, differs from another style's."""
        found, asked = self.part(part)[1], other.part(part)[1]
        said = differences(found, asked)
        if part == MIX:
            ours, theirs = self.reference.loudness, other.reference.loudness
            known = math.isfinite(ours.integrated_lufs) and math.isfinite(theirs.integrated_lufs)
            said += [louder(ours.integrated_lufs, theirs.integrated_lufs)] if known else []
            return said + dynamic(ours.range_lu, theirs.range_lu)
        mine, its = (style.reference.measures.mix_of(part).loudness_lufs for style in (self, other))
        return [*said, louder(found.loudness_lufs - mine, asked.loudness_lufs - its, " in its mix")]


def mixed(
    styles: Sequence[SavedStyle], weights: Sequence[float] | None = None, title: str | None = None
) -> SavedStyle:
    """The style between several, as `reference.mixed` has it; their tags together.

    title   "A + B" unless given.
    ConfigError where several encoders or separators heard them, UsageError for weights that make no sense.
    """
    first = styles[0]
    for other in styles[1:]:
        other.heard_by(first.song.encoder)
        if other.separator.fingerprint != first.separator.fingerprint:
            raise ConfigError(
                f"{first.title!r} was separated by {first.separator.name} and {other.title!r} by "
                f"{other.separator.name}; save one of them again with the other's --separator"
            )
    return SavedStyle(
        title=" + ".join(style.title for style in styles) if title is None else title,
        tags=tuple({tag for style in styles for tag in style.tags}),
        separator=first.separator,
        reference=reference.mixed([style.reference for style in styles], weights),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """What hears styles: an encoder, and a separator for the stems.

    cache   where separated stems are kept; None keeps none.
    """

    encoder: LoadedEncoder
    separator: Separator
    cache: StemCache | None

    @classmethod
    def of(
        cls,
        encoder: str | Path = encoders.SHIPPED,
        separator: str = "auto",
        *,
        repo: Path | None = None,
        device: str = "cpu",
        cache: StemCache | None = None,
    ) -> Listener:
        """By name. CheckpointError for an encoder or a separator that can't be had."""
        return cls(encoders.load(encoder, device), choose(separator, repo=repo, device=device), cache)

    def hear(
        self,
        sound: Sound | Song,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        stems_from: Path | None = None,
        range_s: tuple[float, float] | None = None,
        progress: Progress = lambda stage, fraction: None,
    ) -> SavedStyle:
        """The style of a finished mix.

        title       its file's name without suffix unless given.
        stems_from  a folder with its ready-made stems.
        range_s     from and to in seconds: the passage that counts.
        AudioError or StemsError where the sound or its stems can't be used, UsageError for a passage
        that isn't there.
        """
        song = sound if isinstance(sound, Song) else load(sound, "the sound")
        passage = passage_of(song.audio, range_s, "the sound")
        name = song.name
        stems = (
            separate_cached(song.audio, self.separator, self.cache, partial(progress, f"separating {name}"))
            if stems_from is None
            else read_stems(stems_from, song.audio)
        )
        progress(f"hearing {name}", 0.0)
        told = reference.listen(
            song, stems, span_s=range_s, ready_stems=stems_from is not None, confident=stems_from is None
        )
        cut = stems if range_s is None else {stem: sound.excerpt(*range_s) for stem, sound in stems.items()}
        found = SavedStyle(
            title=Path(song.name).stem if title is None else title,
            tags=tuple(tags),
            separator=SeparatorUsed(name=self.separator.name, fingerprint=self.separator.fingerprint),
            reference=replace(told, style=style_of(passage, cut, self.encoder)),
        )
        progress(f"hearing {name}", 1.0)
        return found
