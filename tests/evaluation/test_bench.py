"""The benchmark from end to end, on made-up songs, with a stand-in for Matchering; then its null tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from styletransfer.audio import STEMS, Audio
from styletransfer.evaluation import bench, songs, speed
from styletransfer.evaluation.matchering import Matchering
from styletransfer.evaluation.null_tests import null_tests, returned_exactly, self_residual_db
from styletransfer.evaluation.songs import Song, SongSet
from styletransfer.evaluation.sound import RATE, read_excerpt, write_excerpt
from styletransfer.evaluation.systems import AUTOMIX, MATCHERING, NOTHING, UNGATED, Answer, Automix
from styletransfer.stem_cache import StemCache

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


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

    def widened(self: Automix, source: Audio, reference: Audio) -> Answer:
        mid = source.samples.mean(0, keepdim=True)
        width = 4.0 if source.samples.diff(dim=0).std() < reference.samples.diff(dim=0).std() else 0.25
        return Answer(Audio(mid + width * (source.samples - mid), source.rate), gated=self.gate)

    made = {name: Song(name, "p", "f", None, name, name, "g", "l", "") for name in ("one", "two")}
    frozen = SongSet("dev", made, (("one", "two"), ("two", "one")))
    for seed, name in enumerate(made):
        path = songs.excerpt_path(made[name], "dev", tmp_path)
        path.parent.mkdir(exist_ok=True)
        write_excerpt(path, beat(seed, 0.2 + 0.6 * seed))
    monkeypatch.setattr(bench, "song_set", lambda name: frozen)
    monkeypatch.setattr(Matchering, "install", lambda self: None)
    monkeypatch.setattr(Matchering, "transfer", lambda self, source, reference: source)
    monkeypatch.setattr(Automix, "__call__", widened)
    monkeypatch.setattr(bench, "_builtin", lambda: lambda mix: dict.fromkeys(STEMS, mix))
    return tmp_path


def test_the_whole_benchmark_writes_tables_and_figures(small_set: Path):
    threads = torch.get_num_threads()
    config = bench.BenchConfig(
        set_name="dev", stems=True, nulls=False, speed=False, folder=small_set, output=small_set / "out"
    )
    try:
        text = bench.run(config)
    finally:
        torch.set_num_threads(threads)
    assert (small_set / "out" / "dev.md").read_text("utf-8") == text
    figures = json.loads((small_set / "out" / "dev.json").read_text("utf-8"))
    assert [(pair["input"], pair["reference"]) for pair in figures["pairs"]] == [
        ("one", "two"),
        ("two", "one"),
    ]
    systems = figures["pairs"][0]["systems"]
    assert set(systems) == {"floor", NOTHING, MATCHERING, AUTOMIX, UNGATED}
    assert systems[MATCHERING]["af"] == pytest.approx(systems[NOTHING]["af"], rel=1e-3)
    assert systems[UNGATED]["af"] < systems[NOTHING]["af"] / 4
    assert set(systems[AUTOMIX]["stems"]) == set(STEMS)
    assert "2 of 2" in text
    assert str(small_set) not in json.dumps(figures)
    for name in systems:
        assert f"| {name} |" in text
    assert "{" not in text


def test_a_missing_package_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(songs.shutil, "which", lambda name: None)
    assert bench.main(["--set", "dev", "--folder", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "comes from Debian" in said.err
    assert "Traceback" not in said.err


def test_null_tests_find_a_system_that_ignores_the_reference(monkeypatch: pytest.MonkeyPatch):
    """A system that always does the same fails on the shuffled reference, and on its own."""
    monkeypatch.setattr(
        Automix, "__call__", lambda self, source, _: Answer(Audio(source.samples * 0.5, source.rate))
    )
    found = null_tests([(beat(0, 0.2), beat(1, 0.8)), (beat(1, 0.8), beat(0, 0.2))], Automix(StemCache(), 0))
    assert not found.amount_zero_exact
    assert found.self_residuals_db == pytest.approx([-6.02] * 2, abs=0.01)
    assert found.right_af == found.shuffled_af
    assert not found.passed


def test_nothing_is_done_where_nothing_is_to_be_done(tmp_path: Path):
    sounds = [read_excerpt(EXAMPLES / f"{name}.flac").excerpt(5, 11) for name in ("input", "reference")]
    automix = Automix(StemCache(tmp_path), 0)
    assert returned_exactly(*sounds, automix)
    assert self_residual_db(sounds[0], automix) < -40


def test_memory_and_time_are_those_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(speed, "LONG_S", 8)
    peak = speed.peak_bytes([beat(0, 0.2)], beat(1, 0.8))
    assert 50e6 < peak < 2.5e9
    monkeypatch.setattr(speed, "RUNS", 1)
    monkeypatch.setattr(Matchering, "seconds", lambda self, source, reference: 3.0)
    found = speed.speed(beat(0, 0.2), beat(1, 0.8, seconds=4), Matchering(tmp_path), lambda message: None)
    assert found.matchering == pytest.approx(3.0 / 4)
    assert found.separation > 0
    assert found.rest > 0
    assert sum(found.stages.values()) <= (found.separation + found.rest) * 1.01
