"""`automix evaluate` and `automix visualize` as a user types them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner, Result

from styletransfer import encoders
from styletransfer.cli import app
from styletransfer.encoder.network import EncoderConfig, FXEncoder

SMALL = EncoderConfig(dimensions=8, channels=(4, 4, 4, 4), fast=(4, 4, 4, 4), hidden=8)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    facts = {"trained_on": ["00000000"]}
    return encoders.save(tmp_path_factory.mktemp("weights"), "tiny", FXEncoder(SMALL), facts)[0]


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for number in range(4):
        path = tmp_path / "sounds" / ("soft" if number % 2 else "loud") / f"take {number} - drums.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * generator.normal(size=(44_100, 2)) / (1 + number % 2), 44_100)
    return tmp_path / "sounds"


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_visualize_draws_a_folder(sounds: Path, checkpoint: Path, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"map{suffix}"
    done = run("visualize", sounds, "--encoder", checkpoint, "-o", target, "--color", "stem", "-q")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip() == str(target)
    assert target.stat().st_size > 1000
    again = run("visualize", sounds, "--encoder", checkpoint, "-o", target, "-q")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_visualize_refuses_in_one_sentence(sounds: Path, checkpoint: Path, tmp_path: Path) -> None:
    only = sounds / "loud"
    for arguments, status, word in (
        ((only, "--encoder", checkpoint, "-o", tmp_path / "a.png"), 3, "at least 3"),
        ((tmp_path / "nowhere", "-o", tmp_path / "a.png"), 2, "no folder"),
        ((sounds, "-o", tmp_path / "a.gif"), 2, ".png or .svg"),
        ((sounds, "--color", "mood", "-o", tmp_path / "a.png"), 2, "mood"),
        ((), 2, "--paper"),
        ((sounds, "--paper", "-o", tmp_path / "a.png"), 2, "--paper"),
    ):
        done = run("visualize", *arguments)
        assert done.exit_code == status, (arguments, done.stderr)
        assert word in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2  # the sentence, after a line of progress at most
        assert not (tmp_path / "a.png").exists()


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
