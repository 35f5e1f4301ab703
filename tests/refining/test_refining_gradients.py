"""Gradients reach every knob, and steps along them lead to settings that are known."""

from __future__ import annotations

import pytest
import torch
from refining_sounds import RATE, processed, stems_of, strips_with

from styletransfer import encoders
from styletransfer.audio import STEMS
from styletransfer.converter import fx
from styletransfer.converter.console import GROUPS, MASTER, STRIP, Settings, neutral
from styletransfer.converter.network import reach_of
from styletransfer.converter.parameters import knobs_of, positions, values_at
from styletransfer.converter.rendering import stages_of
from styletransfer.refining import turning
from styletransfer.refining.ear import HEARD, Ear, manner, manner_of
from styletransfer.refining.likeness import apart, apart_db
from styletransfer.refining.spectra import anchor, spectra_of
from styletransfer.refining.turning import Passage, mastered, turnable, turned

ALL = set(GROUPS)
NETWORK = encoders.load().network
BUSY = {
    "eq": {"peak_1_gain_db": 1.0},
    "compressor": {"ratio": 2.0, "threshold_db": -25.0},
    "saturation": {"drive_db": 6.0},
    "reverb": {"wet": 0.2},
}


def whole(stems: torch.Tensor) -> torch.Tensor:
    return torch.cat((stems.sum(0)[None], stems))


def test_a_gradient_reaches_every_knob_that_has_reach() -> None:
    stems = stems_of(1, 6.0)
    strips = strips_with(**dict.fromkeys(STEMS, BUSY))
    start = torch.stack([positions(STRIP, strips[name]) for name in STEMS])
    assert bool(((turnable(strips, {}, ALL) > 0) == (reach_of(STRIP) > 0)).all())
    wet, rest = processed(stems, strips), torch.zeros_like(stems[0])
    master = values_at(MASTER, positions(MASTER, neutral(MASTER))[None])
    sounds = whole(stems_of(5, 6.0))
    ear = Ear(NETWORK, manner_of(NETWORK, sounds))
    ear.settle(stems, wet, rest, master)
    for stem in range(len(STEMS)):
        vector = start[stem : stem + 1].clone().requires_grad_(True)
        far, punch_db = ear.missed(1, stem, values_at(STRIP, vector))
        (far.sum() + 0.001 * punch_db.square().sum()).backward()
        assert vector.grad is not None
        assert bool(vector.grad.isfinite().all())
        told = [
            f"{stage}.{name}"
            for (stage, name, _), reach, slope in zip(
                knobs_of(STRIP), reach_of(STRIP), vector.grad[0], strict=True
            )
            if reach > 0 and abs(float(slope)) < 1e-9
        ]
        assert told == [], STEMS[stem]
    vectors = start.clone().requires_grad_(True)
    place = anchor(wet, rest, values_at(STRIP, start), master, wet.sum(0))
    spectra = place.spectra(values_at(STRIP, vectors), master)
    wanted = spectra_of(sounds)
    (apart(spectra, wanted).sum() + apart_db(spectra, wanted).sum()).backward()
    assert vectors.grad is not None
    for at, (stage, name, _) in enumerate(knobs_of(STRIP)):
        linear = stage in ("eq", "side_eq", "width", "balance", "gain")
        if linear and reach_of(STRIP)[at] > 0:
            assert bool((vectors.grad[:, at] != 0).all()), (stage, name)


def test_the_embeddings_gradient_is_its_slope() -> None:
    """Quantiles and active frames don't stop it: a step of a third of a decibel changes what was foretold."""
    stems = stems_of(1, 6.0)
    strips = strips_with(drums=BUSY)
    start = torch.stack([positions(STRIP, strips[name]) for name in STEMS])
    ear = Ear(NETWORK, manner_of(NETWORK, whole(stems_of(5, 6.0))))
    master = values_at(MASTER, positions(MASTER, neutral(MASTER))[None])
    ear.settle(stems, processed(stems, strips), torch.zeros_like(stems[0]), master)

    def missed(vector: torch.Tensor) -> torch.Tensor:
        return ear.missed(0, 0, values_at(STRIP, vector))[0].sum()

    vector = start[:1].clone().requires_grad_(True)
    missed(vector).backward()
    assert vector.grad is not None
    gains = torch.tensor([name.endswith("gain_db") for _, name, _ in knobs_of(STRIP)])
    step = 0.3 * vector.grad * gains / (vector.grad * gains).norm()
    with torch.no_grad():
        change = missed(start[:1] + step / 2) - missed(start[:1] - step / 2)
    assert float(change / (vector.grad * step).sum()) == pytest.approx(1, abs=0.3)


