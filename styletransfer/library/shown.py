"""What a style holds, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from styletransfer.document import Figures
from styletransfer.encoder.measures import BAND_HZ
from styletransfer.texts import plain

from .saved import SavedStyle


def figures(style: SavedStyle) -> Figures:
    """What was measured, as result.json tells it."""
    reference = style.reference
    return Figures.of(reference.loudness, reference.measures.mix, reference.measures.stems)


def lines(style: SavedStyle) -> Iterator[str]:
    """Its name and where it comes from."""
    yield f"{style.title}{''.join(f' [{tag}]' for tag in style.tags)}"
    for source in style.reference.sources:
        passage = f", {source.measured_s[0]:g}-{source.measured_s[1]:g} s" if source.measured_s else ""
        part = "" if source.stem is None else f"{source.stem} "
        share = "" if source.weight == 1 else f"{source.weight:.0%} "
        length = f"{source.frames / source.rate:.0f} s at {source.rate / 1000:g} kHz"
        yield f"  {share}{part}from {plain(source.name)} ({length}{passage}; {source.sha256[:12]})"
    yield f"  stems by {plain(style.separator.name)}, heard by encoder {plain(style.song.encoder)}"


def as_json(styles: Sequence[SavedStyle]) -> str:
    """Styles as a JSON list, without their embeddings; `band_hz` names the spectra's bands."""
    document = {
        "band_hz": [round(float(f), 1) for f in BAND_HZ],
        "styles": [
            {
                "title": style.title,
                "tags": list(style.tags),
                "sources": [source.model_dump(mode="json") for source in style.reference.sources],
                "separator": style.separator.model_dump(mode="json"),
                "encoder": style.song.encoder,
                "figures": figures(style).model_dump(mode="json"),
            }
            for style in styles
        ],
    }
    return json.dumps(document, indent=2)
