"""What is measured of a finished sound, for people: loudness, peaks, width and spectrum."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from styletransfer import mixdown
from styletransfer.audio import Audio
from styletransfer.document import Figures
from styletransfer.encoder.measures import BAND_HZ, Measures, measure
from styletransfer.separation import choose
from styletransfer.sources import Progress, Sound, load
from styletransfer.stem_cache import StemCache, separate_cached


def analyze(
    sound: Sound,
    separator: str | None = None,
    *,
    repo: Path | None = None,
    device: str = "cpu",
    cache: StemCache | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> Figures:
    """Measure a sound, and its stems where a separator is named. Errors as `pipeline.transfer`."""
    song = load(sound, "the sound")
    stems = {}
    if separator is not None:
        used = choose(separator, repo=repo, device=device)
        stage = f"separating {song.name}"
        separated = separate_cached(
            song.audio, used, cache or StemCache(), lambda fraction: progress(stage, fraction)
        )
        stems = {name: _measured(stem) for name, stem in separated.items()}
    return Figures.of(mixdown.loudness_of(song.audio), _measured(song.audio), stems)


def as_json(found: dict[str, Figures]) -> str:
    """The figures of several files as one JSON object; `band_hz` names the spectra's bands."""
    document = {name: figures.model_dump() for name, figures in found.items()}
    return json.dumps({"band_hz": [round(float(f), 1) for f in BAND_HZ], "files": document}, indent=2)


def table(found: dict[str, Figures]) -> Iterator[str]:
    """The figures in lines: levels, then punch, crest, width and an octave spectrum of mix and stems."""
    for name, figures in found.items():
        levels = figures.levels
        yield name
        yield (
            f"  loudness {_text(levels.integrated_lufs)} LUFS, range {_text(levels.range_lu)} LU, "
            f"true peak {_text(levels.true_peak_dbtp)} dBTP, up to {figures.mix.bandwidth_hz / 1000:.1f} kHz"
        )
        octaves = range(1, 30, 3)
        heads = "".join(f"{_hertz(float(BAND_HZ[i])):>6}" for i in octaves)
        yield f"  {'':7} {'LUFS':>6}{'punch':>6}{'crest':>6}{'width':>6}{'bal.':>6} |{heads}"
        for part, m in {"mix": figures.mix, **figures.stems}.items():
            values = (m.loudness_lufs, m.punch_db, m.crest_db, m.width_db, m.balance_db)
            spectrum = "".join(f"{m.mid_db[i]:6.1f}" for i in octaves)
            yield f"  {part:7} {''.join(f'{value:6.1f}' for value in values)} |{spectrum}"


def _measured(audio: Audio) -> Measures:
    return measure(audio.samples, audio.rate)


def _text(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.1f}"


def _hertz(frequency: float) -> str:
    return f"{frequency / 1000:.3g}k" if frequency >= 1000 else f"{frequency:.0f}"
