"""What a transfer leaves in a folder: stems, result.json, and excerpts to compare at equal loudness."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from styletransfer import files, mixdown
from styletransfer.audio import Audio
from styletransfer.result import Result

EXCERPT_S = 20.0
"""Length of the excerpts."""


def save_all(result: Result, folder: Path) -> list[Path]:
    """Write `stems/`, `result.json` and the excerpts into a folder, which is made; the paths are returned.

    A.wav is the input, B.wav the result, reference.wav the reference, each from where the input is
    loudest, and all attenuated to the loudness of the quietest, so that louder doesn't win.
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
    start_s = _loudest_start_s(result.song.audio)
    sounds = {
        "A": result.song.audio.excerpt(start_s, start_s + EXCERPT_S),
        "B": result.mix.excerpt(start_s, start_s + EXCERPT_S),
    }
    if result.reference is not None:
        reference = result.reference.audio
        start_s = _loudest_start_s(reference)
        sounds["reference"] = reference.excerpt(start_s, start_s + EXCERPT_S)
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


def _loudest_start_s(audio: Audio) -> float:
    hop = audio.rate
    energy = torch.stack([block.square().sum() for block in audio.blocks(hop)])
    span = min(len(energy), round(EXCERPT_S))
    return float(energy.unfold(0, span, 1).sum(-1).argmax())
