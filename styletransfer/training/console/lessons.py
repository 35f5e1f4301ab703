"""Pairs of passages as lessons: what the network is told of each strip, and what should have been set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import Generator, Tensor

from styletransfer import weights
from styletransfer.audio import STEMS
from styletransfer.converter import mixing, parameters
from styletransfer.converter.console import MASTER, STRIP, Stage, neutral
from styletransfer.converter.fx import equalizer_response_db
from styletransfer.converter.network import STRIPS, Heard, by_table, padded
from styletransfer.converters.console import heard
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.measures import BAND_HZ, Measures
from styletransfer.evaluation.code import code_fingerprint
from styletransfer.matching import match_master, match_stems
from styletransfer.matching.dynamics import choose_dynamics, choose_glue
from styletransfer.matching.strips import behind
from styletransfer.style import Style
from styletransfer.tasks import Neutral
from styletransfer.training.crew import Crew
from styletransfer.training.seeding import seed_of

from .passages import CONDITIONS, Passage, Side, read
from .recipe import ConsoleRecipe

ONCE = ("compressor", "expander", "saturation", "reverb")
"""Stages whose work can't be undone."""

_GATHERING = (
    "styletransfer.matching",
    "styletransfer.converter",
    "styletransfer.training.console.lessons",
    "styletransfer.training.console.passages",
)
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
    truth       (rows, knobs) positions that should be set: the reference's, less what the input went through.
    wanted_db   (rows, 2, 30) the curves, as `curves_db`, that should be made, at whatever level: a strip's is
                measured when it is set.
    audible     (rows, 2, 30) how much each third octave of mid and side counts, adding up to 1 or all 0.
    bins        (rows, 2, 30) the share of a spectrum's bins that are each third octave's and not too soft.
    place       (rows, 5) numbers of: input passage, reference passage, take, condition, and which of the
                input passage's INPUTS.
    """

    heard: Heard
    strip: Tensor
    truth: Tensor
    wanted_db: Tensor
    audible: Tensor
    bins: Tensor
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
    mixed_share: float,
    generator: Generator,
    crew: Crew,
    progress: Callable[[float], None] = lambda share: None,
) -> Lessons:
    """Lessons from passages: each take of each is the reference of so many others, of other pieces."""
    orders = []
    for number, theirs in enumerate(passages):
        others = [index for index, one in enumerate(passages) if one.neutral.piece != theirs.neutral.piece]
        pairs = []
        for take in range(len(theirs.settings)):
            for index in torch.randperm(len(others), generator=generator)[:inputs].tolist():
                chances = torch.rand(2, generator=generator).tolist()
                separated, mixed = chances[0] < separated_share, chances[1] < mixed_share
                pairs.append((others[index], number, take, int(separated), int(mixed)))
        named = {index: passages[index] for pair in pairs for index in pair[:2]}
        orders.append((pairs, {index: (one.path, one.neutral) for index, one in named.items()}))
    rows = []
    for done, found in enumerate(crew.map(_lessons_of, orders, ahead=8), 1):
        rows += [_of_named({name: torch.from_numpy(part) for name, part in one.items()}) for one in found]
        progress(done / len(orders))
    return joined(rows)


_Pairs = list[tuple[int, int, int, int, int]]
_read = lru_cache(maxsize=None)(read)


def _lessons_of(order: tuple[_Pairs, dict[int, tuple[Path, Neutral]]]) -> list[dict[str, Any]]:
    """Of these pairs (places, as in Lessons), of passages that are kept there; as arrays, since tensors that
    a worker sends back would keep files open."""
    pairs, where = order
    found = []
    for place in pairs:
        ours, theirs, take, separated, mixed = place
        pair = lesson(_read(*where[ours]), _read(*where[theirs]), take, CONDITIONS[separated], mixed)
        if pair is not None:
            placed = pair._replace(place=torch.tensor(place).expand(pair.rows, -1))
            found.append({name: part.numpy() for name, part in _named(placed).items()})
    return found


def _named(rows: Lessons) -> dict[str, Tensor]:
    tensors = {**rows.heard._asdict(), **rows._asdict()}
    del tensors["heard"]
    return tensors


def _of_named(tensors: Mapping[str, Tensor]) -> Lessons:
    return Lessons(
        Heard(*(tensors[name] for name in Heard._fields)),
        *(tensors[name] for name in Lessons._fields if name != "heard"),
    )


def kept(
    folder: Path,
    passages: Sequence[Passage],
    recipe: ConsoleRecipe,
    purpose: str,
    crew: Crew,
    progress: Callable[[float], None] = lambda share: None,
) -> Lessons:
    """Lessons from passages as a recipe asks for them, always the same for one purpose; kept in `folder`,
    since they take minutes, until code that matches changes."""
    told = [passage.path.name for passage in passages]
    asked = recipe.inputs, recipe.separated_share, recipe.mixed_share
    code = code_fingerprint(*_GATHERING)
    key = hashlib.sha256(json.dumps([told, asked, recipe.seed, purpose, code]).encode()).hexdigest()
    path = folder / f"pairs-{key[:12]}.safetensors"
    if not path.is_file():
        chance = Generator().manual_seed(seed_of(recipe.seed, purpose))
        found = gather(passages, *asked, chance, crew, progress)
        weights.write(path, {name: part.contiguous() for name, part in _named(found).items()})
    return _of_named(safetensors.torch.load_file(path))


def lesson(ours: Passage, theirs: Passage, take: int, condition: str, state: int) -> Lessons | None:
    """The strips that both passages have, in one condition, with the input in one of its INPUTS, and the
    master where all stems are the same; None where they share none."""
    before, after = ours.sides[condition][state], theirs.sides[condition][take + 1]
    strips, _ = match_stems(before.measures, after.measures)
    playing = [name for name in STEMS if name in ours.neutral.names and name in theirs.neutral.names]
    tries = ours.tried[condition][state]
    names = [
        name
        for name in playing
        if before.measures.present(name) and after.measures.present(name) and name in tries
    ]
    if not names:
        return None
    strips = choose_dynamics(strips, before.measures, after.measures, {name: tries[name] for name in names})
    closed = torch.stack([parameters.positions(STRIP, strips[name]) for name in names])
    wanted = torch.stack([theirs.settings[take, STEMS.index(name)] for name in names])
    own = torch.stack([ours.settings[0, STEMS.index(name)] for name in names]) if state else None
    measures = [before.measures.stems[name] for name in names]
    rows = [_rows(names, measures, _styles(names, before, after), closed, wanted, own)]
    if ours.neutral.names == theirs.neutral.names and not state:
        rows.append(_master(ours, theirs, take))
    return joined(rows)


def _master(ours: Passage, theirs: Passage, take: int) -> Lessons:
    """The master's row: the neutral mix toward the other's behind the take's master, in two looks."""
    before, after = ours.sides["true"][0], theirs.mastered[take]
    mix, wanted = before.measures.mix, after.measures.mix
    first, _ = match_master(mix, wanted)
    looked = behind(mix, first)
    settings, _ = match_master(looked, wanted, first)
    glue = choose_glue(ours.tried["true"][0]["master"], looked, wanted)
    settings["compressor"] = glue or settings["compressor"]
    closed, truth = parameters.positions(MASTER, settings)[None], theirs.masters[take][None]
    return _rows(["master"], [mix], _styles(["mix"], before, after), closed, truth, None)


