"""Cross-spectra say what linear knobs do, without rendering; passages don't overlap."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from refining_sounds import RATE, processed, stems_of, strips_with

from styletransfer.audio import STEMS, Audio
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, neutral
from styletransfer.converter.parameters import Values, positions, values_at
from styletransfer.converter.rendering import stages_of
from styletransfer.evaluation.af import af_distance
from styletransfer.refining.likeness import apart, apart_db, sounds_apart
from styletransfer.refining.passages import joined, split
from styletransfer.refining.spectra import anchor, spectra_of


def values_of(strips: dict[str, dict[str, dict[str, float]]]) -> Values:
    return values_at(STRIP, torch.stack([positions(STRIP, strips[name]) for name in STEMS]))


@pytest.fixture(scope="module")
def stems() -> torch.Tensor:
    return stems_of(1)


START = strips_with(
    drums={"eq": {"peak_3_gain_db": 3.0}, "width": {"width": 1.3}, "compressor": {"ratio": 3.0}},
    other={"side_eq": {"high_shelf_gain_db": -4.0}, "balance": {"balance": 0.1}},
)
THERE = strips_with(
    drums={"eq": {"peak_3_gain_db": -2.0}, "width": {"width": 0.6}, "compressor": {"ratio": 3.0}},
    bass={"gain": {"gain_db": -5.0}},
    other={"eq": {"low_shelf_gain_db": 4.0}, "balance": {"balance": -0.2}},
    vocals={"side_eq": {"peak_2_gain_db": 6.0}, "width": {"width": 2.0}},
)


@pytest.mark.parametrize("there", [START, THERE], ids=["where they were taken", "elsewhere"])
def test_cross_spectra_tell_the_spectra_at_any_linear_setting(
    stems: torch.Tensor, there: dict[str, dict[str, dict[str, float]]]
) -> None:
    rest = 0.1 * stems_of(2)[0]
    master = values_at(MASTER, positions(MASTER, neutral(MASTER))[None])
    start = processed(stems, START)
    place = anchor(start, rest, values_of(START), master, start.sum(0) + rest)
    told = place.spectra(values_of(there), master)
    there = {name: {**there[name], "compressor": START[name]["compressor"]} for name in STEMS}
    wet = processed(stems, there)
    heard = spectra_of(torch.cat(((wet.sum(0) + rest)[None], wet)))
    tolerance_db = 0.05 if there == START else 1.0  # the compressor heard another equalizer
    assert (10 * (told.energy[:, :3] / heard.energy[:, :3]).log10()).abs().max() < tolerance_db
    loud = heard.bark > heard.bark.amax((1, 2), keepdim=True) / 100
    assert (20 * (told.bark / heard.bark).log10())[loud].abs().max() < 2 * tolerance_db


def test_what_isn_t_linear_in_the_master_is_taken_as_it_sounds(stems: torch.Tensor) -> None:
    master = neutral(MASTER)
    master["compressor"] |= {"ratio": 6.0, "threshold_db": -30.0, "attack_ms": 1.0, "release_ms": 40.0}

    def heard() -> torch.Tensor:
        return fx.render(stems.sum(0), stages_of(MASTER, master, RATE))

    def values() -> Values:
        return values_at(MASTER, positions(MASTER, master)[None])

    strips = values_of(strips_with())
    place = anchor(stems, torch.zeros_like(stems[0]), strips, values(), heard())
    for width, tolerance_db in ((1.0, 0.01), (1.5, 0.1)):
        master["width"]["width"] = width
        told, found = place.spectra(strips, values()), spectra_of(heard()[None])
        assert (10 * (told.energy[0] / found.energy[0]).log10()).abs().max() < tolerance_db
        loud = found.bark[0] > found.bark.max() / 100
        assert (20 * (told.bark[0] / found.bark[0]).log10())[loud].abs().max() < tolerance_db


def test_the_same_sound_is_nowhere_apart_and_level_alone_counts_only_between_stems(
    stems: torch.Tensor,
) -> None:
    sounds = torch.cat((stems.sum(0)[None], stems))
    here, softer = spectra_of(sounds), spectra_of(0.5 * sounds)
    assert apart(here, here).max() < 1e-8
    assert apart_db(here, here).max() < 1e-4
    assert apart(here, softer).max() < 1e-6
    assert apart_db(here, softer).max() < 1e-3
    moved = sounds.clone()
    moved[1] *= 2
    assert apart_db(spectra_of(moved), here)[1] > 1
    assert apart(here, spectra_of(sounds * torch.tensor([1.0, 0.5])[:, None])).min() > 0.02


@pytest.mark.parametrize("duration_s", [6.5, 30.0, 45.3, 61.0, 200.0])
def test_what_is_read_and_what_is_held_out_lie_apart_all_over_a_song(duration_s: float) -> None:
    found = split(duration_s)
    assert found is not None
    every = sorted([*found.read, *found.held])
    assert every[0][0] >= 0
    assert every[-1][1] <= duration_s
    assert all(one[1] <= other[0] + 1e-9 for one, other in pairwise(every))
    lasts_s = [sum(end - start for start, end in spans) for spans in found]
    assert lasts_s == pytest.approx([min(20.0, duration_s * 2 / 3), min(20.0, duration_s / 3)])


def test_too_little_is_not_split_and_pieces_are_joined() -> None:
    assert split(5.9) is None
    ramp = Audio(torch.arange(10.0)[None], 1)
    assert joined(ramp, [(1, 3), (6, 7)]).samples.tolist() == [[1, 2, 6]]


def test_sounds_are_compared_where_they_are() -> None:
    there = torch.zeros(3, 2, RATE, device="meta")  # a device without numbers, since there may be no other
    assert sounds_apart(there, there).shape == (3,)
    assert sounds_apart(there, there).device.type == "meta"


@pytest.mark.parametrize(
    "change",
    [
        {"width": {"width": 1.6}},
        {"eq": {"peak_3_gain_db": 6.0}},
        {"balance": {"balance": 0.2}},
        {"compressor": {"ratio": 6.0, "threshold_db": -35.0}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_knobs_are_turned_by_is_the_published_distance_in_another_form(
    stems: torch.Tensor, change: dict[str, dict[str, float]]
) -> None:
    ours = processed(stems, strips_with(**dict.fromkeys(STEMS, change))).sum(0)
    theirs = stems_of(7).sum(0)
    published = af_distance(ours, theirs, RATE).total
    assert published > 0.003
    assert float(sounds_apart(ours[None], theirs[None])) == pytest.approx(published, rel=0.05)
