"""Transfers with a truth: settings are possible, and the answer is what they make of the input."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from corpus_of_tasks import small_corpus

from styletransfer.audio import STEMS
from styletransfer.converter.console import MASTER, STRIP, clamped, is_neutral
from styletransfer.corpus.folder import RATE, Corpus
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import AudioError
from styletransfer.normalization import load_averages
from styletransfer.tasks import (
    Neutral,
    apply_loosely,
    apply_settings,
    console_task,
    draw_master,
    draw_pairs,
    draw_settings,
    foreign_task,
    gather,
    neutral,
    separated,
)
from styletransfer.tasks.drawing import CHANCES


@pytest.fixture(scope="module")
def neutrals(tmp_path_factory: pytest.TempPathFactory) -> list[Neutral]:
    folder = tmp_path_factory.mktemp("tasks")
    songs = Corpus(small_corpus(folder / "corpus")).songs("train")
    return gather(songs, folder / "neutral", duration_s=2.0)


@pytest.mark.parametrize("stem", STEMS)
def test_settings_are_possible_repeatable_and_never_empty(stem: str) -> None:
    for seed in range(50):
        settings = draw_settings(torch.Generator().manual_seed(seed), stem)
        assert settings == clamped(STRIP, settings)
        assert settings == draw_settings(torch.Generator().manual_seed(seed), stem)
        assert any(not is_neutral(STRIP[stage], settings[stage]) for stage in STRIP)


def test_a_master_is_possible_repeatable_and_never_empty() -> None:
    for seed in range(50):
        settings = draw_master(torch.Generator().manual_seed(seed))
        assert settings == clamped(MASTER, settings) == draw_master(torch.Generator().manual_seed(seed))
        assert any(not is_neutral(MASTER[stage], settings[stage]) for stage in MASTER)
        assert settings["gain"]["gain_db"] == 0
        assert all(abs(db) <= 12 for name, db in settings["eq"].items() if name.endswith("_gain_db"))


def test_another_studio_has_the_same_settings_and_other_makes(neutrals: list[Neutral]) -> None:
    name, samples = next(iter(neutrals[0].stems().items()))
    settings = draw_settings(torch.Generator().manual_seed(8), name)
    settings["compressor"] |= {"ratio": 4.0, "threshold_db": -30.0}
    ours = apply_settings({name: samples}, {name: settings})[name]

    def loosely(share: float) -> torch.Tensor:
        return apply_loosely(samples, STRIP, settings, share, torch.Generator().manual_seed(1))

    torch.testing.assert_close(loosely(0.0), ours, atol=1e-5, rtol=0)
    theirs = loosely(1.0)
    assert torch.equal(theirs, loosely(1.0))
    assert (theirs - ours).abs().max() > 0.01 * ours.abs().max()
    assert abs(integrated_lufs(theirs, RATE) - integrated_lufs(ours, RATE)) < 1


def test_stages_are_used_as_often_as_the_table_says() -> None:
    generator = torch.Generator().manual_seed(1)
    drawn = [draw_settings(generator, "vocals") for _ in range(400)]
    for stage in ("compressor", "reverb", "saturation", "side_eq"):
        share = sum(not is_neutral(STRIP[stage], settings[stage]) for settings in drawn) / len(drawn)
        chances = CHANCES[stage]
        assert abs(share - chances.get("vocals", chances.get("", 0.0))) < 0.08, stage


def test_a_draw_of_one_stem_shifts_no_other() -> None:
    generator = torch.Generator().manual_seed(3)
    draw_settings(generator, "bass")
    after_bass = draw_settings(generator, "drums")
    generator = torch.Generator().manual_seed(3)
    draw_settings(generator, "vocals")
    assert draw_settings(generator, "drums") == after_bass


def test_a_stem_that_there_isnt_is_refused() -> None:
    with pytest.raises(ValueError, match="no stem"):
        draw_settings(torch.Generator(), "mix")


def test_neutral_stems_have_the_averages_loudness(neutrals: list[Neutral]) -> None:
    averages = load_averages()
    for name, samples in neutrals[0].stems().items():
        assert abs(integrated_lufs(samples, RATE) - averages.of(name).loudness_lufs) < 0.5, name


def test_neutral_hides_what_a_gain_did() -> None:
    noise = 0.05 * torch.randn(2, 2 * RATE, generator=torch.Generator().manual_seed(0))
    plain, louder = neutral({"other": noise})["other"], neutral({"other": 4 * noise})["other"]
    assert float((plain - louder).square().mean() / plain.square().mean()) < 1e-4


def test_passages_are_kept_and_come_back_alike(tmp_path: Path) -> None:
    songs = Corpus(small_corpus(tmp_path / "corpus", pieces=(1, 0, 0))).songs("train")
    (first,) = gather(songs, tmp_path / "neutral", duration_s=2.0)
    made = first.path.stat().st_mtime_ns
    (again,) = gather(songs, tmp_path / "neutral", duration_s=2.0)
    assert first == again
    assert again.path.stat().st_mtime_ns == made


def test_the_truth_is_what_the_settings_make_of_the_input(neutrals: list[Neutral]) -> None:
    first, second = draw_pairs(neutrals, 1, torch.Generator().manual_seed(0))[0]
    task = console_task(first, second, torch.Generator().manual_seed(0))
    assert task.settings is not None
    assert first.piece != second.piece
    again = apply_settings(task.input, task.settings)
    for name, truth in task.truth.items():
        assert torch.equal(again[name], truth)
        assert truth.shape == task.reference[name].shape
        assert not torch.equal(truth, task.input[name])


def test_another_chain_before_leaves_truth_and_reference_alone(neutrals: list[Neutral]) -> None:
    plain = console_task(neutrals[0], neutrals[1], torch.Generator().manual_seed(0))
    other = console_task(neutrals[0], neutrals[1], torch.Generator().manual_seed(0), other=True)
    assert not other.neutral_input
    assert plain.settings == other.settings
    for name in plain.truth:
        assert torch.equal(plain.truth[name], other.truth[name])
        assert torch.equal(plain.reference[name], other.reference[name])
        assert not torch.equal(plain.input[name], other.input[name])


def test_foreign_chains_have_no_settings(neutrals: list[Neutral]) -> None:
    task = foreign_task(neutrals[0], neutrals[1], torch.Generator().manual_seed(0))
    assert task.settings is None
    assert all(torch.isfinite(sound).all() for sound in task.truth.values())
    assert any(not torch.equal(task.truth[name], task.input[name]) for name in task.truth)


def test_pairs_are_of_different_pieces(neutrals: list[Neutral]) -> None:
    pairs = draw_pairs(neutrals, 7, torch.Generator().manual_seed(0))
    assert len(pairs) == 7
    assert all(first.piece != second.piece for first, second in pairs)
    with pytest.raises(AudioError, match="no two pieces"):
        draw_pairs(neutrals[:1], 1, torch.Generator())


def test_separated_stems_and_rest_are_the_same_mix(neutrals: list[Neutral]) -> None:
    from styletransfer.separation import choose

    task = console_task(neutrals[0], neutrals[1], torch.Generator().manual_seed(0))
    apart = separated(task, choose("builtin"))
    assert tuple(apart.input) == STEMS
    assert apart.truth is task.truth
    for before, after in ((task.input_mix, apart.input_mix), (task.reference_mix, apart.reference_mix)):
        assert float((before - after).abs().max()) < 1e-5
