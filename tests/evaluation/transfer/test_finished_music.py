"""Finished music from end to end, on made-up songs, with a stand-in for Matchering; then its null tests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from styletransfer.audio import STEMS, Audio
from styletransfer.cli import app
from styletransfer.evaluation import songs
from styletransfer.evaluation.matchering import Matchering
from styletransfer.evaluation.songs import Song, SongSet
from styletransfer.evaluation.sound import RATE, read_excerpt, write_excerpt
from styletransfer.evaluation.transfer import evaluate, finished, report, speed
from styletransfer.evaluation.transfer.mixes import MATCHERING, NOTHING, UNGATED, Automix, Mixed
from styletransfer.evaluation.transfer.null_tests import null_tests, returned_exactly, self_residual_db
from styletransfer.stem_cache import StemCache

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def beat(seed: int, width: float, seconds: float = 6) -> Audio:
    """A beat of noise bursts over a bass note: music enough to be measured."""
    generator = torch.Generator().manual_seed(seed)
    frames = round(seconds * RATE)
    time = torch.arange(frames) / RATE
    decay = torch.exp(-20 * (time % 0.5))
    left, right = torch.randn(2, frames, generator=generator)
    bass = 0.2 * torch.sin(6.2832 * (55 + 10 * seed) * time)
    samples = bass + 0.2 * decay * torch.stack((left + width * right, left - width * right))
    return Audio(0.5 * samples, RATE)


@pytest.fixture
def small_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two made-up songs in place of the frozen ones; Matchering returns the input, automix widens it."""

    def widened(self: Automix, source: Audio, reference: Audio) -> Mixed:
        mid = source.samples.mean(0, keepdim=True)
        width = 4.0 if source.samples.diff(dim=0).std() < reference.samples.diff(dim=0).std() else 0.25
        return Mixed(Audio(mid + width * (source.samples - mid), source.rate), gated=self.gate)

    monkeypatch.setenv("TASKS_CACHE", str(tmp_path / "cache"))
    made = {name: Song(name, "p", "f", None, name, name, "g", "l", "") for name in ("one", "two")}
    frozen = SongSet("dev", made, (("one", "two"), ("two", "one")), seen=(("two", "one"),))
    for seed, name in enumerate(made):
        path = songs.excerpt_path(made[name], "dev", tmp_path)
        path.parent.mkdir(exist_ok=True)
        write_excerpt(path, beat(seed, 0.2 + 0.6 * seed))
    monkeypatch.setattr(finished, "song_set", lambda name: frozen)
    monkeypatch.setattr(Matchering, "install", lambda self: None)
    monkeypatch.setattr(Matchering, "transfer", lambda self, source, reference: source)
    monkeypatch.setattr(Automix, "__call__", widened)
    monkeypatch.setattr(finished, "_builtin", lambda: lambda mix: dict.fromkeys(STEMS, mix))
    return tmp_path


def test_all_of_finished_music_gets_tables_and_figures(small_set: Path):
    threads = torch.get_num_threads()
    plan = replace(evaluate.QUICK, finished=finished.FinishedPlan(nulls=False, speed=False))
    config = evaluate.TransferConfig(
        corpus=None, songs=small_set, set_name="dev", converters=("closed",), plan=plan
    )
    try:
        found = evaluate.evaluate(config)
    finally:
        torch.set_num_threads(threads)
    paths = report.write(found, config, small_set / "out")
    assert [path.suffix for path in paths] == [".json", ".md", ".png"]
    text = paths[1].read_text("utf-8")
    assert text == report.markdown(found, config)
    figures = json.loads(paths[0].read_text("utf-8"))
    pairs = figures["finished"]["pairs"]
    assert [(pair["input"], pair["reference"]) for pair in pairs] == [("one", "two"), ("two", "one")]
    systems = pairs[0]["systems"]
    ours = "closed"
    assert {"floor", NOTHING, MATCHERING, ours, ours + UNGATED} <= set(systems)
    assert systems[MATCHERING]["af"] == pytest.approx(systems[NOTHING]["af"], rel=1e-3)
    assert systems[ours + UNGATED]["af"] < systems[NOTHING]["af"] / 4
    assert set(systems[ours]["stems"]) == set(STEMS)
    assert "2 of 2" in text
    assert str(small_set) not in json.dumps(figures)
    for name in systems:
        assert f"| {name} |" in text
    assert "{" not in text
    told = {goal["what"]: goal for goal in figures["goals"]}
    assert not told["pairs of finished music"]["met"]
    assert told["share of pairs worse than doing nothing"]["met"]
    blind = told["AF ÷ Matchering's, 1 pairs that no rule was made on"]
    assert blind["value"] == pytest.approx(systems[ours]["af"] / systems[MATCHERING]["af"], rel=1e-6)
    assert blind["value"] != pytest.approx(told["AF ÷ Matchering's"]["value"], rel=1e-6)


