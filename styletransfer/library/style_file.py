"""One style in a `.style.safetensors` file: vectors and measures as tensors, the rest as JSON; no sound."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.document import Referred, SeparatorUsed
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.encoder.loudness import Loudness
from styletransfer.encoder.measures import BAND_HZ, Measures
from styletransfer.errors import ConfigError, UsageError
from styletransfer.files import beside
from styletransfer.matching import SongMeasures
from styletransfer.reference import Reference
from styletransfer.separation.confidence import FEATURES, Confidence
from styletransfer.style import SongStyle, Style

from .saved import PARTS, SavedStyle

SUFFIX = ".style.safetensors"
FORMAT = 1
LARGEST_BYTES = 16 * 2**20
"""No style needs more: an hour of music takes 350 kB."""

_VECTORS = ("learned", "learned_spread", "explicit", "explicit_spread")
_SPECTRA = ("mid_db", "side_db")
_LOUDNESS = tuple(field.name for field in fields(Loudness))
_FIGURES = tuple(field.name for field in fields(Measures) if field.name not in _SPECTRA)


def is_style(path: Path) -> bool:
    """Whether a file's name says that it holds a style."""
    return path.name.lower().endswith(SUFFIX)


def check_target(path: Path) -> None:
    """UsageError unless a style can be written to that file; ask before long work."""
    if not is_style(path):
        raise UsageError(f"{path.name} is no name for a style; let it end in {SUFFIX}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}; create it, or choose another output")


def save_style(path: Path, style: SavedStyle) -> Path:
    """Write a style; the path. Equal styles make equal files. Errors as `check_target` and `files.beside`."""
    check_target(path)
    with beside(path) as partial:
        partial.write_bytes(pack(style))
    return path


def load_style(path: Path) -> SavedStyle:
    """The style in a file. ConfigError where it is missing or damaged, or holds none."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the style {path} can't be read ({error.strerror}); check its name") from error
    return unpack(content, str(path))


def pack(style: SavedStyle) -> bytes:
    """A style as the content of a file."""
    tensors: dict[str, Tensor] = {}
    for part in PARTS:
        heard, measures = style.part(part)
        for name in _VECTORS:
            tensors[f"{part}.{name}"] = getattr(heard, name)
        tensors[f"{part}.style_lufs"] = _numbers([heard.loudness_lufs])
        _pack_measures(tensors, part, measures)
    for name, told in style.reference.confidences.items():
        tensors[f"{name}.confidence"] = told.features
        tensors[f"{name}.energy"] = told.energy
    for name, measures in style.reference.measures.stem_mixes.items():
        _pack_measures(tensors, f"{name}.of", measures)
    loudness = style.reference.loudness
    tensors["loudness"] = _numbers([getattr(loudness, figure) for figure in _LOUDNESS])
    header = {
        "kind": "style",
        "format": FORMAT,
        "title": style.title,
        "tags": list(style.tags),
        "sources": [source.model_dump(mode="json") for source in style.reference.sources],
        "separator": style.separator.model_dump(mode="json"),
        "encoder": style.song.encoder,
        "figures": [*_FIGURES],
    }
    whole = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    return safetensors.torch.save(whole, {"automix": json.dumps(header, sort_keys=True)})


def unpack(content: bytes, name: str) -> SavedStyle:
    """The style that `pack` made; `name` is what errors call it. ConfigError as `load_style`."""
    try:
        if len(content) > LARGEST_BYTES:
            raise ValueError("too large")
        header = json.loads(_metadata(content)["automix"])
        if header["kind"] != "style" or header["format"] != FORMAT:
            raise ValueError("not a style of this format")
        if header["figures"] != [*_FIGURES]:
            raise ValueError("other figures")
        return _read(header, safetensors.torch.load(content))
    except (
        safetensors.SafetensorError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        ValidationError,
    ) as error:
        raise ConfigError(f"{name} holds no style that this version reads; save it again") from error


def _metadata(content: bytes) -> Mapping[str, str]:
    """The file's own header: eight bytes of length, then JSON."""
    size = int.from_bytes(content[:8], "little")
    found: Mapping[str, str] = json.loads(content[8 : 8 + size])["__metadata__"]
    return found


def _pack_measures(tensors: dict[str, Tensor], part: str, measures: Measures) -> None:
    for name in _SPECTRA:
        tensors[f"{part}.{name}"] = getattr(measures, name)
    tensors[f"{part}.figures"] = _numbers([getattr(measures, name) for name in _FIGURES])


def _read(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> SavedStyle:
    styles = {part: _style(tensors, part) for part in PARTS}
    measured = {part: _measures(tensors, part) for part in PARTS}
    sources = [Referred.model_validate(source) for source in header["sources"]]
    if not sources or len({len(style.learned) for style in styles.values()}) != 1:
        raise ValueError("no sources, or embeddings of several sizes")
    loudness = tensors["loudness"].tolist()
    if any(math.isnan(value) for value in loudness):
        raise ValueError("a loudness that is not a number")
    return SavedStyle(
        title=str(header["title"]),
        tags=tuple(str(tag) for tag in header["tags"]),
        separator=SeparatorUsed.model_validate(header["separator"]),
        reference=Reference(
            loudness=Loudness(**dict(zip(_LOUDNESS, loudness, strict=True))),
            measures=SongMeasures(
                measured.pop("mix"),
                measured,
                {name: _measures(tensors, f"{name}.of") for name in STEMS if f"{name}.of.figures" in tensors},
            ),
            sources=sources,
            confidences={name: _confidence(tensors, name) for name in STEMS if f"{name}.energy" in tensors},
            style=SongStyle(styles.pop("mix"), styles, str(header["encoder"])),
        ),
    )


def _style(tensors: Mapping[str, Tensor], part: str) -> Style:
    learned, said = tensors[f"{part}.learned"].numel(), len(EXPLICIT_NAMES)
    sizes = zip(_VECTORS, (learned, learned, said, said), strict=True)
    vectors = {name: _checked(tensors[f"{part}.{name}"], (size,)) for name, size in sizes}
    return Style(**vectors, loudness_lufs=float(_checked(tensors[f"{part}.style_lufs"], (1,))))


def _measures(tensors: Mapping[str, Tensor], part: str) -> Measures:
    mid_db, side_db = (_checked(tensors[f"{part}.{name}"], (len(BAND_HZ),)) for name in _SPECTRA)
    figures = _checked(tensors[f"{part}.figures"], (len(_FIGURES),)).tolist()
    return Measures(mid_db, side_db, **dict(zip(_FIGURES, figures, strict=True)))


def _confidence(tensors: Mapping[str, Tensor], name: str) -> Confidence:
    energy = tensors[f"{name}.energy"]
    features = _checked(tensors[f"{name}.confidence"], (energy.numel(), len(FEATURES)))
    return Confidence(features, _checked(energy, (energy.numel(),)))


def _checked(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    if tuple(tensor.shape) != shape or not tensor.is_floating_point() or not torch.isfinite(tensor).all():
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} instead of {shape}, or not finite")
    return tensor


def _numbers(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
