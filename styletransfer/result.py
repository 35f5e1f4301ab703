"""What a transfer gives: a mix, and the document that says how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from styletransfer import files, mixdown
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.document import Document, Source, Warned
from styletransfer.separation import rest_of
from styletransfer.sources import Song


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a transfer gives.

    mix        the finished sound, at the input's rate.
    document   how it was made: settings, measures, warnings; saved as result.json.
    song       the input, `reference` the other side.
    unchanged  the mix is the input, sample by sample.
    """

    mix: Audio
    document: Document
    song: Song
    reference: Song | None
    dry_stems: Stems
    unchanged: bool

    @property
    def stems(self) -> Stems:
        """The stems through their strips, rendered now, and `rest`, which no stem claims; no master."""
        strips = self.document.console.stems()
        stems = {name: mixdown.processed_stem(self.dry_stems[name], strips[name]) for name in STEMS}
        return stems | {"rest": rest_of(self.song.audio, self.dry_stems)}

    @property
    def warnings(self) -> list[Warned]:
        return self.document.warnings

    def write(self, path: str | Path, subtype: str | None = None) -> Path:
        """Write the mix with the input's bit depth; if nothing changed, the input's own frames to the bit."""
        info = self.song.info
        own = info is not None and (info.frames, info.channels) == (self.mix.frames, self.mix.channels)
        if self.unchanged and info is not None and own:
            return files.copy_frames(info.path, path, subtype=subtype)
        dither = torch.Generator().manual_seed(self.document.asked.seed)
        return files.write(path, self.mix, subtype=subtype, like=info, generator=dither)


def source_of(song: Song, span_s: tuple[float, float] | None = None) -> Source:
    """What the document says of a side; `span_s` is the passage that was measured."""
    audio = song.audio
    return Source(
        name=song.name,
        sha256=song.key,
        rate=audio.rate,
        channels=audio.channels,
        frames=audio.frames,
        measured_s=span_s,
    )


def result_of(
    audio: Audio, channels: int | None, document: Document, song: Song, reference: Song | None, dry: Stems
) -> Result:
    """A result from what the desk rendered, in as many channels as asked for, or as the input has."""
    unchanged = audio.samples.data_ptr() == song.audio.samples.data_ptr()
    mix = song.audio if unchanged else audio
    return Result(
        mix.with_channels(channels or song.audio.channels), document, song, reference, dry, unchanged
    )
