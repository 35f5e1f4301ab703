"""Styles in files: .safetensors and .json hold all of them, .npz the arrays that plots and searches want."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.errors import ConfigError, UsageError
from styletransfer.files import beside

from .style import SongStyle, Style

SUFFIXES = (".safetensors", ".npz", ".json")
FORMAT = 1

_VECTORS = tuple(field.name for field in fields(Style) if field.name != "loudness_lufs")


def check_target(path: Path) -> None:
    """UsageError unless styles can be written to that file; ask before long work."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path.name} has no suffix for styles; choose one of {', '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}; create it, or choose another output")


def save_styles(path: Path, styles: Mapping[str, SongStyle]) -> Path:
    """Write songs' styles by name, all heard by one encoder, to .safetensors, .npz or .json; the path.

    npz   `embedding` (files, dimensions) and `files`, `drums` … `vocals` like `embedding` where stems were
          heard, and `encoder`, its fingerprint; in an embedding the explicit part follows the learned one.
    ValueError where there are none, or they are of several encoders or not all with stems; UsageError as
    `check_target` has it; AudioError where the disk refuses.
    """
    check_target(path)
    songs = list(styles.values())
    if len({(song.encoder, tuple(song.stems)) for song in songs}) != 1:
        raise ValueError("styles in one file must be of one encoder, and all with the same stems")
    write = {".npz": _write_npz, ".json": _write_json, ".safetensors": _write_safetensors}
    with beside(path) as partial:
        write[path.suffix.lower()](partial, list(styles), songs)
    return path


def load_styles(path: Path) -> dict[str, SongStyle]:
    """The styles in a .safetensors file of `save_styles`, by name. ConfigError where it holds none."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["automix"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if header["kind"] != "styles" or header["format"] != FORMAT:
            raise ValueError(header)
        songs = {}
        for index, name in enumerate(header["files"]):
            parts = {part: _read(tensors, part, index) for part in ("mix", *header["stems"])}
            songs[str(name)] = SongStyle(parts.pop("mix"), parts, str(header["encoder"]))
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigError(f"{path} holds no styles that this version reads; embed the songs again") from error
    return songs


def _parts(songs: Sequence[SongStyle]) -> dict[str, list[Style]]:
    """Part name → the style of each song: the mix's, then the stems'."""
    stems = {stem: [song.stems[stem] for song in songs] for stem in STEMS if stem in songs[0].stems}
    return {"mix": [song.mix for song in songs], **stems}


def _write_npz(path: Path, names: list[str], songs: list[SongStyle]) -> None:
    arrays: dict[str, Any] = {
        "embedding" if part == "mix" else part: torch.stack([style.embedding for style in styles]).numpy()
        for part, styles in _parts(songs).items()
    }
    with path.open("wb") as file:
        np.savez(file, files=np.array(names), encoder=np.array(songs[0].encoder), **arrays)


def _write_safetensors(path: Path, names: list[str], songs: list[SongStyle]) -> None:
    tensors: dict[str, Tensor] = {}
    for part, styles in _parts(songs).items():
        for vector in _VECTORS:
            tensors[f"{part}.{vector}"] = torch.stack([getattr(style, vector) for style in styles])
        tensors[f"{part}.embedding"] = torch.stack([style.embedding for style in styles])
        tensors[f"{part}.loudness_lufs"] = torch.tensor([style.loudness_lufs for style in styles])
    header = _header(names, songs)
    path.write_bytes(safetensors.torch.save(tensors, {"automix": json.dumps(header, sort_keys=True)}))


def _write_json(path: Path, names: list[str], songs: list[SongStyle]) -> None:
    def part(style: Style) -> dict[str, Any]:
        vectors = {vector: _rounded(getattr(style, vector)) for vector in _VECTORS}
        named = dict(zip(EXPLICIT_NAMES, vectors.pop("explicit"), strict=True))
        return {"loudness_lufs": round(style.loudness_lufs, 2), "explicit": named, **vectors}

    document = _header(names, songs) | {
        "songs": {
            name: {
                "levels_db": {stem: round(level, 2) for stem, level in song.levels_db.items()},
                "mix": part(song.mix),
                **{stem: part(style) for stem, style in song.stems.items()},
            }
            for name, song in zip(names, songs, strict=True)
        }
    }
    path.write_text(json.dumps(document) + "\n", encoding="utf-8")


def _header(names: list[str], songs: list[SongStyle]) -> dict[str, Any]:
    return {
        "kind": "styles",
        "format": FORMAT,
        "encoder": songs[0].encoder,
        "files": names,
        "stems": list(songs[0].stems),
    }


def _read(tensors: Mapping[str, Tensor], part: str, index: int) -> Style:
    vectors = {vector: tensors[f"{part}.{vector}"][index] for vector in _VECTORS}
    return Style(**vectors, loudness_lufs=float(tensors[f"{part}.loudness_lufs"][index]))


def _rounded(vector: Tensor) -> list[float]:
    return [round(value, 5) for value in vector.tolist()]
