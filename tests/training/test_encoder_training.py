from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import Generator
from training_corpus import small_corpus, trained_by_two

from styletransfer import encoders
from styletransfer.audio import STEMS
from styletransfer.chains import EFFECTS
from styletransfer.encoder.network import HEARD
from styletransfer.errors import AudioError, AutomixError, CheckpointError, ConfigError, UsageError
from styletransfer.training import run_folder
from styletransfer.training.crew import Crew
from styletransfer.training.encoder import run as training
from styletransfer.training.encoder import shards, validation
from styletransfer.training.encoder.recipe import EncoderRecipe, read, shipped
from styletransfer.training.steps import learning_rate

pytest.importorskip("lightning_fabric")
pytest.importorskip("tensorboard")

RECIPE = EncoderRecipe(
    excerpt_s=1.0,
    rounds=3,
    groups_per_shard=2,
    steps_per_round=2,
    groups=1,
    contents=2,
    chains=2,
    restylings=1,
    warm_up_steps=1,
    validation_styles=5,
    schedule_every=1,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def unbroken(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    training.train(RECIPE, corpus, folder, workers=0)
    return folder


def losses(folder: Path) -> list[str]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return [row["contrastive"] for row in csv.DictReader(file)]


def test_a_run_leaves_weights_that_load_and_know_where_they_come_from(unbroken: Path, corpus: Path) -> None:
    (path,) = unbroken.glob("fxencoder-small-*.safetensors")
    assert path.stat().st_size < 6_000_000
    loaded = encoders.load(path)
    facts = loaded.facts
    assert facts["steps"] == 6
    assert facts["corpus_pieces"] == 3
    assert len(facts["trained_on"]) == 3
    assert not set(facts["trained_on"]) & set(facts["validated_on"])
    assert len(losses(unbroken)) == 6
    assert loaded.network.scale.min() < 1
    with torch.no_grad():
        assert loaded.network.embed(torch.randn(1, 2, 44100) * 0.1, "mix").norm() == pytest.approx(
            1, abs=1e-3
        )


def test_an_effect_is_judged_on_all_stems(unbroken: Path, corpus: Path) -> None:
    judge = validation.prepare(corpus, RECIPE, unbroken, Crew(0), (*STEMS, "mix"))
    loaded = encoders.load(next(unbroken.glob("fxencoder-small-*.safetensors")))
    before = judge.loss_by_effect(loaded.network, 0.1, "cpu")
    assert set(before) == set(EFFECTS)
    for stem in (*STEMS, "mix"):
        heard = judge.heard | {f"effect/eq/{stem}": judge.heard[f"effect/eq/{stem}"].flip(0)[[0, 2, 1, 3]]}
        after = validation.Validation(heard, judge.stem).loss_by_effect(loaded.network, 0.1, "cpu")
        assert {name for name in EFFECTS if after[name] != pytest.approx(before[name])} == {"eq"}


def test_a_run_cut_off_goes_on_with_the_same_curve(
    unbroken: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    whole = training.total_loss

    def cut(recipe: EncoderRecipe, parts: dict[str, torch.Tensor]) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:  # in the middle of the second round
            raise KeyboardInterrupt
        return whole(recipe, parts)

    monkeypatch.setattr(training, "total_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        training.train(RECIPE, corpus, tmp_path, workers=0)
    monkeypatch.setattr(training, "total_loss", whole)
    training.train(RECIPE, corpus, tmp_path, workers=0)
    assert losses(tmp_path) == losses(unbroken)
    first, second = (encoders.load(next(folder.glob("fx*"))) for folder in (unbroken, tmp_path))
    for key, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[key]), key


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["both", "contrastive", "presence"])
def test_two_processes_train_one_encoder_to_the_end(objective: str, corpus: Path, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"objective": objective})
    facts = encoders.load(trained_by_two("encoder", corpus, recipe, tmp_path)).facts
    assert facts["processes"] == 2
    assert facts["steps"] == 3 * 2


def test_another_recipe_in_the_same_folder_is_refused(unbroken: Path, corpus: Path) -> None:
    with pytest.raises(ConfigError, match="another recipe"):
        training.train(RECIPE.model_copy(update={"seed": 5}), corpus, unbroken, workers=0)


def test_a_run_that_reached_its_minutes_may_be_given_more(unbroken: Path) -> None:
    run_folder.claim(unbroken, RECIPE.model_copy(update={"minutes": 5}), "fxencoder-small")


def test_groups_hold_two_contents_under_two_chains(corpus: Path, tmp_path: Path) -> None:
    material = shards.Shards(corpus, RECIPE, tmp_path, Crew(0), HEARD)
    material.prepare(0, {})
    batch = material.batch(Generator().manual_seed(0), 2)
    assert len(batch.stem) == 5 * 2 * 8
    assert batch.style[:8].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert torch.equal(batch.shares[0], batch.shares[1])
    assert not torch.equal(batch.shares[1], batch.shares[2])
    assert batch.present.any(1).all()
    assert batch.known[:4].all()
    # restyled: the same chains, described otherwise, and of fewer effects can be told what they are
    assert torch.equal(batch.shares[:4], batch.shares[4:8])
    assert (batch.heard[:, :1] - batch.heard[:, :1].mean()).abs().max() > 1
    assert not batch.known.all()


def test_a_shard_rendered_again_is_the_same(corpus: Path, tmp_path: Path) -> None:
    batches = []
    for name in ("one", "two"):
        material = shards.Shards(corpus, RECIPE, tmp_path / name, Crew(0), HEARD)
        material.prepare(0, {"eq": 1.0})
        batches.append(material.batch(Generator().manual_seed(0), 1))
    assert torch.equal(batches[0].heard, batches[1].heard)


def test_a_run_learns_from_another_s_shards_and_refuses_those_of_another_kind(
    corpus: Path, tmp_path: Path
) -> None:
    training.train(RECIPE, corpus, tmp_path / "one", workers=0)
    judged = RECIPE.model_copy(update={"objective": "presence", "rounds": 1})
    trained = training.train(judged, corpus, tmp_path / "two", material=tmp_path / "one", workers=0)
    assert not (tmp_path / "two" / "shards-0").exists() or not any((tmp_path / "two" / "shards-0").iterdir())
    assert trained.facts["steps"] == RECIPE.steps_per_round
    assert trained.facts["material"] == {"run": "one", "objective": "both", "rounds": 3}
    assert trained.facts["trained_on"] == json.loads((tmp_path / "one" / "pieces.json").read_text("utf-8"))
    fewer = tmp_path / "corpus"
    shutil.copytree(corpus, fewer)
    shutil.rmtree(fewer / "songs" / "train-0")
    with pytest.raises(ConfigError, match="pieces that this corpus hasn't for training"):
        training.train(judged, fewer, tmp_path / "five", material=tmp_path / "one", workers=0)
    other = judged.model_copy(update={"chains": 3})
    with pytest.raises(ConfigError, match="were made with chains = 2, not 3"):
        training.train(other, corpus, tmp_path / "three", material=tmp_path / "one", workers=0)
    with pytest.raises(ConfigError, match="is no run of"):
        training.train(judged, corpus, tmp_path / "four", material=tmp_path, workers=0)


def test_the_learning_rate_rises_and_falls() -> None:
    recipe = EncoderRecipe(warm_up_steps=10)
    rates = [learning_rate(recipe.learning_rate, 10, step, 100) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10)
    assert max(rates) == pytest.approx(recipe.learning_rate)
    assert rates[-1] < 0.05 * max(rates)


def test_the_recipes_that_ship_can_be_read() -> None:
    assert {"cpu", "separated", "classifier", "gpu", "paper"} <= set(shipped())
    for name in shipped():
        assert read(name).rounds > 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("speed = 3", "speed"),
        ("rounds = 0", "rounds"),
        ("rounds =", "no TOML"),
        ('objective = "x"', "objective"),
        ('preset = "paper"', "restylings: .*can't be restyled"),
    ],
)
def test_a_wrong_recipe_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence):
        read(path)
    with pytest.raises(ConfigError, match=r"give a \.toml file"):
        read("nothing")


