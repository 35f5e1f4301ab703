from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
import torch
from torch import Generator

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training_corpus import small_corpus

from styletransfer.errors import AudioError, ConfigError
from styletransfer.separation import splitters
from styletransfer.training.crew import Crew
from styletransfer.training.separator import material, mixing, run, validation
from styletransfer.training.separator.loss import negative_sdr_db
from styletransfer.training.separator.recipe import SeparatorRecipe, read, shipped

pytest.importorskip("lightning_fabric")
pytest.importorskip("tensorboard")

RECIPE = SeparatorRecipe(
    architecture="bands",
    bins=128,
    width=8,
    rounds=3,
    steps_per_round=2,
    batch=2,
    frames=64,
    warm_up_steps=1,
    validation_excerpts=2,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def unbroken(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    run.train(RECIPE, corpus, folder, workers=0)
    return folder


def losses(folder: Path) -> list[str]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return [row["sdr"] for row in csv.DictReader(file)]


def order(corpus: Path, seed: int = 0, **changed: float) -> material.Order:
    return material.Order(corpus, RECIPE.model_copy(update=changed), seed)


def test_a_run_leaves_a_splitter_that_loads(unbroken: Path) -> None:
    (path,) = unbroken.glob("splitter-small-*.safetensors")
    loaded = splitters.load(path)
    assert loaded.config == RECIPE.config
    assert loaded.facts["steps"] == 6
    assert not set(loaded.facts["trained_on"]) & set(loaded.facts["validated_on"])
    assert set(loaded.facts["validation"]) >= {"drums", "bass", "other", "mean"}
    assert len(losses(unbroken)) == 6


def test_a_run_cut_off_goes_on_with_the_same_curve(
    unbroken: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, whole = 0, run.total_loss

    def cut(recipe: SeparatorRecipe, parts: dict[str, torch.Tensor]) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:  # in the middle of the second round
            raise KeyboardInterrupt
        return whole(recipe, parts)

    monkeypatch.setattr(run, "total_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        run.train(RECIPE, corpus, tmp_path, workers=0)
    monkeypatch.setattr(run, "total_loss", whole)
    run.train(RECIPE, corpus, tmp_path, workers=0)
    assert losses(tmp_path) == losses(unbroken)
    first, second = (splitters.load(next(folder.glob("splitter*"))) for folder in (unbroken, tmp_path))
    for key, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[key]), key


def test_a_run_stops_before_it_passes_its_minutes(corpus: Path, tmp_path: Path) -> None:
    run.train(RECIPE.model_copy(update={"minutes": 1e-6}), corpus, tmp_path, workers=0)
    assert len(losses(tmp_path)) == RECIPE.steps_per_round  # one round is always trained


def test_another_recipe_or_network_is_refused(unbroken: Path, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another recipe"):
        run.train(RECIPE.model_copy(update={"seed": 5}), corpus, unbroken, workers=0)
    path = next(unbroken.glob("splitter*"))
    with pytest.raises(ConfigError, match="another kind"):
        run.train(RECIPE.model_copy(update={"width": 4}), corpus, tmp_path, start=path, workers=0)


def test_a_corpus_without_a_stem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="build"):
        material.Songs(tmp_path, "train")


def test_sources_are_what_is_heard(corpus: Path) -> None:
    heard, sources = material.render(order(corpus, voice_share=0))
    assert heard.shape == (2, 2, 128, 64, 2)
    assert (heard - sources.sum(1)).abs().max() < 0.003 * heard.abs().max()  # float16
    assert heard.abs().max() > 0.1


def test_an_order_is_always_the_same_batch(corpus: Path) -> None:
    first, again, other = (material.render(order(corpus, seed))[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_voice_stage_leaves_and_takes(corpus: Path) -> None:
    generator = Generator().manual_seed(0)
    voice, rest = torch.zeros(2, 2, 64, 32, dtype=torch.complex64)
    voice[:, :32], rest[:, 32:] = 1.0, 1.0
    heard = mixing.errs(voice, rest, generator)
    assert heard[:, :28].abs().mean() < 0.3
    assert heard[:, 36:].abs().mean() > 0.95


def test_overdrive_adds_overtones_at_the_same_level() -> None:
    tone = 0.1 * torch.sin(2 * torch.pi * 300 * torch.arange(44100) / 44100).expand(2, -1)
    driven = mixing.overdriven(tone, Generator().manual_seed(0))
    assert float(driven.square().mean() / tone.square().mean()) == pytest.approx(1, rel=1e-3)
    spectrum = torch.fft.rfft(driven[0]).abs()
    assert spectrum[900] > 0.03 * spectrum[300]
    assert torch.fft.rfft(tone[0]).abs()[900] < 1e-3 * spectrum[300]


def test_the_level_of_a_spectrum_is_that_of_its_sound() -> None:
    sound = 0.2 * torch.randn(2, 255 * 1024, generator=Generator().manual_seed(0))
    assert material.level(material.spectrum(sound, 2049)) == pytest.approx(0.2, rel=0.02)


def test_loss_falls_with_the_error_and_asks_silence_for_silence() -> None:
    generator = Generator().manual_seed(0)
    sources = torch.randn(1, 2, 2, 8, 8, generator=generator, dtype=torch.complex64)
    heard = sources.sum(1)
    right = sources / heard[:, None]
    values = [float(negative_sdr_db(right * gain, heard, sources)) for gain in (1.0, 0.9, 0.5)]
    assert values == sorted(values)
    assert values[0] < -25
    silent = sources.clone()
    silent[:, 1] = 0
    masks = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1, 1)
    assert negative_sdr_db(masks, silent.sum(1), silent) < negative_sdr_db(
        masks * 0 + 0.5, silent.sum(1), silent
    )


def test_validation_hears_what_users_get(corpus: Path, tmp_path: Path) -> None:
    judge = validation.prepare(corpus, RECIPE, tmp_path, Crew(0))
    assert judge.shares.shape[0] == 2

    class Thirds(torch.nn.Module):
        def forward(self, spectrum: torch.Tensor) -> torch.Tensor:
            return torch.full((1, 3, *spectrum.shape[1:]), 1 / 3)

    found = judge.sdr_db(Thirds(), Crew(0), "cpu")
    assert all(-10 < value < 6 for value in found.values())


def test_the_recipes_that_ship_can_be_read() -> None:
    assert {"cpu", "cpu-again", "gpu", "bands", "unet"} <= set(shipped())
    for name in shipped():
        splitters.build(read(name).config)


def test_a_wrong_recipe_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for text, sentence in (("speed = 3", "speed"), ("frames = 100", "frames"), ("rounds =", "no TOML")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=sentence):
            read(path)
    with pytest.raises(ConfigError, match=r"give a \.toml file"):
        read("nothing")
