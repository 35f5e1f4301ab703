from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Generator
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parent))

from training_corpus import small_corpus

from styletransfer.audio import Audio
from styletransfer.cli import app
from styletransfer.converter.tcn import RATE, TCN
from styletransfer.converters import tcn
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import AudioError, ConfigError
from styletransfer.evaluation.transfer.spectral import Truth
from styletransfer.tasks import Neutral, gather
from styletransfer.training.converters import training_of
from styletransfer.training.crew import Crew
from styletransfer.training.neutral_passages import passages
from styletransfer.training.spectral_loss import SIZES, spectral_losses
from styletransfer.training.tcn import material, pictures, run, validation
from styletransfer.training.tcn.recipe import TCNRecipe, read, shipped

pytest.importorskip("lightning_fabric")
pytest.importorskip("tensorboard")

RECIPE = TCNRecipe(
    channels=8,
    blocks=2,
    bands=8,
    hidden=8,
    passages=3,
    rounds=2,
    pairs=1,
    steps_per_round=3,
    batch=2,
    excerpt_s=1,
    warm_up_steps=1,
    separated_share=0.0,
    validation_pairs=1,
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
        patch.setattr(material, "_separator", Shares)
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"), duration_s=11.0, stems=("drums", "vocals"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where neutral passages lie that all runs share."""
    return tmp_path_factory.mktemp("neutral")


@pytest.fixture(scope="module")
def neutrals(corpus: Path, kept: Path) -> list[Neutral]:
    return passages(corpus, "train", 3, kept, Crew(0), lambda share: None)[0]


@pytest.fixture(scope="module")
def unbroken(corpus: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    run.train(RECIPE, corpus, folder, material=kept, workers=0)
    return folder


def losses(folder: Path) -> list[tuple[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return [(row["spectral"], row["tone"]) for row in csv.DictReader(file)]


def order(neutrals: list[Neutral], **changed: bool) -> material.Order:
    plain = {"separated": False, "other": False, **changed}
    size = tcn.condition_size(256)
    return material.Order(
        neutrals[0], neutrals[1], 3, encoder="fxencoder-small", dimensions=size, kept_s=10.0, **plain
    )


def test_a_run_leaves_a_network_that_loads(unbroken: Path) -> None:
    (path,) = unbroken.glob("tcn-small-*.safetensors")
    loaded = tcn.load(path)
    assert loaded.network.config == RECIPE.config(256)
    assert loaded.facts["steps"] == 6
    assert loaded.encoder == "e6dd7ffd"
    assert set(loaded.amounts.values()) <= set(validation.AMOUNTS)
    assert not set(loaded.facts["trained_on"]) & set(loaded.facts["validated_on"])
    assert {"true", "separated", "true/drums", "worse/true", "mean"} <= set(loaded.facts["validation"])
    assert len(losses(unbroken)) == 6
    assert [path.name for path in sorted((unbroken / "pictures").iterdir())] == [
        "round-001.png",
        "round-002.png",
    ]
    assert list((unbroken / "tensorboard").iterdir())


def test_a_run_cut_off_goes_on_with_the_same_curve(
    unbroken: Path, corpus: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, whole = 0, run.total_loss

    def cut(recipe: TCNRecipe, parts: dict[str, torch.Tensor]) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 5:  # in the middle of the second round
            raise KeyboardInterrupt
        return whole(recipe, parts)

    for shard in unbroken.glob("*/shard-*"):  # what takes long, and is tested by itself
        (tmp_path / shard.parent.name).mkdir(exist_ok=True)
        os.link(shard, tmp_path / shard.parent.name / shard.name)
    monkeypatch.setattr(run, "total_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        run.train(RECIPE, corpus, tmp_path, material=kept, workers=0)
    monkeypatch.setattr(run, "total_loss", whole)
    run.train(RECIPE, corpus, tmp_path, material=kept, workers=0)
    assert losses(tmp_path) == losses(unbroken)
    first, second = (tcn.load(next(folder.glob("tcn-small*"))) for folder in (unbroken, tmp_path))
    for key, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[key]), key


def test_the_command_goes_on_where_a_run_stands(
    unbroken: Path, corpus: Path, kept: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in RECIPE), encoding="utf-8")
    asked = ["train", "converter", corpus, "--recipe", path, "-o", unbroken, "--material", kept]
    stood = tcn.load(next(unbroken.glob("tcn-small*"))).network.state_dict()
    steps = losses(unbroken)
    done = CliRunner().invoke(app, [str(word) for word in [*asked, "--workers", 0, "--threads", 1]])
    assert done.exit_code == 0, done.stderr
    assert losses(unbroken) == steps  # nothing was left to train
    # amounts are judged anew, and near ties may fall otherwise on another number of threads
    found = tcn.load(done.stdout.strip()).network.state_dict()
    assert all(torch.equal(value, found[key]) for key, value in stood.items())
    assert "best round" in done.stderr
    asked[4] = "nothing"
    wrong = CliRunner().invoke(app, [str(word) for word in asked])
    assert wrong.exit_code == 2
    assert "no converter's recipe" in wrong.stderr


def test_another_recipe_or_network_is_refused(
    unbroken: Path, corpus: Path, kept: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="another recipe"):
        run.train(RECIPE.model_copy(update={"seed": 5}), corpus, unbroken, material=kept, workers=0)
    path = next(unbroken.glob("tcn-small*"))
    with pytest.raises(ConfigError, match="another kind"):
        run.train(RECIPE.model_copy(update={"channels": 4}), corpus, tmp_path, start=path, workers=0)
    assert not list(tmp_path.iterdir())  # said before anything was written


def test_a_corpus_without_pieces_is_refused(tmp_path: Path) -> None:
    small = small_corpus(tmp_path, pieces=(1, 0, 0), duration_s=11.0)
    with pytest.raises(AudioError, match="no two pieces"):
        passages(small, "train", 4, tmp_path / "kept", Crew(0), lambda share: None)


def test_passages_are_those_that_others_gather(corpus: Path, neutrals: list[Neutral], kept: Path) -> None:
    before = {path.name for path in kept.iterdir()}
    again, songs = passages(corpus, "train", 2, kept, Crew(0), lambda share: None)
    assert {one.path for one in again} <= {one.path for one in neutrals}
    assert {song.id for song in songs} == {one.song for one in again}
    assert {path.name for path in kept.iterdir()} == before
    assert gather(songs, kept, per_piece=1, seed=50_000)


def test_each_of_a_pair_is_the_others_reference(neutrals: list[Neutral]) -> None:
    rows = material.render(order(neutrals))
    assert rows["given"].shape == (4, 2, 441_000)
    assert rows["given"].dtype == torch.int16
    assert rows["stem"].tolist() == [0, 0, 3, 3]
    sounds = {key: rows[key].float() * rows[f"{key}.step"][:, None, None] for key in ("given", "truth")}
    for index, neutral in enumerate((neutrals[0], neutrals[1])):
        stem = neutral.stems()["vocals"]
        assert (sounds["given"][2 + index] - stem).abs().max() < 1e-4
        assert (sounds["truth"][2 + index] - stem).abs().max() > 1e-3
    for samples, factor in zip(sounds["given"], rows["factor"], strict=True):
        assert integrated_lufs(samples * factor, RATE) == pytest.approx(tcn.HEARD_LUFS, abs=0.1)


def test_inputs_with_a_past_are_no_longer_neutral(neutrals: list[Neutral]) -> None:
    plain, other = (material.render(order(neutrals, other=flag)) for flag in (False, True))
    assert torch.equal(plain["truth"][0], other["truth"][0])
    assert not torch.equal(plain["given"][0], other["given"][0])


def test_separated_pairs_keep_their_truth(neutrals: list[Neutral]) -> None:
    plain, apart = (material.render(order(neutrals, separated=flag)) for flag in (False, True))
    assert torch.equal(plain["truth"], apart["truth"])
    assert not torch.equal(plain["given"], apart["given"])
    assert not torch.equal(plain["condition"], apart["condition"])


def test_shards_are_the_same_again_and_damage_is_named(neutrals: list[Neutral], tmp_path: Path) -> None:
    wanted = material.orders(neutrals, RECIPE, 7, 1, "fxencoder-small", tcn.condition_size(256), 1.5)
    batches = []
    for name in ("one", "other"):
        shards = material.Shards(tmp_path / name)
        shards.prepare(0, wanted, Crew(0), lambda share: None)
        batches.append(shards.batch(Generator().manual_seed(0), 3, RATE))
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one, other)
    assert batches[0].given.shape == (3, 2, RATE)
    kept = shards.example(0, Generator(), 10 * RATE)
    assert kept.given.shape == kept.truth.shape == (2, 66_150)
    (tmp_path / "one" / "shard-0000.safetensors").write_bytes(b"nothing")
    with pytest.raises(Exception, match="rendered again"):
        material.Shards(tmp_path / "one").prepare(0, wanted, Crew(0), lambda share: None)


def test_the_loss_is_what_evaluation_measures() -> None:
    """On sounds so loud that the soft floor of the one and the hard floor of the other don't matter."""
    generator = Generator().manual_seed(0)
    truth = 5 * torch.randn(1, 2, RATE, generator=generator)
    for made in (truth * 0.5, truth + torch.randn(1, 2, RATE, generator=generator), truth.flip(1)):
        ours = float(spectral_losses(made, truth, SIZES)[0])
        theirs = Truth(truth[0]).distance(made[0])
        assert ours * 8 == pytest.approx(theirs.left_right + theirs.mid_side, rel=0.01)
    assert float(spectral_losses(truth, truth, SIZES)[0]) == 0


def test_tone_hears_an_equalizer_and_no_shift() -> None:
    noise = 0.1 * torch.randn(1, 2, RATE, generator=Generator().manual_seed(0))
    tilted = noise - 0.9 * noise.roll(1, -1)
    shifted, wrong = (
        float(spectral_losses(made, noise, [1024])[1]) for made in (noise.roll(300, -1), tilted)
    )
    assert wrong > 10 * shifted


def test_doing_nothing_is_a_ratio_of_one(neutrals: list[Neutral], unbroken: Path, tmp_path: Path) -> None:
    size = tcn.condition_size(256)
    judge = validation.Validation(neutrals, RECIPE, unbroken, Crew(0), "fxencoder-small", size)
    judged = judge.judge(TCN(RECIPE.config(256)).eval(), "cpu")
    found = validation.ratios(judged)
    assert found["true"] == pytest.approx(1, abs=1e-3)
    assert found["separated/vocals"] == pytest.approx(1, abs=1e-3)
    assert set(validation.choose_amounts(judged).values()) == {0.0}  # the least that is as good
    pictures.draw(judged, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_the_recipes_that_ship_can_be_read() -> None:
    assert {"tcn", "tcn-gpu", "paper"} <= set(shipped())
    for name in shipped():
        assert read(name).config(256).preset == ("paper" if name == "paper" else "small")
    assert read("tcn").minutes <= 60


def test_a_recipes_kind_says_which_training_it_is_for(tmp_path: Path) -> None:
    recipes, training = training_of("tcn")
    assert recipes.read("tcn") == read("tcn")
    assert training is run
    path = tmp_path / "mine.toml"
    path.write_text('kind = "tcn"\nbatch = 3\n', encoding="utf-8")
    assert training_of(str(path))[1] is run
    for text in ("batch = 3", 'kind = "poem"'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="kind"):
            training_of(str(path))
    with pytest.raises(ConfigError, match="no converter's recipe"):
        training_of("nothing")