def test_what_can_t_be_is_said_before_anything_is_written(corpus: Path, tmp_path: Path) -> None:
    target, file = tmp_path / "run", tmp_path / "file"
    file.write_text("x")
    more = RECIPE.model_copy(update={"contents": 4})
    paper = RECIPE.model_copy(update={"preset": "paper"})
    refusals: list[tuple[EncoderRecipe, Path, dict[str, str], type[AutomixError], str]] = [
        (RECIPE, target, {"start": "nobody"}, CheckpointError, "no weights named nobody"),
        (RECIPE, target, {"name": "a/b"}, UsageError, "without folders"),
        (RECIPE, file, {}, AudioError, "can't be made a folder"),
        (more, target, {}, AudioError, "4 pieces of training"),
        (paper, target, {"start": "fxencoder-small"}, CheckpointError, "no encoder as the recipe has it"),
    ]
    for recipe, folder, asked, kind, sentence in refusals:
        with pytest.raises(kind, match=sentence):
            training.train(recipe, corpus, folder, workers=0, **asked)  # type: ignore[arg-type]
        assert not target.exists()


def test_finished_music_with_too_few_pieces_is_left_out(corpus: Path, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"wet_share": 1.0})
    shutil.copytree(corpus, tmp_path / "corpus")
    material = tmp_path / "corpus"
    (material / "wet").mkdir()
    shutil.copytree(material / "songs" / "train-0", material / "wet" / "train-0")
    assert shards._wet_stems(material, recipe) == ()
    shards.Shards(material, recipe, tmp_path / "shards", Crew(0), ["drums"]).prepare(0, {})


def test_damaged_or_missing_shards_are_named(corpus: Path, tmp_path: Path) -> None:
    material = shards.Shards(corpus, RECIPE, tmp_path, Crew(0), ["drums"])
    with pytest.raises(ConfigError, match="holds no shards"):
        material.load_all()
    (tmp_path / "shard-0000.safetensors").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"shard-0000.* is damaged"):
        material.prepare(0, {})
