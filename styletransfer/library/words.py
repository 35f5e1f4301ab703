"""What differs between two styles, in words: only what can be heard, the most audible first.

Each difference is held against what is just noticeable:
- level, tone and punch: 1 dB, about what a change of level takes to be heard (Zwicker and Fastl,
  Psychoacoustics, 3rd ed., 7.2; for broad resonances Toole and Olive, JAES 36(3), 1988).
- width: .075 of the correlation of left and right, the just noticeable difference of ISO 3382-1's
  interaural correlation; for mid and side that aren't correlated it follows from their ratio.
- balance: 1 dB between the ears (Mills, JASA 32, 1960).
- loudness range: 2 LU. Nothing is published; halves of one song differ by as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from styletransfer.encoder.measures import BAND_HZ, Measures

LEVEL_DB = 1.0
CORRELATION = 0.075
BALANCE_DB = 1.0
RANGE_LU = 2.0

MOST = 4
"""How many differences are told."""

_EDGES_HZ = (60.0, 250.0, 800.0, 3000.0, 8000.0)
_SILENT_DB = 66.0  # bands so far below the loudest hold nothing
_NARROW_HZ = 15_000.0

Difference = tuple[float, str]
"""How many just noticeable differences it is, and what it is in words."""


def differences(found: Measures, asked: Measures) -> list[Difference]:
    """In what a sound differs from another at any loudness: tone, width, balance, punch, dynamics.

    Silence differs in nothing that could be told.
    """
    if min(found.activity, asked.activity) <= 0:
        return []
    said = _tone(found, asked)
    correlation = _correlation(asked.width_db) - _correlation(found.width_db)
    width_db = found.width_db - asked.width_db
    word = f"{'wider' if width_db > 0 else 'narrower'} by {_figure(abs(width_db))} dB"
    said.append((abs(correlation) / CORRELATION, word if abs(width_db) < 20 else word.split(" by ")[0]))
    side = found.balance_db - asked.balance_db
    said.append(
        (abs(side) / BALANCE_DB, f"{_figure(abs(side))} dB further {'right' if side > 0 else 'left'}")
    )
    punch = found.punch_db - asked.punch_db
    said.append(
        (abs(punch) / LEVEL_DB, f"{'more' if punch > 0 else 'less'} punch by {_figure(abs(punch))} dB")
    )
    return said


def louder(found_lu: float, asked_lu: float, where: str = "") -> Difference:
    """A difference of loudness; `where` follows the words, like " in its mix"."""
    change = found_lu - asked_lu
    return abs(change) / LEVEL_DB, f"{_figure(abs(change))} dB {'louder' if change > 0 else 'softer'}{where}"


def dynamic(found_lu: float | None, asked_lu: float | None) -> list[Difference]:
    """A difference of loudness range, where both are known."""
    if found_lu is None or asked_lu is None:
        return []
    change = found_lu - asked_lu
    word = "more dynamic" if change > 0 else "less dynamic"
    return [(abs(change) / RANGE_LU, f"{word} by {_figure(abs(change))} LU")]


def sentence(said: Sequence[Difference], most: int = MOST, none: str = "no audible difference") -> str:
    """The most audible differences in a line; `none` where none can be heard."""
    heard = sorted((one for one in said if one[0] >= 1), key=lambda one: -one[0])
    return ", ".join(words for _, words in heard[:most]) or none


def typical(of: Sequence[Measures]) -> Measures:
    """The middle of several measures, figure by figure; spectra with their own middle band at 0 dB."""
    numbers = ("crest_db", "punch_db", "spread_db", "width_db", "balance_db", "bandwidth_hz", "activity")
    middle: dict[str, Any] = {
        name: float(torch.tensor([getattr(one, name) for one in of], dtype=torch.float64).quantile(0.5))
        for name in numbers
    }
    middle |= {
        name: torch.stack([getattr(one, name) - one.mid_db.quantile(0.5) for one in of]).quantile(0.5, dim=0)
        for name in ("mid_db", "side_db")
    }
    return replace(of[0], loudness_lufs=0.0, **middle)


def _tone(found: Measures, asked: Measures) -> list[Difference]:
    """By how much ranges of bands lie higher or lower than most bands do; neighbours that agree are one."""
    heard = _held(found) & _held(asked)
    if not heard.any():
        return []
    change = _spectrum(found) - _spectrum(asked)
    change = change - change[heard].quantile(0.5)
    said: list[Difference] = []
    narrow = min(found.bandwidth_hz, asked.bandwidth_hz)
    wide = max(found.bandwidth_hz, asked.bandwidth_hz)
    if narrow < _NARROW_HZ and wide > 1.2 * narrow:
        ends = found.bandwidth_hz < asked.bandwidth_hz
        said.append((10.0, f"{'nothing' if ends else 'goes on'} above {_hertz(narrow)}"))
    edges = (0.0, *_EDGES_HZ, float("inf"))
    open_range: tuple[float, float, list[float]] | None = None
    for low, high in pairwise(edges):
        inside = heard & (low <= BAND_HZ) & (high > BAND_HZ)
        move = float(change[inside].mean()) if inside.any() else 0.0
        if open_range is not None and _alike(open_range[2], move):
            open_range = (open_range[0], high, [*open_range[2], move])
            continue
        said += _told(open_range)
        open_range = (low, high, [move]) if abs(move) >= LEVEL_DB else None
    return said + _told(open_range)


def _alike(moves: list[float], move: float) -> bool:
    mean = sum(moves) / len(moves)
    return abs(move) >= LEVEL_DB and mean * move > 0 and abs(mean - move) < 2 * LEVEL_DB


def _told(of: tuple[float, float, list[float]] | None) -> list[Difference]:
    if of is None:
        return []
    low, high, moves = of
    move = sum(moves) / len(moves)
    by = f"by {_figure(abs(move))} dB"
    if low >= 800 and high == float("inf"):
        words = f"{'brighter' if move > 0 else 'darker'} {by} above {_hertz(low)}"
    elif low == 0 and high <= 250:
        words = f"{'more' if move > 0 else 'less'} bass {by} below {_hertz(high)}"
    elif low == 0:
        words = f"{_figure(abs(move))} dB {'more' if move > 0 else 'less'} below {_hertz(high)}"
    else:
        top = f"above {_hertz(low)}" if high == float("inf") else f"from {_hertz(low)} to {_hertz(high)}"
        words = f"{_figure(abs(move))} dB {'more' if move > 0 else 'less'} {top}"
    return [(abs(move) / LEVEL_DB, words)]


def _spectrum(measures: Measures) -> Tensor:
    """(30,) mid and side together, in dB."""
    return 10 * torch.log10(10 ** (measures.mid_db / 10) + 10 ** (measures.side_db / 10))


def _held(measures: Measures) -> Tensor:
    """Which bands hold music."""
    return (measures.mid_db > measures.mid_db.max() - _SILENT_DB) & (measures.bandwidth_hz >= BAND_HZ)


def _correlation(width_db: float) -> float:
    """Of left and right, where mid and side are not correlated: (M² − S²)/(M² + S²)."""
    ratio = 10 ** (width_db / 10)
    return (1 - ratio) / (1 + ratio)


def _figure(value: float) -> str:
    return f"{value:.1f}" if value < 1.95 else f"{value:.0f}"


def _hertz(frequency_hz: float) -> str:
    return f"{frequency_hz / 1000:.3g} kHz" if frequency_hz >= 1000 else f"{frequency_hz:.0f} Hz"