def test_a_network_elsewhere_is_brought_the_sounds_and_answers_here() -> None:
    class Elsewhere:
        """A network on another device, as far as one can be without it."""

        config, mean = NETWORK.config, torch.zeros(1, device="meta")

        def describe(self, samples: torch.Tensor) -> torch.Tensor:
            return samples

        def hear(self, described: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
            assert described.device.type == numbers.device.type == "meta"
            return torch.ones(len(described), 3)

    heard = manner(Elsewhere(), whole(stems_of(1, 1.0)), list(HEARD))
    assert heard.embedding.device == heard.punch_db.device == torch.device("cpu")


def gap(settings: dict[str, Settings], stage: str, knob: str) -> float:
    return abs(settings["drums"][stage][knob] - TRUTH["drums"][stage][knob])


TRUTH = strips_with(
    drums={"eq": {"peak_3_gain_db": 5.0}, "width": {"width": 1.5}, "gain": {"gain_db": -3.0}},
    other={"eq": {"low_shelf_gain_db": -4.0}},
)
START = strips_with(drums={"eq": {"peak_3_gain_db": 0.5}}, other={"eq": {"peak_1_gain_db": 0.5}})


@pytest.fixture(scope="module")
def refined() -> dict[str, Settings]:
    return refine(20)


def refine(steps: int) -> dict[str, Settings]:
    ours, theirs = stems_of(1, 6.0), processed(stems_of(7, 6.0), TRUTH)
    return turned(
        START,
        neutral(MASTER),
        Passage(ours.sum(0), ours),
        Passage(theirs.sum(0), theirs),
        turnable(START, {}, ALL),
        NETWORK,
        steps,
    )


def test_a_known_difference_is_approached(refined: dict[str, Settings]) -> None:
    for stage, knob in (("eq", "peak_3_gain_db"), ("width", "width"), ("gain", "gain_db")):
        assert gap(refined, stage, knob) < 0.9 * gap(START, stage, knob), stage
    wanted = spectra_of(whole(processed(stems_of(7, 6.0), TRUTH)))
    missed = [
        float(apart(spectra_of(whole(processed(stems_of(1, 6.0), strips))), wanted)[[0, 1, 3]].sum())
        for strips in (START, refined)
    ]
    assert missed[1] < 0.7 * missed[0]


def test_the_master_approaches_what_the_mix_went_through() -> None:
    master = neutral(MASTER)
    ours, theirs = stems_of(1, 6.0), stems_of(7, 6.0)
    master["eq"]["peak_6_gain_db"] = 5.0
    master["width"]["width"] = 1.6
    after = fx.render(theirs.sum(0), stages_of(MASTER, master, RATE))
    found = mastered(ours.sum(0), after, neutral(MASTER), {"eq", "width"}, 80)
    assert abs(found["eq"]["peak_6_gain_db"] - 5.0) < 3.5
    assert abs(found["width"]["width"] - 1.6) < 0.45
    for stage in ("compressor", "gain", "limiter"):
        assert found[stage] == neutral(MASTER)[stage]


def test_strips_that_rest_stay(refined: dict[str, Settings]) -> None:
    assert refined["bass"] == refined["vocals"] == neutral(STRIP)
    assert refined["drums"]["compressor"] == neutral(STRIP)["compressor"]


def test_twice_the_same_steps_lead_to_the_same_settings() -> None:
    assert refine(1) == refine(1)


def test_a_stronger_prior_keeps_knobs_nearer_to_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    free = refine(6)
    monkeypatch.setattr(turning, "PRIOR", 100 * turning.PRIOR)
    held = refine(6)
    for stage, knob in (("eq", "peak_3_gain_db"), ("width", "width"), ("gain", "gain_db")):
        moved, less = (abs(one["drums"][stage][knob] - START["drums"][stage][knob]) for one in (free, held))
        assert less < 0.9 * moved, stage


def test_the_embedding_has_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = refine(3)
    monkeypatch.setattr(turning, "EMBEDDING", 0.0)
    assert refine(3)["drums"] != with_it["drums"]


def test_groups_and_leaky_stems_limit_what_is_turned() -> None:
    reach = turnable(START, {"drums": 0.5}, {"eq", "dynamics"})
    stages = [stage for stage, _, _ in knobs_of(STRIP)]
    assert bool((reach[[1, 3]] == 0).all())
    for at, stage in enumerate(stages):
        expected = reach_of(STRIP)[at] if stage in ("eq", "side_eq") else 0.0
        assert reach[0, at] == 0.5 * expected
        assert reach[2, at] == expected
