"""Pictures of the sounds beside each other: outlines, spectra, loudness, dynamics, width, goniometers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from styletransfer.audio import Audio
from styletransfer.closeness import Distance
from styletransfer.encoder.measures import BAND_HZ

from .curves import (
    WIDTH_FLOOR_DB,
    goniometer,
    loudness_over_time,
    outline,
    third_octaves_db,
    width_by_band_db,
)
from .drawing import (
    GRID,
    INK,
    LINES,
    MUTED,
    VERSION_COLOURS,
    Picture,
    backdrop,
    bare_canvas,
    canvas,
    legend,
    over_frequency,
    over_time,
)
from .versions import Version

_GONIOMETER_S = 20.0
_GONIOMETER_POINTS = 1500
_OUTLINE_COLUMNS = 360
_LANE_COLUMNS = 300


def pictures_of(versions: Sequence[Version]) -> list[Picture]:
    """All pictures of some sounds, as far as they can be drawn."""
    heard = [version for version in versions if version.audio is not None]
    return [
        overview(heard),
        spectra(versions),
        loudness(heard),
        dynamics(versions),
        width(versions),
        stereo(heard),
    ]


def overview(versions: Sequence[Version]) -> Picture:
    """The outline of each whole sound, one below another, on one time axis."""
    end_s = max((audio.duration_s for _, audio, _ in _heard(versions)), default=0.0)
    with canvas(0.5 + 0.6 * len(versions), rows=len(versions), left_in=0.8, sharex=True) as (figure, lanes):
        for axes, (version, audio, colour) in zip(lanes, _heard(versions), strict=True):
            low, high = outline(audio, _OUTLINE_COLUMNS)
            times = np.linspace(0, audio.duration_s, _OUTLINE_COLUMNS)
            axes.fill_between(times, low, high, color=colour, linewidth=0)
            axes.set(ylim=(-1.05, 1.05), yticks=[0], yticklabels=[version.label])
            over_time(axes, end_s)
    names = ", ".join(version.label for version in versions)
    return Picture("overview", figure, "Waveforms", f"Outlines of {names} over time, full scale is 1.")


def lane(key: str, audio: Audio, number: int, peak: float, duration_s: float) -> Markup:
    """The outline of a passage, without axes, for a player to draw over.

    number  of the version, from 0; `peak` fills the height, `duration_s` the width.
    """
    with bare_canvas(0.42) as (figure, axes):
        low, high = outline(audio, _LANE_COLUMNS)
        times = np.linspace(0, audio.duration_s, _LANE_COLUMNS)
        axes.fill_between(times, low, high, color=VERSION_COLOURS[number], linewidth=0)
        axes.set(xlim=(0, max(duration_s, 0.01)), ylim=(-peak or -1, peak or 1))
    return backdrop(figure, key)


def spectra(versions: Sequence[Version]) -> Picture:
    """Third-octave spectra at equal loudness."""
    with canvas(2.7) as (figure, [axes]):
        for number, version in enumerate(versions):
            levels_db = third_octaves_db(version.figures)
            axes.plot(BAND_HZ.numpy(), levels_db, **_line(number), label=version.label)
        over_frequency(axes)
        axes.set_ylabel("dB re loudness")
        legend(figure)
    return Picture(
        "spectra",
        figure,
        "Tone: third-octave spectra at equal loudness",
        "Level of each third octave from 25 Hz to 20 kHz, one line per sound; the table of figures and "
        "report.json hold the numbers.",
    )


def loudness(versions: Sequence[Version]) -> Picture:
    """Short-term loudness over time."""
    with canvas(2.3) as (figure, [axes]):
        end_s = 0.1
        for number, version in enumerate(versions):
            times, lufs = loudness_over_time(version)
            axes.plot(times, lufs, **_line(number), label=version.label)
            end_s = max(end_s, version.audio.duration_s if version.audio else 0.0)
        over_time(axes, end_s)
        axes.set_ylabel("LUFS")
        legend(figure)
    return Picture(
        "loudness",
        figure,
        "Short-term loudness over time",
        "Short-term loudness after EBU R 128, one line per sound.",
    )


def dynamics(versions: Sequence[Version]) -> Picture:
    """Crest factors and loudness range on one axis."""
    rows = ("Crest factor", "Short-term crest (punch)", "Loudness range", "Level spread")
    with canvas(2.1, left_in=1.65) as (figure, [axes]):
        for number, version in enumerate(versions):
            mix, levels = version.figures.mix, version.figures.levels
            range_lu = np.nan if levels.range_lu is None else levels.range_lu
            values = (mix.crest_db, mix.punch_db, range_lu, mix.spread_db)
            heights = np.arange(len(rows)) + 0.13 * (number - (len(versions) - 1) / 2)
            axes.plot(values, heights, _MARKS[number], color=VERSION_COLOURS[number], label=version.label)
        axes.set_yticks(range(len(rows)), rows)
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("dB (loudness range: LU)")
        legend(figure)
    return Picture(
        "dynamics",
        figure,
        "Dynamics: crest factor and loudness range",
        "Peak over RMS of the whole and of 400 ms, loudness range, and how far loud moments stand above "
        "usual ones; the table of figures holds the numbers.",
    )


def width(versions: Sequence[Version]) -> Picture:
    """Side over mid per third octave."""
    with canvas(2.3) as (figure, [axes]):
        for number, version in enumerate(versions):
            axes.plot(
                BAND_HZ.numpy(), width_by_band_db(version.figures), **_line(number), label=version.label
            )
        over_frequency(axes)
        axes.set_ylim(bottom=WIDTH_FLOOR_DB - 1)
        axes.set_ylabel("side over mid, dB")
        legend(figure)
    return Picture(
        "width",
        figure,
        "Stereo width by band",
        "Energy of the side signal over that of the mid per third octave: 0 dB is as much side as mid, "
        "−40 dB can't be told from mono.",
    )


def stereo(versions: Sequence[Version]) -> Picture:
    """A goniometer for each sound, of its loudest passage."""
    columns = min(3, max(1, len(versions)))
    rows = -(-max(1, len(versions)) // columns)
    with canvas(1.9 * rows, rows=rows, columns=columns, left_in=0.1) as (figure, cells):
        figure.subplots_adjust(bottom=0.02)
        for axes in cells:
            axes.axis("off")
        for axes, (version, audio, colour) in zip(cells, _heard(versions), strict=False):
            across, along = goniometer(audio.excerpt(*audio.loudest_s(_GONIOMETER_S)), _GONIOMETER_POINTS)
            for angle in (0, 45, 90, 135):
                x, y = np.cos(np.radians(angle)), np.sin(np.radians(angle))
                axes.plot([-x, x], [-y, y], color=GRID, linewidth=0.6)
            starts = np.column_stack((across, along)).round(3)
            vertices = np.repeat(starts, 2, axis=0)
            vertices[1::2, 0] += 0.004
            codes = np.tile([Outline.MOVETO, Outline.LINETO], len(starts))
            dots = PathPatch(
                Outline(vertices, codes), fill=False, edgecolor=colour, linewidth=1.1, capstyle="round"
            )
            axes.add_patch(dots)
            axes.text(-0.72, 0.74, "L", color=MUTED, ha="right")
            axes.text(0.72, 0.74, "R", color=MUTED)
            axes.set_title(version.label, fontsize=9, color=INK)
            axes.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal")
    return Picture(
        "goniometer",
        figure,
        "Goniometer of the loudest passage",
        "Dots of left against right, turned by 45 degrees: mono is an upright line, width spreads it.",
    )


def distances(before: Distance, after: Distance) -> Picture:
    """Each term of the distance to the reference, before and after."""
    names = [field.name for field in fields(Distance)]
    with canvas(2.4, left_in=0.75) as (figure, [axes]):
        for number, found in enumerate((before, after)):
            values = [getattr(found, name) for name in names]
            places = np.arange(len(names)) + 0.36 * (number - 0.5)
            label = ("Input", "Result")[number]
            axes.barh(places, values, 0.32, color=VERSION_COLOURS[number], label=label)
        axes.set_yticks(range(len(names)), [name.capitalize() for name in names])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("dB away from the reference")
        legend(figure)
    return Picture(
        "distances",
        figure,
        "Distance to the reference, before and after",
        "One pair of bars per term; the table beside it holds the numbers.",
    )


_MARKS = ("o", "s", "D", "^", "v", "<", ">", "p", "*")


def _line(number: int) -> dict[str, Any]:
    return {"color": VERSION_COLOURS[number], "linestyle": LINES[number]}


def _heard(versions: Sequence[Version]) -> list[tuple[Version, Audio, str]]:
    return [
        (version, version.audio, VERSION_COLOURS[number])
        for number, version in enumerate(versions)
        if version.audio is not None
    ]
