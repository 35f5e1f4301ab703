"""The numbers behind a strip's plots: what its equalizer and dynamics do, and what they did to a passage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from styletransfer import mixdown
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, Settings, Stage, is_neutral, neutral
from styletransfer.converter.rendering import stages_of
from styletransfer.result import Result

Curve = NDArray[np.float64]

FREQUENCIES_HZ: Curve = np.geomspace(20, 20_000, 181)
"""Where equalizer curves are drawn."""

LEVELS_DB: Curve = np.linspace(-72, 0, 73)
"""Levels in at which transfer curves are drawn, dBFS."""

LEAST_GAIN_DB = 0.05
"""What an equalizer's band or a trace moves less than isn't drawn."""

PRE_ROLL_S = 10.0
"""What detectors and reverbs hear before a passage: longer than any release or decay matters."""

_CURVE_RATE = 48_000
_TRACE_STEP_S = 0.01
_SILENT = 1e-10  # mean square below which no gain can be told


class Band(NamedTuple):
    """One band of an equalizer as it is set."""

    name: str
    frequency_hz: float
    gain_db: float
    q: float


class Reduction(NamedTuple):
    """The gain that a stage gave from moment to moment, without make-up: 0 dB or, mostly, less.

    seconds in the song; NaN where the sound is silent.
    """

    seconds: Curve
    gain_db: Curve


@dataclass(frozen=True, slots=True, eq=False)
class StripTrace:
    """Where a strip was watched, from and to in seconds, what its dynamics did there, by stage, and what
    came out."""

    passage_s: tuple[float, float]
    reductions: dict[str, Reduction]
    output: Audio


def bands_of(values: Mapping[str, float]) -> list[Band]:
    """An equalizer's bands from low to high."""
    names = [knob.removesuffix("_gain_db") for knob in values if knob.endswith("_gain_db")]
    return [Band(n, values[f"{n}_frequency_hz"], values[f"{n}_gain_db"], values[f"{n}_q"]) for n in names]


def moves_ears(values: Mapping[str, float]) -> bool:
    """Whether some band of an equalizer does what could be heard."""
    return any(abs(band.gain_db) >= LEAST_GAIN_DB for band in bands_of(values))


def equalizer_curve_db(values: Mapping[str, float]) -> Curve:
    """Gain of an equalizer at FREQUENCIES_HZ."""
    bands = bands_of(values)
    response = fx.equalizer_response_db(
        torch.from_numpy(FREQUENCIES_HZ),
        _CURVE_RATE,
        gain_db=[band.gain_db for band in bands],
        frequency_hz=[band.frequency_hz for band in bands],
        q=[band.q for band in bands],
    )
    return np.asarray(response.numpy())


def transfer_curve_db(stage: str, values: Mapping[str, float]) -> Curve:
    """Level out of the compressor or expander for steady tones at LEVELS_DB."""
    curve = fx.compressed_level_db if stage == "compressor" else fx.expanded_level_db
    times = ("attack_ms", "release_ms")
    knobs = {name: value for name, value in values.items() if name not in times}
    return np.asarray(curve(torch.from_numpy(LEVELS_DB), **knobs).numpy())


def traces_of(result: Result, passages_s: Mapping[str, tuple[float, float]]) -> dict[str, StripTrace]:
    """What each strip's dynamics did in its passage (from and to in seconds), rendered anew with a pre-roll.

    passages_s  by stem, and "master".
    """
    console, treated = result.document.console, result.treated
    traces = {}
    for name, settings in console.stems().items():
        span_s = (max(0.0, passages_s[name][0] - PRE_ROLL_S), passages_s[name][1])
        stem = result.dry_stems[name].excerpt(*span_s)
        if name in treated:
            stem = mixdown.processed_stem(stem, neutral(STRIP), treated[name].excerpt(*span_s))
        traces[name] = _trace(STRIP, settings, stem, passages_s[name], start_s=span_s[0])
    span_s = (max(0.0, passages_s["master"][0] - PRE_ROLL_S), passages_s["master"][1])
    stems: Stems = {name: result.dry_stems[name].excerpt(*span_s) for name in STEMS}
    passages = {name: one.excerpt(*span_s) for name, one in treated.items()}
    bus = mixdown.mix_bus(result.song.audio.excerpt(*span_s), stems, console.stems(), passages)
    traces["master"] = _trace(MASTER, console.master, bus, passages_s["master"], start_s=span_s[0])
    return traces


def _trace(
    table: dict[str, Stage],
    settings: Settings,
    audio: Audio,
    passage_s: tuple[float, float],
    start_s: float = 0.0,
) -> StripTrace:
    """Watch a strip at work on a sound that begins at `start_s` of the song."""
    from_s = max(start_s, passage_s[0] - PRE_ROLL_S)
    heard = audio.excerpt(from_s - start_s, passage_s[1] - start_s).with_channels(2)
    samples, reductions = heard.samples, {}
    for name, stage in table.items():
        dynamic = name in ("compressor", "expander", "limiter")
        if name == "limiter":
            stages: list[fx.Stage] = [fx.Limiter(heard.rate, **settings[name])]
        elif is_neutral(stage, settings[name]):
            continue
        else:
            stages = stages_of({name: stage}, settings, heard.rate)
        output = fx.render(samples, stages)
        if dynamic:
            makeup_db = settings[name].get("makeup_db", 0.0)
            gain_db = _gain_db(samples, output, heard.rate) - makeup_db
            seconds: Curve = from_s + _TRACE_STEP_S * (np.arange(len(gain_db), dtype=np.float64) + 0.5)
            kept = seconds >= passage_s[0]
            reductions[name] = Reduction(seconds[kept], gain_db[kept])
        samples = output
    skipped = round((passage_s[0] - from_s) * heard.rate)
    return StripTrace(passage_s, reductions, Audio(samples[:, skipped:], heard.rate))


def _gain_db(before: Tensor, after: Tensor, rate: int) -> Curve:
    """Level of what came out over what went in, per _TRACE_STEP_S."""
    length = max(1, round(_TRACE_STEP_S * rate))
    frames = before.shape[1] // length * length
    energies = [
        sound[:, :frames].double().square().mean(0).reshape(-1, length).mean(1).numpy()
        for sound in (before, after)
    ]
    silent = np.minimum(*energies) < _SILENT
    ratio = np.divide(energies[1], energies[0], out=np.ones_like(energies[0]), where=~silent)
    return np.asarray(np.where(silent, np.nan, 10 * np.log10(ratio)), np.float64)
