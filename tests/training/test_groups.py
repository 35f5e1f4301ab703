from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor
from training_corpus import small_corpus

from styletransfer import encoders
from styletransfer.audio import Audio
from styletransfer.chains import EFFECTS, VARIED
from styletransfer.corpus.folder import RATE, Corpus
from styletransfer.encoder import network as networks
from styletransfer.encoder.description import DESCRIPTION
from styletransfer.errors import AudioError
from styletransfer.training.encoder import groups
from styletransfer.training.encoder import run as training
from styletransfer.training.encoder.contents import Contents
from styletransfer.training.encoder.groups import Order, as_on, render
from styletransfer.training.encoder.recipe import EncoderRecipe

RECIPE = EncoderRecipe(excerpt_s=1.0, contents=2, chains=3, restylings=1, groups_per_shard=1)
HEARD = ("drums", "bass", "other", "vocals", "mix")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


class Even:
    """Every stem is a quarter of the mix."""

    name = fingerprint = "even"
    rate = RATE

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        yield mix.samples.expand(4, -1, -1) / 4


def ordered(corpus: Path, kind: groups.Kind, stems: tuple[str, ...], **asked: object) -> Order:
    return Order(corpus, RECIPE.model_copy(update=asked), stems, 1, 3, {}, kind)


def test_crops_have_their_lengths_and_different_pieces(corpus: Path) -> None:
    contents = Contents(Corpus(corpus), "train", 2.0, vary=True)
    short, long = contents.draw_cropped(Generator().manual_seed(0), "drums", 3, [0.5, 1.0])
    assert (short.shape, long.shape) == ((3, 1, 2, RATE), (3, 1, 2, 2 * RATE))


def test_cropped_groups_look_like_others(corpus: Path) -> None:
    whole, cropped = (render(ordered(corpus, "songs", ("bass",), shortest=s))["bass"] for s in (1.0, 0.5))
    assert {key: part.shape for key, part in whole.items()} == {k: part.shape for k, part in cropped.items()}
    assert whole["described"].shape == (1, 12, DESCRIPTION)
    assert cropped["described"].isfinite().all()


def test_by_stem_a_bass_gets_fewer_reverbs_and_as_many_effects() -> None:
    even = dict.fromkeys(EFFECTS, 0.5)
    bass, vocals = (as_on(stem, even, VARIED) for stem in ("bass", "vocals"))
    assert bass["reverb"] < 0.5 * vocals["reverb"]
    for chances in (bass, vocals):
        assert sum(chances.values()) == pytest.approx(5)
    counted = []
    for by_stem in (False, True):
        recipe = RECIPE.model_copy(update={"by_stem": by_stem, "gentle_share": 0.0})
        chains = groups.training_chains(Generator().manual_seed(0), 300, "bass", recipe, {})
        counted.append(chains.present().float().mean(0)[EFFECTS.index("reverb")])
    assert counted[1] < 0.8 * counted[0]


def test_separated_groups_have_all_stems_and_ask_nothing_of_the_mix(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "_separator", lambda device: Even())
    found = render(ordered(corpus, "separated", HEARD))
    plain = render(ordered(corpus, "songs", ("bass",)))["bass"]
    assert set(found) == set(HEARD)
    for parts in found.values():
        assert {key: (part.shape, part.dtype) for key, part in parts.items()} == {
            key: (part.shape, part.dtype) for key, part in plain.items()
        }
    # what is described is what the separator gave: a quarter of one mix, at each stem's own level
    tone = torch.stack([found[stem]["described"][0, :6, 1:20].float() for stem in HEARD[:4]])
    torch.testing.assert_close(tone, tone[:1].expand_as(tone), atol=0.1, rtol=0)
    assert found["drums"]["present"].any()
    assert not found["mix"]["known"].any()
    assert not found["mix"]["active"].any()


def test_too_few_songs_with_all_stems_are_refused_before_any_work(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "one", stems=("drums", "bass"))
    small_corpus(tmp_path / "two", stems=("other", "vocals"))
    for song in (tmp_path / "two" / "songs").iterdir():
        meta = song / "meta.json"
        meta.write_text(meta.read_text().replace(song.name, f"x-{song.name}"), encoding="utf-8")
        song.rename(corpus / "songs" / f"x-{song.name}")
    recipe = RECIPE.model_copy(update={"separated_share": 0.5})
    with pytest.raises(AudioError, match="have all stems at once"):
        training.train(recipe, corpus, tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_the_paper_s_network_learns_from_samples(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lightning_fabric")
    monkeypatch.setattr(networks, "PAPER_CHANNELS", (4,) * 11 + (2048,))
    asked = {"preset": "paper", "restylings": 0, "shortest": 0.5, "rounds": 1, "steps_per_round": 2}
    recipe = RECIPE.model_copy(update={**asked, "chains": 2, "groups": 1, "validation_styles": 5})
    assert render(ordered(corpus, "songs", ("bass",), preset="paper", restylings=0, shortest=0.5))["bass"][
        "described"
    ].shape == (1, 6, 2, RATE)
    trained = training.train(recipe, corpus, tmp_path, workers=0)
    assert trained.path.name.startswith("fxencoder-paper-")
    loaded = encoders.load(trained.path)
    assert loaded.network.config.preset == "paper"
    assert loaded.network.scale.min() < 1  # its explicit features are in deviations, too
    with torch.no_grad():
        assert loaded.network.embed(torch.randn(1, 2, RATE), "mix").shape == (1, 2048)
