"""Pairs of passages as lessons: what the network is told of each strip, and what should have been set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from styletransfer.audio import STEMS
from styletransfer.converter import mixing, parameters
from styletransfer.converter.console import MASTER, STRIP, Stage
from styletransfer.converter.fx import equalizer_response_db
from styletransfer.converter.network import STRIPS, Heard, by_table, padded
from styletransfer.converters.console import heard
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.measures import BAND_HZ, Measures
from styletransfer.matching import match_master, match_stems
from styletransfer.matching.dynamics import choose_dynamics, choose_glue
from styletransfer.style import Style

from .passages import CONDITIONS, Passage, Side

_AUDIBLE_DB = 50.0
_SIDE_DB = 30.0
_THIRD_OCTAVE = 2 ** (1 / 6) - 2 ** (-1 / 6)
_BIN_HZ = 32.0
_SOFT_DB, _SOFT_SLOPE_DB = -80.0, 5.0
_PRESENT_LUFS = -60.0


class Lessons(NamedTuple):
    """Strips of pairs, one row each.

    heard       what the network is told.
    strip       (rows,) numbers of STRIPS.
    truth       (rows, knobs) true positions.
    audible     (rows, 2, 30) how much each third octave of mid and side counts, adding up to 1 or all 0.
    bins        (rows, 2, 30) the share of a spectrum's bins that are each third octave's and not too soft.
    offset_db   (rows,) what the truth's level is raised by, since a pair's common level is the master's, and
                the master's follows the loudness that is asked.
    place       (rows, 4) numbers of: input passage, reference passage, take, condition.
    """

    heard: Heard
    strip: Tensor
    truth: Tensor
    audible: Tensor
    bins: Tensor
    offset_db: Tensor
    place: Tensor

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.strip)

    def of(self, rows: Tensor) -> Lessons:
        """Only these rows."""
        return Lessons(Heard(*(part[rows] for part in self.heard)), *(part[rows] for part in self[1:]))


def gather(
    passages: Sequence[Passage],
    inputs: int,
    separated_share: float,
    generator: Generator,
    progress: Callable[[float], None] = lambda share: None,
) -> Lessons:
    """Lessons from passages: each take of each is the reference of so many others, of other pieces."""
    rows: list[Lessons] = []
    for number, theirs in enumerate(passages):
        others = [index for index, one in enumerate(passages) if one.neutral.piece != theirs.neutral.piece]
        for take in range(len(theirs.settings)):
            for index in torch.randperm(len(others), generator=generator)[:inputs].tolist():
                separated = float(torch.rand((), generator=generator)) < separated_share
                pair = lesson(passages[others[index]], theirs, take, CONDITIONS[separated])
                if pair is not None:
                    told = torch.tensor([others[index], number, take, int(separated)])
                    rows.append(pair._replace(place=told.expand(pair.rows, -1)))
        progress((number + 1) / len(passages))
    return joined(rows)


def lesson(ours: Passage, theirs: Passage, take: int, condition: str) -> Lessons | None:
    """The strips that both passages have, in one condition, and the master; None where they share no stem."""
    before, after = ours.sides[condition][0], theirs.sides[condition][take + 1]
    strips, _ = match_stems(before.measures, after.measures)
    playing = [name for name in STEMS if name in ours.neutral.names and name in theirs.neutral.names]
    names = [
        name
        for name in playing
        if before.measures.present(name) and after.measures.present(name) and name in ours.tried[condition]
    ]
    if not names:
        return None
    tried = {name: ours.tried[condition][name] for name in names}
    strips = choose_dynamics(strips, before.measures, after.measures, tried)
    closed = torch.stack([parameters.positions(STRIP, strips[name]) for name in names])
    truth = torch.stack([theirs.settings[take, STEMS.index(name)] for name in names])
    measures = [before.measures.stems[name] for name in names]
    styles = _styles(names, before, after)
    return joined([_rows(names, measures, styles, closed, truth), _master(ours, theirs, take)])


def _master(ours: Passage, theirs: Passage, take: int) -> Lessons:
    """The master's row: the neutral mix toward the other's behind the take's master."""
    before, after = ours.sides["true"][0], theirs.mastered[take]
    settings, _ = match_master(before.measures.mix, after.measures.mix)
    glue = choose_glue(ours.tried["true"]["master"], before.measures.mix, after.measures.mix)
    settings["compressor"] = glue or settings["compressor"]
    styles = _styles(["mix"], before, after)
    closed, truth = parameters.positions(MASTER, settings)[None], theirs.masters[take][None]
    return _rows(["master"], [before.measures.mix], styles, closed, truth)


