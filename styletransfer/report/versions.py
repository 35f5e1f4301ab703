"""What is compared on a page: versions of a song, or any sounds, each with a label and its measures."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from styletransfer import mixdown
from styletransfer.audio import Audio
from styletransfer.closeness import Distance, distance
from styletransfer.document import Figures, MeasuresOf
from styletransfer.encoder.measures import Measures, measure
from styletransfer.result import Result
from styletransfer.sources import Song

INPUT, RESULT, REFERENCE = "Input", "Result", "Reference"


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """One of the sounds on a page.

    label            what the page calls it: "Input", or a letter.
    name             its file's name, from outside: to be escaped.
    figures          its levels and measures.
    audio            the sound, on two channels; None where only its figures are known.
    short_term_lufs  loudness of each window of 3 s, every 0.1 s; of 0.4 s where the sound is shorter.
    """

    label: str
    name: str
    figures: Figures
    audio: Audio | None
    short_term_lufs: NDArray[np.float64]


def version_of(label: str, song: Song, figures: Figures | None = None) -> Version:
    """A version from a song; its figures are measured unless given."""
    meter = mixdown.meter_of(song.audio, true_peak=figures is None)
    figures = figures or Figures.of(meter, measure(song.audio.samples, song.audio.rate), {})
    over_time = meter.short_term_lufs if len(meter.short_term_lufs) else meter.momentary_lufs
    return Version(label, song.name, figures, song.audio.with_channels(2), over_time)


def versions_of(result: Result) -> list[Version]:
    """Input, result and reference of a transfer, or as many of them as there are."""
    document = result.document
    finished = Song(result.mix, "", "")
    versions = [
        version_of(INPUT, result.song, document.before),
        version_of(RESULT, finished, document.after),
    ]
    if result.reference is not None:
        versions.append(version_of(REFERENCE, result.reference, document.reference_figures))
    elif document.reference_figures is not None:
        name = document.reference.name if document.reference else ""
        versions.append(Version(REFERENCE, name, document.reference_figures, None, np.zeros(0)))
    return versions


def distance_between(version: Version, other: Version) -> Distance:
    """How far a version lies from another, which is the reference; see `closeness`."""
    return distance(measures_of(version.figures.mix), measures_of(other.figures.mix))


def measures_of(found: MeasuresOf) -> Measures:
    """Saved figures as measures again, with as many digits as were saved."""
    values = {field.name: getattr(found, field.name) for field in fields(Measures)}
    for name in ("mid_db", "side_db"):
        values[name] = torch.tensor(values[name], dtype=torch.float64)
    return Measures(**values)
