"""Settings that move with the song, without zipper noise: a ladder of fixed settings, blended as it plays.

No parameter ever jumps: each rung of the ladder is rendered with settings that stand still, and the sound is
at every moment the weighted mean of two neighbouring rungs, the weights being straight lines in time. Rungs
are so close that the blend of two equals the setting between them, in level as in phase, so nothing combs.
Rooms would: two delays side by side, rung after rung, flutter. So where both ends have a room and not the
same one, rooms keep their shape, and the first's gives way to the second's over the whole song.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch

from styletransfer import scratch
from styletransfer.applying import render
from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import MASTER, STRIP, Settings, Stage, is_neutral
from styletransfer.converter.fx.ballistics import hop_frames

from .equalizers import curve_db

REST = 0.05
"""The share of the song, at its start and its end, in which the settings rest at the first and the last."""

STEP_DB = 0.75
"""No curve, level or width moves further than this from rung to rung."""

RUNGS = (9, 65)
_REMEMBERING = {"compressor", "expander", "limiter", "reverb"}
_SETTLE = 9.2  # time constants until 80 dB of a start are forgotten
_SHORTEST_S = 1.0
_LONGEST_S = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """All strips' settings at one point of the way."""

    strips: dict[str, Settings]
    master: Settings


def ladder(rung_at: Callable[[float], Rung]) -> list[Rung]:
    """Rungs, evenly from 0 to 1, as many as it takes for neighbours to be close."""
    first, middle, last = (rung_at(at) for at in (0.0, 0.5, 1.0))
    way_db = distance_db(first, middle) + distance_db(middle, last)
    count = min(max(math.ceil(way_db / STEP_DB) + 1, RUNGS[0]), RUNGS[1])
    return [first, *(rung_at(step / (count - 1)) for step in range(1, count - 1)), last]


def distance_db(first: Rung, second: Rung) -> float:
    """The furthest that any strip's curve, level, width, make-up or threshold lies apart, in dB."""
    pairs = [(STRIP, settings, second.strips[name]) for name, settings in first.strips.items()]
    return max(_apart_db(*pair) for pair in [*pairs, (MASTER, first.master, second.master)])


def sweep(song: Audio, stems: Stems, rungs: list[Rung], progress: Callable[[float], None]) -> Audio:
    """A stereo song whose settings move along the rungs while it plays, evenly between two short rests."""
    grid_s = _grid_s({song.rate, *(stem.rate for stem in stems.values())})
    total = scratch.allocate(2, song.frames)
    last = len(rungs) - 1
    ladders = _ladders(rungs)
    for number in range(len(rungs)):
        start_s, end_s = (song.duration_s * _time_of((number + by) / last) for by in (-1, 1))
        start, end = max(round(start_s * song.rate), 0), min(round(end_s * song.rate), song.frames)
        for fading, rooms in enumerate(ladders):
            rung = rooms[number]
            lead_s = max(0, math.floor((start_s - settling_s(rung)) / grid_s)) * grid_s
            span_s = float(lead_s), min(end_s + _SHORTEST_S, song.duration_s)
            piece = render(
                song.excerpt(*span_s),
                {name: stem.with_channels(2).excerpt(*span_s) for name, stem in stems.items()},
                rung.strips,
                rung.master,
            )
            for block in range(start, end, 2**18):
                stop = min(block + 2**18, end)
                time = torch.arange(block, stop, dtype=torch.float64) / song.frames
                way = ((time - REST) / (1 - 2 * REST)).clamp(0, 1)
                weight = (1 - (way * last - number).abs()).clamp(min=0)
                if len(ladders) > 1:
                    weight *= way if fading else 1 - way
                first = round(lead_s * song.rate)
                total[:, block:stop] += weight.float() * piece.samples[:, block - first : stop - first]
        scratch.release(total)
        progress((number + 1) / len(rungs))
    return Audio(total, song.rate)


def _ladders(rungs: list[Rung]) -> list[list[Rung]]:
    """The ladder itself; where rooms differ, it with the first rung's rooms, and with the last one's."""
    ends = rungs[0].strips, rungs[-1].strips
    different = [
        name
        for name in ends[0]
        if not any(is_neutral(STRIP["reverb"], end[name]["reverb"]) for end in ends)
        and _room(ends[0][name]) != _room(ends[1][name])
    ]
    if not different:
        return [rungs]
    return [[_with_rooms(rung, end, different) for rung in rungs] for end in ends]


def _room(settings: Settings) -> dict[str, float]:
    return {name: value for name, value in settings["reverb"].items() if name != "wet"}


def _with_rooms(rung: Rung, end: dict[str, Settings], names: list[str]) -> Rung:
    """A rung with some strips' rooms from an end, each as loud as it was."""
    moved = {name: {**rung.strips[name]} for name in names}
    for name, settings in moved.items():
        settings["reverb"] = settings["reverb"] | _room(end[name])
    return Rung(rung.strips | moved, rung.master)


def settling_s(rung: Rung) -> float:
    """How long before it is heard a rung has to run: until its filters, gains and rooms have settled."""
    slowest_s = 0.0
    for settings in [*rung.strips.values(), rung.master]:
        for name in _REMEMBERING & settings.keys():
            knobs = settings[name]
            if name != "limiter" and is_neutral(STRIP[name], knobs):
                continue
            if name == "reverb":
                slowest_s = max(slowest_s, 1.5 * knobs["decay_s"] + knobs["predelay_ms"] / 1000)
            else:
                times_ms = knobs["release_ms"], knobs.get("attack_ms", 0.0)
                slowest_s = max(slowest_s, _SETTLE * max(times_ms) / 1000)
    return min(_SHORTEST_S + slowest_s, _LONGEST_S)


def _grid_s(rates: set[int]) -> Fraction:
    """Seconds from one moment to the next at which control hops, and so frames, begin at all rates.

    What starts there sounds as if it had been running since the song began: gains that follow levels do so
    on a grid of hops, and on a shifted one they differ by −34 dB on music.
    """
    hops_s = [Fraction(hop_frames(rate), rate).as_integer_ratio() for rate in rates]
    wholes, parts = zip(*hops_s, strict=True)
    return Fraction(math.lcm(*wholes), math.gcd(*parts))


def _time_of(place: float) -> float:
    """The share of the song at which the settings stand at a share of the way; its ends beyond the way."""
    return 0.0 if place <= 0 else 1.0 if place >= 1 else REST + (1 - 2 * REST) * place


def _apart_db(table: dict[str, Stage], first: Settings, second: Settings) -> float:
    """Curves of both equalizers added up, and what else moves the level."""
    apart = sum(
        float((curve_db(table[name], first[name]) - curve_db(table[name], second[name])).abs().max())
        for name in ("eq", "side_eq")
    )
    apart += abs(first["gain"]["gain_db"] - second["gain"]["gain_db"])
    widths = [max(settings["width"]["width"], 0.1) for settings in (first, second)]
    apart += abs(20 * math.log10(widths[0] / widths[1]))
    for knob in ("threshold_db", "makeup_db"):
        apart += abs(first["compressor"][knob] - second["compressor"][knob]) / 2
    return apart
