"""What a transfer leaves in a folder: stems, result.json, and excerpts to compare at equal loudness."""

from __future__ import annotations

import math
from pathlib import Path

from styletransfer import files, mixdown
from styletransfer.audio import Audio
from styletransfer.result import Result

EXCERPT_S = 20.0
"""Length of the excerpts."""


def save_all(result: Result, folder: Path) -> list[Path]:
    """Write `stems/`, `result.json` and the excerpts into a folder, which is made; the paths are returned.

    A.wav is the input and B.wav the result, both from where the input is loudest, reference.wav the
    reference from where it is; all attenuated to the quietest one's loudness, so that louder doesn't win.
    """
    files.make_folder(folder / "stems")
    paths = [
        files.write(folder / "stems" / f"{name}.wav", stem, subtype="FLOAT")
        for name, stem in result.stems.items()
    ]
    for name, excerpt in _excerpts(result).items():
        paths.append(files.write(folder / f"{name}.wav", excerpt))
    return [*paths, result.document.save(folder / "result.json")]


def _excerpts(result: Result) -> dict[str, Audio]:
    span_s = result.song.audio.loudest_s(EXCERPT_S)
    sounds = {"A": result.song.audio.excerpt(*span_s), "B": result.mix.excerpt(*span_s)}
    if result.reference is not None:
        reference = result.reference.audio
        sounds["reference"] = reference.excerpt(*reference.loudest_s(EXCERPT_S))
    meters = {name: mixdown.meter_of(sound) for name, sound in sounds.items()}
    quietest = min(
        (
            m.integrated_lufs - max(0.0, m.true_peak_db + 0.1)
            for m in meters.values()
            if math.isfinite(m.integrated_lufs)
        ),
        default=-math.inf,
    )
    matched = {}
    for name, sound in sounds.items():
        loudness = meters[name].integrated_lufs
        gain_db = quietest - loudness if math.isfinite(loudness) and math.isfinite(quietest) else 0.0
        matched[name] = Audio(sound.samples * 10 ** (min(gain_db, 0.0) / 20), sound.rate)
    return matched