def _styles(names: list[str], ours: Side, theirs: Side) -> tuple[list[Style], list[Style]]:
    return [ours.styles[name] for name in names], [theirs.styles[name] for name in names]


def _rows(
    names: list[str],
    measures: list[Measures],
    styles: tuple[list[Style], list[Style]],
    closed: Tensor,
    wanted: Tensor,
    own: Tensor | None,
) -> Lessons:
    """Strips of one pair.

    wanted, own   positions (strips, knobs) that the reference and the input went through.
    """
    strip = torch.tensor([STRIPS.index(name) for name in names])
    audible = torch.stack([_audible(one) for one in measures])
    curves = curves_db(wanted, strip) if own is None else curves_db(wanted, strip) - curves_db(own, strip)
    return Lessons(
        heard(*styles, closed),
        strip,
        padded(wanted if own is None else _left(wanted, own)),
        curves,
        audible,
        torch.stack([_bins(one) for one in measures]),
        torch.zeros(len(names), 5, dtype=torch.long),
    )


def _left(wanted: Tensor, own: Tensor) -> Tensor:
    """Positions (strips, knobs) of stems' strips that remain to be set, where the input has its own.

    Gains, width and balance are what one has beyond the other. What compresses, bends or rings can't be
    undone, and isn't done twice: where the input has it, it rests.
    """
    found = wanted.clone()
    resting = parameters.positions(STRIP, neutral(STRIP))
    for index, (stage, _, knob) in enumerate(parameters.knobs_of(STRIP)):
        if stage in ONCE:
            continue
        if knob.strength:
            found[:, index] = resting[index] + wanted[:, index] - own[:, index]
    for stage in ONCE:
        at = [index for index, (name, _, knob) in enumerate(parameters.knobs_of(STRIP)) if name == stage]
        strengths = [index for index in at if parameters.knobs_of(STRIP)[index][2].strength]
        has = ((own[:, strengths] - resting[strengths]).abs() > 1e-4).any(1)
        found[:, at] = torch.where(has[:, None], resting[at], found[:, at])
    return found


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
