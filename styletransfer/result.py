"""What a transfer gives: a mix, and the document that says how it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from styletransfer import files, mixdown
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.document import Document, Levels, Source, Warned
from styletransfer.separation import rest_of
from styletransfer.sources import Song
from styletransfer.treating import TreatedStems


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a transfer gives.

    mix        the finished sound, at the input's rate.
    document   how it was made: settings, measures, warnings; saved as result.json.
    song       the input, `reference` the other side, each with its stems before the console.
    unchanged  the mix is the input, sample by sample.
    treated    the stems that a network made anew, as much of them as is heard.
    """

    mix: Audio
    document: Document
    song: Song
    reference: Song | None
    dry_stems: Stems
    reference_stems: Stems | None
    unchanged: bool
    treated: TreatedStems = field(default_factory=dict)

    @property
    def stems(self) -> Stems:
        """The stems through their strips, rendered now, and `rest`, which no stem claims; no master."""
        strips = self.document.console.stems()
        stems = {
            name: mixdown.processed_stem(self.dry_stems[name], strips[name], self.treated.get(name))
            for name in STEMS
        }
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


def source_of(song: Song, span_s: tuple[float, float] | None = None, ready_stems: bool = False) -> Source:
    """What the document says of a side.

    span_s  the passage that was measured; `ready_stems` tells that the stems were given.
    """
    audio = song.audio
    return Source(
        name=song.name,
        sha256=song.key,
        rate=audio.rate,
        channels=audio.channels,
        frames=audio.frames,
        measured_s=span_s,
        ready_stems=ready_stems,
    )


def result_of(
    audio: Audio,
    document: Document,
    song: Song,
    dry: Stems,
    reference: Song | None = None,
    reference_stems: Stems | None = None,
    treated: TreatedStems | None = None,
) -> Result:
    """A result from what was rendered, in as many channels as asked for, or as the input has.

    Its figures are measured on these channels, and samples beyond full scale are noted.
    """
    unchanged = audio.samples.data_ptr() == song.audio.samples.data_ptr()
    mix = song.audio if unchanged else audio
    mix = mix.with_channels(document.asked.channels or song.audio.channels)
    if mix.channels == 1 and document.after is not None:
        document.after.levels = Levels.of(mixdown.loudness_of(mix))
    over = 0 if unchanged else files.overs(mix)
    if over:
        message = f"{over} samples lie beyond full scale; integer files clip them, --true-peak -1 avoids them"
        document.warnings.append(Warned(code="clipped", message=message))
    return Result(mix, document, song, reference, dry, reference_stems, unchanged, treated or {})
