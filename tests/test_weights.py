"""Weights are named by content and checked whenever they are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from styletransfer import weights
from styletransfer.errors import CheckpointError, UsageError

TEST_PIECES = """\
04482985 0cdf1707 10507ca2 2041f384 2817b9d9 30199bb7 4f64b263 54dd80fa 584fffee 642d1558 6bf08023 6eb62ae2
7d090664 8392a2b7 83f0bc97 8850da84 889272fd 92c3048a 94e23e2a 95f5374a a042ab17 a486d9c6 aa57bc0b aec64211
b83154f8 be147379 c3cf2859 d669855f e3cb7244 e63bd402 e6c1cdc8 ec89e972 ed35a4e4 f22eef76
"""
"""`marks` of the test split's 34 pieces, as `automix corpus build` makes them."""


def test_no_network_that_ships_has_learned_from_a_test_piece_or_was_chosen_on_one() -> None:
    told = {name: weights.load(name)[1] for name in weights.manifest()}
    ours = {name: facts for name, facts in told.items() if not name.startswith("spleeter-")}
    assert len(ours) >= 5
    for name, facts in ours.items():
        assert len(facts["trained_on"]) > 50, name
        assert not {*facts["trained_on"], *facts.get("validated_on", ())} & {*TEST_PIECES.split()}, name


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    tensors = {"kernel": torch.arange(6.0).reshape(2, 3).half(), "bias": torch.ones(2)}
    metadata = {"format": 1, "config": {"width": 2, "activation": "relu"}, "origin": "a test"}
    path, sha256 = weights.save(tmp_path, "small", tensors, metadata)
    assert path.name == f"small-{sha256[:8]}.safetensors"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    again, facts = weights.read(path)
    assert facts == metadata
    assert {t.dtype for t in again.values()} == {torch.float32}
    for key, tensor in tensors.items():
        assert torch.equal(again[key], tensor.float())


def test_the_same_content_has_the_same_name(tmp_path: Path) -> None:
    metadata = {str(n): n for n in range(20)}
    names = {weights.save(tmp_path, "x", {"a": torch.ones(3)}, metadata)[0].name for _ in range(5)}
    assert len(names) == 1
    assert weights.save(tmp_path, "x", {"a": torch.zeros(3)}, metadata)[0].name not in names


def test_one_wrong_bit_is_noticed(tmp_path: Path) -> None:
    path, _ = weights.save(tmp_path, "small", {"a": torch.ones(100)}, {})
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        weights.read(path)


def test_a_file_that_is_not_there_or_of_no_kind(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="can't be read"):
        weights.read(tmp_path / "none-00000000.safetensors")
    with pytest.raises(CheckpointError, match="can't be read"):
        weights.read(tmp_path / "console.safetensors")
    odd = tmp_path / "odd-e3b0c442.safetensors"  # sha256 of nothing begins like this
    odd.write_bytes(b"")
    with pytest.raises(CheckpointError, match="no weights"):
        weights.read(odd)
    with pytest.raises(CheckpointError, match="isn't named as weights are"):
        weights.read(odd.rename(tmp_path / "style.safetensors"))
    with pytest.raises(UsageError, match="without folders"):
        weights.save(tmp_path, "a/b", {"a": torch.ones(3)}, {})
    with pytest.raises(CheckpointError, match="spleeter-vocals"):
        weights.load("nobody")


def test_manifest_and_folder_agree() -> None:
    listed = {entry["file"] for entry in weights.manifest().values()}
    assert listed == {path.name for path in weights.SHIPPED.glob("*.safetensors")}
    for name, entry in weights.manifest().items():
        assert entry["file"] == f"{name}-{entry['sha256'][:8]}.safetensors"
        tensors, metadata = weights.load(name)
        assert tensors
        assert {"format", "config", "origin", "licence"} <= set(metadata)


def test_all_that_ships_stays_small() -> None:
    folder = Path(__file__).parents[1] / "checkpoints"
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 95e6