def test_the_command_prints_and_writes_what_it_measured(small_set: Path, monkeypatch: pytest.MonkeyPatch):
    plan = replace(evaluate.QUICK, finished=finished.FinishedPlan(nulls=False, speed=False, stems=False))
    monkeypatch.setattr(evaluate, "QUICK", plan)
    out, threads = small_set / "out", torch.get_num_threads()
    asked = ["evaluate", "converter", "--no-truth", "--set", "dev", "--songs", str(small_set), "--quick"]
    try:
        said = CliRunner().invoke(app, [*asked, "--converter", "closed", "--no-stems", "-o", str(out)])
    finally:
        torch.set_num_threads(threads)
    assert said.exit_code == 0, said.stderr
    assert said.stdout.strip() == (out / "converter-quick.md").read_text("utf-8").strip()
    assert "| closed |" in said.stdout
    for suffix in ("json", "md", "png"):
        assert str(out / f"converter-quick.{suffix}") in said.stderr


def test_the_first_pairs_alone_are_judged_where_that_is_asked(small_set: Path):
    plan = evaluate.FULL.of(tasks=3, pairs=1, stems=False, speed=False)
    assert (plan.truth.tasks, plan.truth.others) == (3, 1)
    assert not plan.finished.stems
    assert not plan.finished.speed
    config = evaluate.TransferConfig(
        corpus=None, songs=small_set, set_name="dev", converters=("closed",), plan=plan
    )
    found = evaluate.evaluate(config).finished
    assert found is not None
    assert found.nulls is None  # no other pair has a wrong reference to give
    assert found.pairs == (("one", "two"),)
    assert not found.judged[0]["closed"].stems


def test_a_missing_package_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(songs.shutil, "which", lambda name: None)
    monkeypatch.setattr(Matchering, "install", lambda self: None)
    monkeypatch.chdir(tmp_path)
    asked = ["evaluate", "converter", "--no-truth", "--set", "dev", "--songs", str(tmp_path), "-q"]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 1
    assert said.stdout == ""
    assert "comes from Debian" in said.stderr
    assert "Traceback" not in said.stderr


def test_null_tests_find_a_system_that_ignores_the_reference(monkeypatch: pytest.MonkeyPatch):
    """A system that always does the same fails on the shuffled reference, and on its own."""
    monkeypatch.setattr(
        Automix, "__call__", lambda self, source, _: Mixed(Audio(source.samples * 0.5, source.rate))
    )
    found = null_tests([(beat(0, 0.2), beat(1, 0.8)), (beat(1, 0.8), beat(0, 0.2))], Automix(StemCache(), 0))
    assert not found.amount_zero_exact
    assert found.self_residuals_db == pytest.approx([-6.02] * 2, abs=0.01)
    assert found.right_af == found.shuffled_af
    assert not found.passed
    assert found.share_right == 0


def test_nothing_is_done_where_nothing_is_to_be_done(tmp_path: Path):
    sounds = [read_excerpt(EXAMPLES / f"{name}.flac").excerpt(5, 11) for name in ("input", "reference")]
    automix = Automix(StemCache(tmp_path), 0)
    assert returned_exactly(*sounds, automix)
    assert self_residual_db(sounds[0], automix) < -40


def test_sounds_in_a_row_make_a_song_of_the_asked_length():
    first, second = beat(0, 0.2), beat(1, 0.8)
    song = speed.in_a_row([first, second], 20)
    assert song.duration_s == 20
    start = first.frames + second.frames
    assert torch.equal(song.samples[:, first.frames : start], second.with_channels(2).samples)
    assert torch.equal(song.samples[:, start : start + 100], first.with_channels(2).samples[:, :100])


def test_memory_and_time_are_those_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(speed, "LONG_S", 8)
    peak = speed.peak_bytes([beat(0, 0.2)], beat(1, 0.8))
    assert 50e6 < peak < 2.5e9
    monkeypatch.setattr(speed, "RUNS", 1)
    monkeypatch.setattr(Matchering, "seconds", lambda self, source, reference: 3.0)
    found = speed.speed(beat(0, 0.2), beat(1, 0.8, seconds=4), Matchering(tmp_path), lambda message: None)
    assert found.duration_s == 4
    assert found.matchering == pytest.approx(3.0 / 4)
    assert found.separation > 0
    assert found.rest > 0
    assert found.first > 0
    assert sum(found.stages.values()) <= (found.separation + found.rest) * 1.01
