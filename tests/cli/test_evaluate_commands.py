"""`automix evaluate` and `automix visualize` as a user types them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from styletransfer import encoders
from styletransfer.cli import app
from styletransfer.corpus.folder import write_song
from styletransfer.encoder.network import EncoderConfig, FXEncoder
from styletransfer.evaluation.style import excerpts, outputs, plan

SMALL = EncoderConfig(dimensions=8, hidden=8)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results go into a folder beside where the command is called, unless said otherwise."""
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    facts = {"trained_on": ["00000000"]}
    return encoders.save(tmp_path_factory.mktemp("weights"), "tiny", FXEncoder(SMALL), facts)[0]


def test_the_papers_picture_is_asked_for_alone(tmp_path: Path) -> None:
    for arguments in ((), (tmp_path, "--paper", "-o", tmp_path / "a.png")):
        done = run("visualize", *arguments)
        assert done.exit_code == 2
        assert "--paper" in done.stderr


def test_evaluate_refuses_in_one_sentence(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    for arguments, status, word in (
        (("--corpus", tmp_path / "nowhere"), 3, "no corpus"),
        (("--corpus", tmp_path), 3, "no test songs"),
        (("--corpus", tmp_path, "--split", "train"), 2, "test or validation"),
        (("--corpus", tmp_path, "--encoder", tmp_path / "gone-00000000.safetensors"), 3, "no test songs"),
    ):
        done = run("evaluate", "encoder", *arguments)
        assert done.exit_code == status, (arguments, done.stderr)
        assert word in done.stderr
        assert not (tmp_path / "encoder-output").exists()


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pieces of noise; a quick run is 12 styles of one effect on excerpts of 1 s."""
    monkeypatch.setattr(excerpts, "EXCERPT_S", 1.0)
    monkeypatch.setattr(plan, "QUICK", replace(plan.QUICK, kinds=("drums",), styles=12, slots={1: 2}))
    generator = torch.Generator().manual_seed(0)
    for number in range(2):
        meta = {name: f"{name} {number}" for name in ("id", "title", "piece")} | {"split": "test", "seed": 0}
        meta |= {"sources": [], "packages": [], "licences": [], "kind": "rendered"}
        write_song(tmp_path / "corpus", {"drums": 0.2 * torch.rand(2, 200_000, generator=generator)}, meta)
    return tmp_path / "corpus"


def test_evaluate_prints_tables_and_writes_files(corpus: Path, checkpoint: Path, tmp_path: Path) -> None:
    arguments = ("evaluate", "encoder", "--corpus", corpus, "--encoder", checkpoint, "--quick")
    done = run(*arguments, "--cache", tmp_path / "kept", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    for part in ("Quick run", "mel statistics", "untrained network", "| encoder |", "drums, 1 effects"):
        assert part in done.stdout or part in done.stderr
    again = run(*arguments, "--cache", tmp_path / "kept", "--json", "-q")
    assert again.stderr == ""
    written = (tmp_path / "out" / "encoder-quick.json").read_text(encoding="utf-8")
    assert (tmp_path / "encoder-output" / "encoder-quick.json").read_text(encoding="utf-8") == written
    assert json.loads(again.stdout) == json.loads(written)


def test_the_papers_picture_is_drawn_from_held_out_pieces(
    corpus: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(plan.PICTURE, grid_kinds=("drums",), grid_pieces=2)
    monkeypatch.setattr(outputs, "PICTURE", small)
    arguments = (
        "--corpus",
        corpus,
        "--encoder",
        checkpoint,
        "-o",
        tmp_path / "map.png",
        "-o",
        tmp_path / "m.svg",
    )
    done = run("visualize", "--paper", *arguments)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "map.png"), str(tmp_path / "m.svg")]
    drawn = (tmp_path / "m.svg").read_text(encoding="utf-8")
    assert drawn.count("<use ") >= 2 * 2 * 20  # two systems by two colours, 2 pieces × 10 chains each
    idle = run("visualize", "--paper", "--stem", "drums", "-o", tmp_path / "b.png")
    assert idle.exit_code == 2
    assert "--stem has nothing to do with --paper" in idle.stderr


def test_where_results_cannot_go_is_told_before_the_work(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for kind in ("encoder", "converter", "separator"):
        done = run("evaluate", kind, "--corpus", tmp_path / "nowhere", "-o", tmp_path / "file")
        assert done.exit_code == 3
        assert "can't be made a folder" in done.stderr


def test_an_encoder_that_saw_a_test_piece_gets_no_figures(corpus: Path, tmp_path: Path) -> None:
    facts = {"trained_on": [hashlib.sha256(b"piece 1").hexdigest()[:8]]}
    seen = encoders.save(tmp_path, "seen", FXEncoder(SMALL), facts)[0]
    silent = encoders.save(tmp_path, "silent", FXEncoder(SMALL), {})[0]
    for encoder, word in ((seen, "trained on 1 of the 2 pieces"), (silent, "trained_on")):
        done = run("evaluate", "encoder", "--corpus", corpus, "--encoder", encoder, "--quick")
        assert done.exit_code == 4
        assert word in done.stderr
        assert "R@1" not in done.stdout
