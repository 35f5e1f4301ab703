from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator
from training_corpus import small_corpus

from styletransfer.chains.loudness import k_weighted_energy
from styletransfer.corpus.folder import RATE, Corpus
from styletransfer.errors import AudioError
from styletransfer.training.contents import LOUDNESS_LUFS, Contents, levelled


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


def test_a_split_plays_only_its_own_pieces(corpus: Path) -> None:
    contents = Contents(Corpus(corpus), "train", 2.0)
    _, places = contents.draw(Generator().manual_seed(0), "mix", 20, 2)
    assert {place.piece for group in places for place in group} == {"train-0", "train-1", "train-2"}
    assert all(first.piece != second.piece for first, second in places)


def test_excerpts_are_equally_loud_and_the_same_seed_draws_the_same(corpus: Path) -> None:
    contents = Contents(Corpus(corpus), "validation", 2.0)
    for stem in ("drums", "mix"):
        sounds, places = contents.draw(Generator().manual_seed(1), stem, 3, 2)
        again, _ = contents.draw(Generator().manual_seed(1), stem, 3, 2)
        assert torch.equal(sounds, again)
        lufs = 10 * torch.log10(k_weighted_energy(sounds.flatten(0, 1), RATE)) - 0.691
        torch.testing.assert_close(lufs, torch.full_like(lufs, LOUDNESS_LUFS), atol=0.5, rtol=0)
        assert len(places) == 3


def test_pauses_don_t_count_towards_the_loudness() -> None:
    sound = torch.randn(2, 2 * RATE, generator=Generator().manual_seed(0)) * 0.1
    padded = torch.cat((sound, torch.zeros_like(sound)), 1)
    torch.testing.assert_close(levelled(padded)[:, : 2 * RATE], levelled(sound), atol=1e-3, rtol=0.01)
    assert levelled(torch.zeros(2, RATE)).abs().max() == 0


def test_too_small_a_corpus_is_refused_in_a_sentence(tmp_path: Path) -> None:
    small_corpus(tmp_path, pieces=(1, 1, 1))
    with pytest.raises(AudioError, match=r"no two pieces for train; build more"):
        Contents(Corpus(tmp_path), "train", 2.0)
