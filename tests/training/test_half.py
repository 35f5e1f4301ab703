"""An encoder that serves evaluation only hears half of the training pieces, and by another front end."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_corpus import small_corpus

from styletransfer import encoders
from styletransfer.corpus.folder import Corpus
from styletransfer.corpus.split import marks
from styletransfer.training.encoder import run
from styletransfer.training.encoder.half import half_of
from styletransfer.training.encoder.recipe import EncoderRecipe, read

RECIPE = EncoderRecipe(
    half=True, ear="spectra", excerpt_s=1.5, rounds=1, groups_per_shard=1, contents=2, chains=2,
    steps_per_round=1, groups=1, validation_styles=5, varied=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"), pieces=(10, 2, 2))


def test_half_of_the_training_pieces_and_all_others_are_there(corpus: Path, tmp_path: Path) -> None:
    half = Corpus(half_of(corpus, tmp_path / "half"))
    trained = {song.piece for song in half.songs("train")}
    assert 2 <= len(trained) <= 8
    assert trained < {song.piece for song in Corpus(corpus).songs("train")}
    for split in ("validation", "test"):
        assert len(half.songs(split)) == len(Corpus(corpus).songs(split))
    assert half.songs("train")[0].read("drums", 0, 1).any()
    again = Corpus(half_of(corpus, tmp_path / "half"))
    assert {song.piece for song in again.songs("train")} == trained


def test_what_was_trained_on_half_says_so(corpus: Path, tmp_path: Path) -> None:
    trained = run.train(RECIPE, corpus, tmp_path / "run", workers=0)
    loaded = encoders.load(trained.path)
    half = Corpus(tmp_path / "run" / "corpus").songs("train")
    assert loaded.facts["trained_on"] == marks(half)
    assert loaded.network.config.ear == "spectra"


def test_the_recipe_that_ships_differs_in_seed_ear_and_pieces() -> None:
    second, first = read("second"), read("cpu")
    assert second.half
    assert second.ear != first.ear
    assert second.seed != first.seed
