"""Figures and warnings in words that need no manual."""

from __future__ import annotations

from collections.abc import Sequence

from styletransfer.notes import Code

from .versions import Version

HEADINGS: dict[Code | str, str] = {
    "stem-absent": "Nothing to match",
    "stem-leaky": "Stem not clean",
    "level-capped": "Level held back",
    "eq-capped": "Equalizer held back",
    "bandwidth-limited": "Treble is missing",
    "dynamics-crushed": "Peaks were flattened before",
    "clipping-baked": "Clipping stays",
    "reverb-baked": "A room stays",
    "content-held": "Held back, so that notes stay",
    "network-failed": "No network for this stem",
    "mono-input": "The input is mono",
    "mono-output": "The output is mono",
    "gate-reduced": "Less is closer",
    "gate-closed": "Left as it was",
    "gate-stem": "Stem left as it was",
    "between-farther": "No closer than your song",
    "loudness-missed": "Not as loud as asked",
    "stems-separated-again": "Separated again",
    "separator-changed": "The separator has changed",
    "style-separator": "Style heard by another separator",
    "refinement-impossible": "Not refined",
    "refinement-dropped": "Refinement taken back",
    "preset": "Used as a preset",
    "clipped": "Beyond full scale",
}
"""What a warning is about, by its code."""


def figure_rows(versions: Sequence[Version]) -> list[tuple[str, str, list[str]]]:
    """Name, unit and the value of each version, row by row."""
    rows: list[tuple[str, str, list[float | None]]] = [
        ("Loudness", "LUFS", [v.figures.levels.integrated_lufs for v in versions]),
        ("Loudness range", "LU", [v.figures.levels.range_lu for v in versions]),
        ("True peak", "dBTP", [v.figures.levels.true_peak_dbtp for v in versions]),
        ("Crest factor", "dB", [v.figures.mix.crest_db for v in versions]),
        ("Punch (short-term crest)", "dB", [v.figures.mix.punch_db for v in versions]),
        ("Level spread", "dB", [v.figures.mix.spread_db for v in versions]),
        ("Width (side over mid)", "dB", [v.figures.mix.width_db for v in versions]),
        ("Balance (right over left)", "dB", [v.figures.mix.balance_db for v in versions]),
        ("Music up to", "kHz", [v.figures.mix.bandwidth_hz / 1000 for v in versions]),
    ]
    return [
        (name, unit, ["n/a" if x is None else f"{round(x, 1) + 0.0:.1f}" for x in values])
        for name, unit, values in rows
    ]
