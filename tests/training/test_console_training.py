"""A console network learns what should have been set: from known settings, then by ear."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Generator

sys.path.insert(0, str(Path(__file__).resolve().parent))

from training_corpus import small_corpus, trained_by_two

from styletransfer.audio import Audio
from styletransfer.converter.console import STRIP, neutral
from styletransfer.converter.network import STRIPS, by_table
from styletransfer.converter.parameters import knobs_of, positions
from styletransfer.converters import choose
from styletransfer.converters.console import LoadedConsole, save
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import ConfigError
from styletransfer.training.console import lessons, listening, run
from styletransfer.training.console.lessons import Lessons, curves_db
from styletransfer.training.console.loss import Prior, known_loss
from styletransfer.training.console.passages import Passage
from styletransfer.training.console.recipe import ConsoleRecipe, read
from styletransfer.training.converters import training_of
from styletransfer.training.crew import Crew
from styletransfer.training.neutral_passages import passages as neutral_passages

pytest.importorskip("lightning_fabric")
pytest.importorskip("tensorboard")

RECIPE = ConsoleRecipe(
    passages=4,
    takes=1,
    inputs=1,
    rounds=2,
    steps_per_round=2,
    batch=4,
    listening_rounds=1,
    listening_steps=2,
    listening_batch=2,
    listening_s=1,
    warm_up_steps=1,
)


class Shares:
    """Takes a mix apart at once: each stem gets another share of it."""

    name = fingerprint = "shares"
    rate = RATE

    def blocks(self, mix: Audio) -> Iterator[torch.Tensor]:
        yield mix.samples * torch.tensor([0.1, 0.2, 0.3, 0.4])[:, None, None]


@pytest.fixture(scope="module", autouse=True)
def fast_separation() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "choose", lambda name: Shares())
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"), duration_s=11.0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("passages")


@pytest.fixture(scope="module")
def unbroken(corpus: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> run.Trained:
    return run.train(RECIPE, corpus, tmp_path_factory.mktemp("run"), material=kept, workers=0)


@pytest.fixture(scope="module")
def passages(unbroken: run.Trained, corpus: Path, kept: Path) -> list[Passage]:
    found, _ = neutral_passages(corpus, "train", 4, kept, Crew(0), lambda share: None)
    return [run.make(run.Order(one, kept, 1, 0.4, 0, "fxencoder-small", "builtin")) for one in found]


@pytest.fixture(scope="module")
def rows(passages: list[Passage]) -> Lessons:
    chance = Generator().manual_seed(1)
    return lessons.gather(passages, 2, 0.5, 0.5, chance, Crew(0))  # all four kinds of pairs


def test_a_run_leaves_weights_that_convert_and_facts_that_tell(unbroken: run.Trained) -> None:
    found = choose(str(unbroken.path))
    assert found is not None
    assert found.facts["steps"] == 2 * 2 + 2
    assert set(found.facts["scales"]) == set(STRIPS)
    assert set(found.facts["scales"]["master"]) == {"tone", "image", "compressor"}
    assert found.facts["trained_on"]
    pictures = sorted(path.name for path in (unbroken.path.parent / "pictures").iterdir())
    assert pictures == [f"round-{number:03d}.png" for number in (1, 2, 3)]
    assert unbroken.facts["validation_scaled"]["spectral"] <= unbroken.facts["validation"]["spectral"] + 1e-6


def test_a_run_tells_how_it_stands_against_the_closed_form_by_kind_of_strip(unbroken: run.Trained) -> None:
    told = unbroken.facts["by_ear"]
    stems, master = told["stems"], told["master"]
    strips = stems["strips"] + master["strips"]
    total = stems["strips"] * stems["distance"] + master["strips"] * master["distance"]
    assert total / strips == pytest.approx(unbroken.facts["validation_scaled"]["spectral"], rel=1e-5)
    kinds = [told[kind]["strips"] for kind in told if kind.startswith("stems,")]
    assert kinds
    assert all(0 < count <= stems["strips"] for count in kinds)
    for one in told.values():
        assert set(one["baselines"]) == {"closed form"}
        closed = one["baselines"]["closed form"]
        apart = closed["difference"]
        assert apart["value"] == pytest.approx(one["distance"] - closed["distance"], abs=1e-9)
        assert apart["low"] <= apart["value"] <= apart["high"]


def test_a_resumed_run_equals_an_unbroken_one(
    unbroken: run.Trained, corpus: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(Exception):
        pass

    def cut(stage: str, share: float) -> None:
        if stage == "training" and share > 0.5:
            raise Cut

    with pytest.raises(Cut):
        run.train(RECIPE, corpus, tmp_path, material=kept, workers=0, progress=cut)
    again = run.train(RECIPE, corpus, tmp_path, material=kept, workers=0)
    assert again.path.name == unbroken.path.name or again.facts["minutes"] != unbroken.facts["minutes"]
    first, second = choose(str(unbroken.path)), choose(str(again.path))
    assert first is not None
    assert second is not None
    for key, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[key]), key


def test_a_run_that_starts_from_weights_learns_where_they_were_left_out(
    unbroken: run.Trained, corpus: Path, kept: Path, tmp_path: Path
) -> None:
    first = choose(str(unbroken.path))
    assert isinstance(first, LoadedConsole)
    first.network.scale.zero_()
    path, _ = save(tmp_path, "console-still", first.network, first.encoder, first.facts)

    class Stop(Exception):
        pass

    def look(
        fabric: object, model: torch.nn.Module, optimizer: object, loss: torch.Tensor, rate: float
    ) -> None:
        slopes = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
        assert any(slope is not None and bool(slope.any()) for slope in slopes)
        raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "take_step", look)
        with pytest.raises(Stop):
            run.train(RECIPE, corpus, tmp_path / "run", start=path, material=kept, workers=0)


def test_weights_of_another_encoder_or_none_are_no_start_and_are_told_at_once(
    unbroken: run.Trained, tmp_path: Path
) -> None:
    first = choose(str(unbroken.path))
    assert isinstance(first, LoadedConsole)
    path, _ = save(tmp_path, "console-other", first.network, "0123abcd", first.facts)
    nowhere, folder = tmp_path / "no-corpus", tmp_path / "run"
    with pytest.raises(ConfigError, match="heard through encoder 0123abcd"):
        run.train(RECIPE, nowhere, folder, start=path)
    with pytest.raises(ConfigError, match="name them with --from"):
        run.train(RECIPE.model_copy(update={"rounds": 0}), nowhere, folder)
    assert not folder.exists()


def test_a_stage_that_another_starts_from_chooses_no_shares(corpus: Path, kept: Path, tmp_path: Path) -> None:
    stage = RECIPE.model_copy(update={"listening_rounds": 0, "scaled": False})
    first = run.train(stage, corpus, tmp_path / "first", material=kept, workers=0)
    loaded = choose(str(first.path))
    assert loaded is not None
    assert bool((loaded.network.scale == 1).all())
    assert "scales" not in first.facts
    by_ear = RECIPE.model_copy(update={"rounds": 0, "master_acts": False})
    second = run.train(by_ear, corpus, tmp_path / "second", start=first.path, material=kept, workers=0)
    assert second.facts["steps"] == RECIPE.listening_steps
    assert set(second.facts["scales"]) == set(STRIPS)
    assert set(second.facts["by_ear"]["stems"]["baselines"]) == {"closed form", "start"}
    resting = second.facts["by_ear"]["master"]
    assert resting["baselines"]["closed form"]["difference"] == {"value": 0, "low": 0, "high": 0}
    acting = choose(str(second.path))
    assert acting is not None
    assert not acting.sets_master


@pytest.mark.slow
def test_two_processes_train_one_network_to_the_end(corpus: Path, tmp_path: Path) -> None:
    found = choose(str(trained_by_two("converter", corpus, RECIPE, tmp_path)))
    assert found is not None
    assert found.facts["processes"] == 2
    assert found.facts["steps"] == 2 * 2 + 2


def test_the_true_settings_have_no_loss_at_any_level(rows: Lessons) -> None:
    rows = rows.of((rows.place[:, 4] == 0).nonzero()[:, 0])
    at_level = rows.truth.clone()
    for table, some in by_table(rows.strip):
        place = [f"{stage}.{name}" for stage, name, _ in knobs_of(table)].index("gain.gain_db")
        at_level[some, place] += 5.0
    exact, closed = known_loss(at_level, rows), known_loss(rows.heard.closed_form, rows)
    assert float(exact["curve"]) < 1e-4
    assert float(exact["knob"]) < 1e-6
    assert float(closed["curve"]) > 0.1


def test_the_prior_asks_for_settings_as_lessons_have_them(rows: Lessons) -> None:
    prior = Prior(rows)
    usual = prior.mean[rows.strip]
    assert float(prior(usual, rows.strip)) == 0
    assert 0 < float(prior(rows.truth, rows.strip)) < 2
    far = rows.truth.clone()
    far[:, [f"{stage}.{name}" for stage, name, _ in knobs_of(STRIP)].index("eq.peak_1_gain_db")] += 30
    assert float(prior(far, rows.strip)) > 2 * float(prior(rows.truth, rows.strip))


def test_pairs_are_of_different_pieces_and_say_where_they_come_from(
    rows: Lessons, passages: list[Passage]
) -> None:
    for ours, theirs, take, _, _ in rows.place.tolist():
        assert passages[ours].neutral.piece != passages[theirs].neutral.piece
        assert take == 0
    rows = rows.of(((rows.place[:, 4] == 0) & (rows.strip < 4)).nonzero()[:, 0])
    truth = passages[rows.place[0, 1]].settings[0, rows.strip[0]]
    assert torch.equal(rows.truth[0, : len(truth)], truth)


def test_what_an_input_has_already_is_not_done_twice(rows: Lessons, passages: list[Passage]) -> None:
    mixed = rows.of(((rows.place[:, 4] == 1) & (rows.strip < 4)).nonzero()[:, 0])
    assert mixed.rows
    knobs = knobs_of(STRIP)
    resting = positions(STRIP, neutral(STRIP))
    seen = set()
    for row in range(mixed.rows):
        stem = int(mixed.strip[row])
        ours, theirs = (passages[mixed.place[row, side]].settings[0, stem] for side in (0, 1))
        curves = [curves_db(one[None], mixed.strip[row : row + 1])[0] for one in (theirs, ours)]
        torch.testing.assert_close(mixed.wanted_db[row], curves[0] - curves[1])
        for index, (stage, name, _) in enumerate(knobs):
            place = mixed.truth[row, index]
            if f"{stage}.{name}" == "eq.peak_2_gain_db":
                assert place == pytest.approx(float(theirs[index] - ours[index]), abs=1e-5)
            if f"{stage}.{name}" == "compressor.ratio":
                works = bool(ours[index] != resting[index])
                seen.add(works)
                assert place == (resting[index] if works else theirs[index])
    assert seen == {False, True}


def test_each_pair_has_a_lesson_for_the_master(rows: Lessons, passages: list[Passage]) -> None:
    masters = rows.of((rows.strip == STRIPS.index("master")).nonzero()[:, 0])
    assert masters.rows == len(rows.of((rows.place[:, 4] == 0).nonzero()[:, 0]).place.unique(dim=0))
    theirs = passages[masters.place[0, 1]]
    assert torch.equal(masters.truth[0], theirs.masters[0])
    mix = theirs.mastered[0].styles["mix"].learned
    assert torch.equal(masters.heard.reference[0], mix)
    assert not torch.equal(mix, theirs.sides["true"][0].styles["mix"].learned)


def test_a_gain_moves_the_whole_curve_and_width_the_sides(rows: Lessons) -> None:
    names = [f"{stage}.{name}" for stage, name, _ in knobs_of(STRIP)]
    strip = rows.truth[:1].clone()
    number = rows.strip[:1]
    before = curves_db(strip, number)
    strip[0, names.index("gain.gain_db")] += 3
    torch.testing.assert_close(curves_db(strip, number), before + 3, atol=1e-4, rtol=0)
    strip[0, names.index("width.width")] *= 2
    torch.testing.assert_close(curves_db(strip, number)[:, 0], before[:, 0] + 3, atol=1e-4, rtol=0)
    torch.testing.assert_close(curves_db(strip, number)[:, 1], before[:, 1] + 9.0206, atol=1e-3, rtol=0)


def test_what_is_heard_is_the_stem_and_the_true_sound(rows: Lessons, passages: list[Passage]) -> None:
    true = rows.of(((rows.place[:, 3] == 0) & (rows.place[:, 4] == 0)).nonzero()[:6, 0])
    assert {"master", "drums"} <= {STRIPS[number] for number in true.strip.tolist()}
    heard = listening.sounds(true, passages, 1.0, Generator().manual_seed(1))
    at_truth = listening.played(heard.given, true.truth, true.strip)
    torch.testing.assert_close(at_truth, heard.truth, atol=1e-4, rtol=0)


def test_an_input_is_heard_as_its_own_engineer_left_it(rows: Lessons, passages: list[Passage]) -> None:
    mixed = rows.of((rows.place[:, 4] == 1).nonzero()[:2, 0])
    heard = listening.sounds(mixed, passages, 3.0, Generator().manual_seed(1))
    ours = passages[mixed.place[0, 0]]
    kept = ours.excerpt(lessons.CONDITIONS[mixed.place[0, 3]], 1)[STRIPS[mixed.strip[0]]]
    assert torch.equal(heard.given[0], kept)
    clean = ours.excerpt("true", 0)
    assert list(clean) == list(ours.neutral.names)
    whole = ours.neutral.stems()["drums"]
    windows = whole[0].unfold(0, clean["drums"].shape[1], 1)[:, :64]
    assert (windows - clean["drums"][0, :64]).abs().amax(1).min() < 1e-3  # half precision


def test_an_answer_is_heard_as_loud_as_the_truth(rows: Lessons, passages: list[Passage]) -> None:
    some = rows.of(torch.arange(6))
    sounds = listening.sounds(some, passages, 3.0, Generator().manual_seed(1))
    closed = some.heard.closed_form.clone().requires_grad_()
    made = listening.answered(sounds.given, closed, some.strip, sounds.truth)
    for one, truth in zip(made.detach(), sounds.truth, strict=True):
        assert integrated_lufs(one, 44100) == pytest.approx(integrated_lufs(truth, 44100), abs=0.7)
    (made - sounds.truth).square().sum().backward()
    assert closed.grad is not None
    assert bool(closed.grad.isfinite().all())
    assert bool(closed.grad.any())


def test_recipes_are_found_by_their_kind(tmp_path: Path) -> None:
    assert training_of("console")[1] is run
    assert read("console").kind == "console"
    path = tmp_path / "odd.toml"
    path.write_text('kind = "console"\npassage = 3\n')
    with pytest.raises(ConfigError, match="passage"):
        training_of(str(path))[0].read(path)


def test_pairs_are_the_same_from_workers(passages: list[Passage], rows: Lessons) -> None:
    crew = Crew(1)
    found = lessons.gather(passages, 2, 0.5, 0.5, Generator().manual_seed(1), crew)
    crew.close()
    for one, other in zip((*rows.heard, *rows[1:]), (*found.heard, *found[1:]), strict=True):
        assert torch.equal(one, other)