def _styles(names: list[str], ours: Side, theirs: Side) -> tuple[list[Style], list[Style]]:
    return [ours.styles[name] for name in names], [theirs.styles[name] for name in names]


def _rows(
    names: list[str],
    measures: list[Measures],
    styles: tuple[list[Style], list[Style]],
    closed: Tensor,
    truth: Tensor,
) -> Lessons:
    """Strips of one pair, which share a level: their common one is set behind them."""
    strip = torch.tensor([STRIPS.index(name) for name in names])
    audible = torch.stack([_audible(one) for one in measures])
    energy = torch.tensor([10 ** (one.loudness_lufs / 10) for one in measures])
    missed = ((curves_db(closed, strip) - curves_db(truth, strip)) * audible)[:, 0].sum(-1)
    offset = (missed * energy).sum() / energy.sum()
    return Lessons(
        heard(*styles, closed),
        strip,
        padded(truth),
        audible,
        torch.stack([_bins(one) for one in measures]),
        offset.expand(len(names)),
        torch.zeros(len(names), 4, dtype=torch.long),
    )


def joined(rows: Sequence[Lessons]) -> Lessons:
    """All rows in one."""
    told = Heard(*map(torch.cat, zip(*(one.heard for one in rows), strict=True)))
    return Lessons(told, *map(torch.cat, zip(*(one[1:] for one in rows), strict=True)))


def curves_db(positions: Tensor, strip: Tensor) -> Tensor:
    """(rows, 2, 30): what settings do to mid and side in each third octave, in dB.

    positions  (rows, knobs) of each row's strip; strip (rows,) numbers of STRIPS.
    Equalizers, width and gain; what follows the level or adds sound is no part of it, nor is make-up, which
    gives back what a compressor took.
    """
    found = positions.new_zeros(len(strip), 2, len(BAND_HZ))
    for table, rows in by_table(strip):
        found[rows] = _curves_db(table, positions[rows])
    return found


def _curves_db(table: dict[str, Stage], positions: Tensor) -> Tensor:
    values = parameters.values_at(table, positions[:, : len(parameters.knobs_of(table))])
    bands_hz = BAND_HZ.to(positions)
    mid, side = (
        equalizer_response_db(bands_hz, RATE, **mixing.bands_of(values[stage])._asdict())
        for stage in ("eq", "side_eq")
    )
    level = values["gain"]["gain_db"][:, None]
    width = 20 * torch.log10(values["width"]["width"].clamp(min=1e-2))[:, None]
    return torch.stack((mid + level, mid + side + level + width), 1)


def _audible(measures: Measures) -> Tensor:
    """(2, 30) shares of the bands that are heard: by their level within 50 dB of the loudest."""
    top = max(float(measures.mid_db.max()), float(measures.side_db.max()))
    found = []
    for level_db, reach in ((measures.mid_db, _AUDIBLE_DB), (measures.side_db, _SIDE_DB)):
        weight = ((level_db - top) / reach + 1).clamp(min=0) * (measures.bandwidth_hz >= BAND_HZ)
        found.append(weight / weight.sum().clamp(min=1.0))
    return torch.stack(found).float()


def _bins(measures: Measures) -> Tensor:
    """(2, 30) shares of a spectrum's bins, evenly spaced to half the rate, that lie above the spectral
    distance's floor: a third octave at the top holds hundreds of times as many as one at the bottom."""
    bands_hz = BAND_HZ * _THIRD_OCTAVE
    levels_db = torch.stack((measures.mid_db, measures.side_db))
    in_a_bin_db = levels_db - 10 * torch.log10(bands_hz / _BIN_HZ)
    heard = torch.sigmoid((in_a_bin_db - _SOFT_DB) / _SOFT_SLOPE_DB) * (measures.bandwidth_hz >= BAND_HZ)
    return (heard * bands_hz / (RATE / 2)).float()
