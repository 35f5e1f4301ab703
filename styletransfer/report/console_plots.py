"""Pictures of a strip as a person would draw it: equalizer, dynamics, and where its faders stand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.axes import Axes

from styletransfer.converter.console import Settings, Stage, is_neutral

from .console_curves import (
    FREQUENCIES_HZ,
    LEAST_GAIN_DB,
    LEVELS_DB,
    Curve,
    Reduction,
    StripTrace,
    bands_of,
    equalizer_curve_db,
    moves_ears,
    transfer_curve_db,
)
from .drawing import (
    ACCENT,
    GRID,
    INK,
    MUTED,
    VERSION_COLOURS,
    Picture,
    bare_canvas,
    canvas,
    legend,
    minutes,
    over_frequency,
    over_time,
)

_SIDE = VERSION_COLOURS[2]
_NAMED = 0.5  # dB from which a band is told in words


def strip_pictures(
    name: str, table: dict[str, Stage], settings: Settings, trace: StripTrace
) -> list[Picture]:
    """Pictures of all that a strip does; none for what rests."""
    return list(_drawn(name, table, settings, trace))


def _drawn(name: str, table: dict[str, Stage], settings: Settings, trace: StripTrace) -> Iterator[Picture]:
    working = [stage for stage in table if not is_neutral(table[stage], settings[stage])]
    if moves_ears(settings["eq"]) or moves_ears(settings["side_eq"]):
        yield _equalizer(name, settings)
    for stage in ("compressor", "expander"):
        if stage in working:
            yield _transfer(name, stage, settings[stage])
    if any(
        np.nanmax(np.abs(found.gain_db), initial=0) >= LEAST_GAIN_DB for found in trace.reductions.values()
    ):
        yield _reduction(name, trace)
    yield _faders(name, table, settings)


def _equalizer(name: str, settings: Settings) -> Picture:
    """The curve, each band that does something as a dot on its own gain, and the side's curve."""
    with canvas(2.5) as (figure, [axes]):
        axes.axhline(0, color=MUTED, linewidth=0.8)
        curve = equalizer_curve_db(settings["eq"])
        axes.plot(FREQUENCIES_HZ, curve, color=INK, label="left and right")
        axes.fill_between(FREQUENCIES_HZ, 0, curve, color=INK, alpha=0.12, linewidth=0)
        side_moves = moves_ears(settings["side_eq"])
        if side_moves:
            side = curve + equalizer_curve_db(settings["side_eq"])
            axes.plot(FREQUENCIES_HZ, side, color=_SIDE, linestyle="--", label="side signal, in all")
        _bands(axes, settings["eq"], "o", ACCENT)
        if side_moves:
            _bands(axes, settings["side_eq"], "D", _SIDE)
        over_frequency(axes)
        reach = max(6.0, float(np.abs(axes.dataLim.intervaly).max()) + 1)
        axes.set_ylim(-reach, reach)
        axes.set_ylabel("gain, dB")
        legend(figure)
    told = [
        f"{band.gain_db:+.1f} dB at {band.frequency_hz:.0f} Hz"
        for band in bands_of(settings["eq"])
        if abs(band.gain_db) >= _NAMED
    ]
    return Picture(
        f"{name}-eq", figure, "Equalizer; dots are its bands", ", ".join(told) or "No band moves by 0.5 dB."
    )


def _bands(axes: Axes, values: Mapping[str, float], mark: str, colour: str) -> None:
    moved = [band for band in bands_of(values) if abs(band.gain_db) >= LEAST_GAIN_DB]
    axes.plot([b.frequency_hz for b in moved], [b.gain_db for b in moved], mark, color=colour, markersize=4.5)


def _transfer(name: str, stage: str, values: Mapping[str, float]) -> Picture:
    """Level out over level in for steady tones."""
    with canvas(2.5) as (figure, [axes]):
        axes.plot(LEVELS_DB, LEVELS_DB, color=MUTED, linewidth=0.8, linestyle="--")
        axes.plot(LEVELS_DB, transfer_curve_db(stage, values), color=INK)
        axes.axvline(values["threshold_db"], color=ACCENT, linewidth=1)
        axes.text(values["threshold_db"], LEVELS_DB[0], " threshold", color=ACCENT, va="bottom")
        axes.set(xlabel="level in, dBFS", ylabel="level out, dBFS", xlim=(LEVELS_DB[0], 0))
        axes.set_ylim(LEVELS_DB[0], max(0.0, float(transfer_curve_db(stage, values).max())) + 1)
    words = f"{values['ratio']:.2f} : 1, threshold {values['threshold_db']:.1f} dBFS"
    times = f"attack {values['attack_ms']:.0f} ms, release {values['release_ms']:.0f} ms"
    makeup = f", make-up {values['makeup_db']:+.1f} dB" if values.get("makeup_db") else ""
    return Picture(
        f"{name}-{stage}",
        figure,
        f"{stage.capitalize()}: {words}",
        f"Transfer curve; {words}, {times}{makeup}.",
    )


