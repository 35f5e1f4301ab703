"""The whole evaluation on a tiny corpus of made songs: what is heard, kept, refused and written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from style_sounds import RATE, write_corpus
from torch import Tensor

from styletransfer.chains import PARAMETER_NAMES
from styletransfer.corpus.folder import Corpus, CorpusSong
from styletransfer.corpus.split import marks, piece_mark
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import CheckpointError
from styletransfer.evaluation.style import excerpts, outputs, report, styles
from styletransfer.evaluation.style.bank import Embeddings, on_grid, through_chains, through_chains_per_stem
from styletransfer.evaluation.style.evaluate import StyleConfig, evaluate
from styletransfer.evaluation.style.excerpts import gather, stems_of
from styletransfer.evaluation.style.findings import APART, OWN, PER_STEM, Findings
from styletransfer.evaluation.style.goals import goals
from styletransfer.evaluation.style.listening import Listening
from styletransfer.evaluation.style.plan import Plan
from styletransfer.evaluation.style.separated import through_separation
from styletransfer.evaluation.style.systems import ENCODER, MEL, System, mel_statistics
from styletransfer.separation import choose

TINY = Plan(
    name="tiny",
    kinds=("drums",),
    styles=12,
    slots={1: 2},
    draws=2,
    takes=1,
    per_stem_counts=(1,),
    grid_kinds=("drums",),
    grid_pieces=2,
)


@pytest.fixture(scope="module", autouse=True)
def short() -> Iterator[None]:
    """Excerpts of 2 s, and grids of short chains: ten effects on 10 s at a time would take minutes."""
    chains = styles.frozen() | {styles.FULL: styles.frozen()["1"].select(range(styles.GRID))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excerpts, "EXCERPT_S", 2.0)
        patch.setattr(styles, "frozen", lambda: chains)
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), 2)


def level_system(name: str = ENCODER, trained_on: frozenset[str] = frozenset()) -> System:
    """Hears nothing but the levels of left and right."""

    def embed(samples: Tensor, stem: str) -> Tensor:
        return samples.square().mean(-1).log10()

    return System(name, embed, f"levels of {name}", scaled=True, trained_on=trained_on)


@pytest.fixture(scope="module")
def found(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Findings, StyleConfig]:
    config = StyleConfig(corpus, plan=TINY, cache=tmp_path_factory.mktemp("cache"))
    return evaluate(config, systems=[mel_statistics(), level_system()]), config


def test_passages_are_active_level_and_the_same_again(corpus: Path) -> None:
    songs = Corpus(corpus).songs("test")
    dry = gather(songs, "drums", 2, 2, seed=0)
    assert dry.samples.shape == (2, 2, 2, 88_200)
    for cut in dry.samples.flatten(0, 1):
        assert integrated_lufs(cut, RATE) == pytest.approx(-23, abs=0.1)
    assert gather(songs, "drums", 2, 2, seed=0).key == dry.key
    assert gather(songs, "drums", 2, 2, seed=1).key != dry.key


def test_the_stems_of_mixes_sum_to_them(corpus: Path) -> None:
    mixes = gather(Corpus(corpus).songs("test"), "mix", 2, 1, seed=0)
    total = sum(stem.samples / stem.gains[..., None, None] for stem in stems_of(mixes))
    assert torch.allclose(total, mixes.samples / mixes.gains[..., None, None], atol=1e-4)


def test_a_chain_per_stem_that_only_turns_all_up_turns_the_mix_up(corpus: Path) -> None:
    mixes = gather(Corpus(corpus).songs("test"), "mix", 2, 1, seed=0)
    louder = styles.alone("gain", 1, seed=3)
    jobs = np.array([[0, 0, 0], [0, 1, 0]])
    heard = through_chains_per_stem(mixes, stems_of(mixes), [louder] * 4).render(jobs)
    whole = through_chains(mixes, louder).render(jobs)
    assert torch.allclose(heard, whole, atol=1e-4)


def test_what_is_kept_is_named_by_all_that_sounds(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixes = gather(Corpus(corpus).songs("test"), "mix", 2, 1, seed=0)
    stems, chain = stems_of(mixes), styles.alone("gain", 1, seed=3)
    louder = replace(stems[0], gains=stems[0].gains / 2)
    plain = through_chains_per_stem(mixes, stems, [chain] * 4).key
    assert through_chains_per_stem(mixes, stems_of(mixes), [chain] * 4).key == plain
    assert through_chains_per_stem(mixes, [louder, *stems[1:]], [chain] * 4).key != plain
    drums = gather(Corpus(corpus).songs("test"), "drums", 2, 1, seed=0)
    separator = choose("builtin-median")
    key = through_separation(drums, chain, separator).key
    assert through_separation(drums, chain, separator).key == key
    read = CorpusSong.read

    def softer(song: CorpusSong, stem: str, *at: float) -> Tensor:
        return read(song, stem, *at) * (0.5 if stem == "other" else 1.0)

    monkeypatch.setattr(CorpusSong, "read", softer)
    assert through_separation(drums, chain, separator).key != key


def test_stems_heard_apart_tell_what_their_own_chains_did(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = styles.alone("gain", 12, seed=3)
    monkeypatch.setattr(styles, "frozen", lambda: {"1": gains})
    power = System("power", lambda samples, stem: samples.square().mean((1, 2))[:, None].log10(), "", True)
    hall = Listening(TINY, Corpus(corpus).songs("test"), [power], Embeddings(None), 0, lambda *_: None)
    heard = hall.stems_apart(1)
    vectors = heard.vectors["power"]
    assert vectors.shape == (24, 2)  # drums and other: the corpus has no bass and no vocals
    turned = gains.parameters()[0][:, PARAMETER_NAMES.index("gain.gain_db")].numpy()
    for column, begun_at in enumerate((0, 100)):  # where the lists of drums and of other begin
        told = np.roll(turned, begun_at)[heard.styles]
        for piece in (0, 1):
            asked = heard.pieces == piece
            assert np.corrcoef(vectors[asked, column], told[asked])[0, 1] > 0.999


def test_embeddings_are_kept_and_other_systems_added(corpus: Path, tmp_path: Path) -> None:
    dry = gather(Corpus(corpus).songs("test"), "drums", 2, 1, seed=0)
    renderer = through_chains(dry, styles.frozen()["1"].select(range(3)))
    jobs = on_grid(3, 2, 1, seed=0)
    first = Embeddings(tmp_path, 2).hear(renderer, jobs, [level_system("a")])

    def refuse(jobs: np.ndarray) -> Tensor:
        raise AssertionError("rendered again")

    again = Embeddings(tmp_path).hear(replace(renderer, render=refuse), jobs, [level_system("a")])
    assert np.array_equal(first["a"], again["a"])
    both = Embeddings(tmp_path).hear(renderer, jobs, [level_system("a"), level_system("b")])
    assert np.array_equal(both["b"], first["a"])
    with pytest.raises(AssertionError, match="rendered again"):
        Embeddings(tmp_path).hear(replace(renderer, render=refuse), jobs, [level_system("c")])


def test_no_figure_comes_from_songs_seen_in_training(corpus: Path) -> None:
    songs = Corpus(corpus).songs("test")
    seen = level_system(trained_on=frozenset(marks(songs[:1])))
    with pytest.raises(CheckpointError, match="was trained on 1 of the 2 pieces"):
        evaluate(StyleConfig(corpus, plan=TINY, cache=None), systems=[mel_statistics(), seen])


def test_training_marks_pieces_as_the_evaluation_does(corpus: Path) -> None:
    from styletransfer.training.facts import learned_from

    songs = Corpus(corpus).songs()
    told = learned_from(corpus, songs, None)["trained_on"]
    assert told == sorted(piece_mark(song.piece) for song in songs)


def test_every_condition_is_answered_by_every_system(found: tuple[Findings, StyleConfig]) -> None:
    findings, _ = found
    assert set(findings.answers) == {(OWN, "drums", 1), (PER_STEM, "mix", 1), (APART, "mix", 1)}
    for answers in findings.answers.values():
        assert list(answers) == [MEL, ENCODER]
        assert all(len(answer.ranks) == 24 for answer in answers.values())  # 12 styles, two draws
    assert findings.leaks["drums", 1][MEL].chance == pytest.approx(1 / 2, abs=0.05)
    assert findings.gaps["full", "drums"][MEL].ceiling == pytest.approx(np.log(10) / np.log(20))
    assert findings.pieces[OWN, "drums"] == 2


def test_reports_hold_all_systems_and_goals(found: tuple[Findings, StyleConfig], tmp_path: Path) -> None:
    findings, config = found
    paths = outputs.write(findings, config, tmp_path)
    assert [path.suffix for path in paths] == [".json", ".md", ".png", ".svg"]
    text = paths[1].read_text(encoding="utf-8")
    for part in ("DCIMIG, drums, full", MEL, "own effects", "DCIMIG", "Content leak", "missed by"):
        assert part in text
    written = json.loads(paths[0].read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(report.figures(findings, config)))
    assert written["retrieval"][0]["systems"][MEL]["recall_1"]["value"] >= 0
    assert len(written["goals"]) == len(goals(findings)) > 3
    leads = {goal.what: goal.value for goal in goals(findings)}
    leak = findings.leaks["drums", 1]
    told = leads[f"least lead in content leak over {MEL}, lower end of the interval (drums, 1 effects)"]
    lead = leak[ENCODER].lead_over(leak[MEL])
    assert lead.value == pytest.approx(leak[MEL].leak.value - leak[ENCODER].leak.value)
    assert told == lead.low <= lead.value <= lead.high
    gap = findings.gaps["full", "drums"]
    assert math.isnan(gap[ENCODER].lead_over(gap[MEL]).low)  # two pieces say nothing of a third
    assert not any("DCIMIG over" in what for what in leads)
    told = findings.explicitness["full", "drums"]
    lead = told[ENCODER].lead_over(told[MEL])
    assert (
        leads[f"least lead in explicitness over {MEL}, lower end of the interval (drums, full)"] == lead.low
    )
    assert all(path.stat().st_size > 1000 for path in paths)