def _reduction(name: str, trace: StripTrace) -> Picture:
    """What compressor, expander and limiter did over a passage."""
    with canvas(1.9) as (figure, [axes]):
        lowest = 0.0
        for (stage, found), colour in zip(trace.reductions.items(), (INK, ACCENT, _SIDE), strict=False):
            axes.plot(*_thinned(found), color=colour, linewidth=1, label=stage)
            lowest = min(lowest, float(np.nanmin(found.gain_db, initial=0)))
        over_time(axes, trace.passage_s[1], trace.passage_s[0])
        axes.set_ylim(min(-3.0, lowest * 1.1), axes.get_ylim()[1] if axes.get_ylim()[1] > 0.5 else 0.3)
        axes.set_ylabel("gain, dB")
        legend(figure)
    start, end = map(minutes, trace.passage_s)
    most = ", ".join(f"{s} {np.nanmin(f.gain_db, initial=0):.1f} dB" for s, f in trace.reductions.items())
    return Picture(
        f"{name}-reduction",
        figure,
        f"Gain reduction, {start} to {end}",
        f"What the dynamics took off from moment to moment; at most {most}.",
    )


def _thinned(found: Reduction, points: int = 400) -> tuple[Curve, Curve]:
    """At most so many points; each keeps the strongest gain of its piece."""
    pieces = np.array_split(np.arange(len(found.gain_db)), min(points, max(1, len(found.gain_db))))
    times, gains = [], []
    for piece in pieces:
        values = found.gain_db[piece]
        known = values[~np.isnan(values)]
        times.append(float(found.seconds[piece].mean()) if len(piece) else np.nan)
        gains.append(float(known[np.abs(known).argmax()]) if len(known) else np.nan)
    return np.array(times), np.array(gains)


def _faders(name: str, table: dict[str, Stage], settings: Settings) -> Picture:
    """Level, width, balance, saturation and reverb as faders, with their values."""
    rows = [
        (words, place, value)
        for stage, words, place, value in _positions(settings)
        if stage in table
        and (stage in ("gain", "width", "balance", "reverb") or not is_neutral(table[stage], settings[stage]))
    ]
    with bare_canvas(0.15 + 0.36 * len(rows)) as (figure, axes):
        for row, (words, place, value) in enumerate(rows):
            neutral = 0.0 if words in ("Reverb", "Saturation") else 0.5
            axes.plot([0, 1], [row, row], color=GRID, linewidth=3, solid_capstyle="round")
            axes.plot([neutral, place], [row, row], color=INK, linewidth=3, solid_capstyle="butt")
            axes.plot([neutral], [row], "|", color=MUTED, markersize=9)
            axes.plot([place], [row], "o", color=ACCENT, markersize=8)
            axes.text(-0.04, row, words, ha="right", va="center")
            axes.text(1.04, row, value, va="center")
        axes.set(xlim=(-0.35, 1.6), ylim=(len(rows) - 0.5, -0.5))
    said = ", ".join(f"{words.lower()} {value}" for words, _, value in rows)
    return Picture(f"{name}-faders", figure, "Level, width and space", said.capitalize() + ".")


def _positions(settings: Settings) -> Iterator[tuple[str, str, float, str]]:
    """Stage, its name, where its fader stands (0 to 1), and its value in words."""
    if "gain" in settings:
        gain_db = settings["gain"]["gain_db"]
        yield "gain", "Level", _clipped(0.5 + gain_db / 24), f"{gain_db:+.1f} dB"
    if "width" in settings:
        width = settings["width"]["width"]
        width_db = 20 * math.log10(max(width, 1e-3))
        yield "width", "Width", _clipped(0.5 + width_db / 24), "mono" if width == 0 else f"{width_db:+.1f} dB"
    if "balance" in settings:
        balance = settings["balance"]["balance"]
        side = (
            "centre" if abs(balance) < 0.005 else f"{abs(balance):.0%} {'right' if balance > 0 else 'left'}"
        )
        yield "balance", "Balance", _clipped(0.5 + balance / 2), side
    if "saturation" in settings:
        drive_db = settings["saturation"]["drive_db"]
        yield "saturation", "Saturation", _clipped(drive_db / 30), f"{drive_db:.1f} dB drive"
    if "reverb" in settings:
        wet, decay_s = settings["reverb"]["wet"], settings["reverb"]["decay_s"]
        yield "reverb", "Reverb", _clipped(wet), f"{wet:.0%} of {decay_s:.1f} s" if wet else "none"


def _clipped(place: float) -> float:
    return min(max(place, 0.0), 1.0)
