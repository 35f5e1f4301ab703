"""A corpus on disk: one folder per song with its stems and `meta.json`. What it holds, and reading excerpts.

    DEST/songs/<id>/{drums,bass,other,vocals}.flac + meta.json     rendered songs and people's own stems
    DEST/wet/<id>/…                                                finished music, separated

A stem that a song lacks has no file; the files of a song are 44.1 kHz stereo, aligned, equally long, and
sum to its mix.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import soundfile
import torch
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import AudioError, ResourceError

RATE = 44_100
"""The sample rate of every file in a corpus, in Hz."""

SPLITS = ("train", "validation", "test")
POOLS = ("songs", "wet")

_COMPRESSION = 0.25  # of FLAC: a quarter less time than the usual .625, for a tenth more disk


@dataclass(frozen=True, slots=True)
class CorpusSong:
    """One song of a corpus: what its `meta.json` says, and where it lies.

    piece      the composition; renderings of one piece share it, and never straddle splits.
    sources    sound banks, drum kits, voices, modules that it was made from, as `kind:name`.
    packages   the packages that these came in; `licences` their licences.
    stats      stem → what was measured of it: `active_s` (seconds with sound), `lufs`, `peak`.
    pending    stems that a later pass of the build may still add.
    """

    path: Path
    id: str
    title: str
    piece: str
    sources: tuple[str, ...]
    packages: tuple[str, ...]
    licences: tuple[str, ...]
    split: str
    duration_s: float
    seed: int
    stems: tuple[str, ...]
    stats: Mapping[str, Mapping[str, float]]
    kind: str
    artist: str = ""
    pending: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def read(self, stem: str, start_s: float = 0.0, duration_s: float | None = None) -> Tensor:
        """An excerpt (2, frames), float32 at 44.1 kHz, of one stem or of "mix", the sum of its stems.

        A stem that the song lacks is silence. An excerpt that reaches past the end is that much shorter.
        AudioError if a file is missing or damaged; ValueError for an unknown stem or a negative time.
        """
        if stem not in (*STEMS, "mix"):
            raise ValueError(f"there is no stem {stem!r}; choose one of {', '.join(STEMS)}, mix")
        if start_s < 0 or (duration_s is not None and duration_s < 0):
            raise ValueError(f"start_s and duration_s can't be negative: {start_s}, {duration_s}")
        start = round(start_s * RATE)
        frames = -1 if duration_s is None else round(duration_s * RATE)
        total = round(self.duration_s * RATE)
        frames = max(total - start if frames < 0 else min(frames, total - start), 0)
        samples = torch.zeros(2, frames)
        for name in self.stems if stem == "mix" else (stem,):
            if name in self.stems and frames:
                part = _read(self.path / f"{name}.flac", start, frames)
                samples[:, : part.shape[1]] += part
        return samples


class Corpus:
    """A folder that `automix corpus build` wrote. AudioError if it isn't one."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not any((self.path / pool).is_dir() for pool in POOLS):
            raise AudioError(
                f"{path} is no corpus: it has no folder songs/; run `automix corpus build {path}`"
            )

    def songs(self, split: str | None = None, pool: str = "songs") -> list[CorpusSong]:
        """The songs of a split (all splits without one) and pool, "songs" or "wet", by id.

        ValueError for an unknown split or pool; AudioError where a `meta.json` is damaged.
        """
        if split not in (None, *SPLITS):
            raise ValueError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
        if pool not in POOLS:
            raise ValueError(f"there is no pool {pool!r}; choose one of {', '.join(POOLS)}")
        metas = (meta for meta in (self.path / pool).glob("*/meta.json") if meta.parent.name[0] != ".")
        found = (read_song(meta.parent) for meta in metas)
        return sorted((song for song in found if split in (None, song.split)), key=lambda song: song.id)


def read_song(path: Path) -> CorpusSong:
    """The song in a folder. AudioError where its `meta.json` is missing, damaged or incomplete."""
    try:
        meta: dict[str, Any] = json.loads((path / "meta.json").read_text(encoding="utf-8"))
        stats = meta.pop("stems")
        return CorpusSong(
            path=path,
            id=meta.pop("id"),
            title=meta.pop("title"),
            piece=meta.pop("piece"),
            sources=tuple(meta.pop("sources")),
            packages=tuple(meta.pop("packages")),
            licences=tuple(meta.pop("licences")),
            split=meta.pop("split"),
            duration_s=float(meta.pop("duration_s")),
            seed=int(meta.pop("seed")),
            stems=tuple(name for name in STEMS if name in stats),
            stats=stats,
            kind=meta.pop("kind"),
            artist=meta.pop("artist", ""),
            pending=tuple(meta.pop("pending", ())),
            extra=meta,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AudioError(f"{path / 'meta.json'} is damaged; remove {path} and build again") from error


def write_song(
    corpus: Path,
    stems: Mapping[str, Tensor],
    meta: Mapping[str, Any],
    pool: str = "songs",
    *,
    lufs: Mapping[str, float] = MappingProxyType({}),
) -> Path:
    """Write a song into a corpus folder, beside and renamed, so that none is ever half there; its folder.

    stems   name → (2, frames), float32 at 44.1 kHz, all equally long, none above full scale; written as
            16-bit FLAC. Names are those of STEMS.
    meta    what `meta.json` says, with all of id, title, piece, sources, packages, licences, split, seed,
            kind; `stems` and `duration_s` are measured here. Other keys are kept.
    lufs    the integrated loudness of stems of which it is known already, in LUFS.
    ValueError for stems that don't fit; ResourceError where the disk is full or can't be written.
    """
    lengths = {tuple(samples.shape) for samples in stems.values()}
    if not stems or len(lengths) != 1 or any(shape[0] != 2 for shape in lengths) or set(stems) - set(STEMS):
        raise ValueError(
            f"stems must be equally long, stereo and named {', '.join(STEMS)}: {lengths}, {[*stems]}"
        )
    frames = next(iter(lengths))[1]
    measured = {name: measure(stems[name], lufs.get(name)) for name in STEMS if name in stems}
    if any(stat["peak"] > 1 for stat in measured.values()):
        raise ValueError("a stem exceeds full scale; bring the song down with one factor first")
    target = corpus / pool / str(meta["id"])
    beside = corpus / pool / f".{meta['id']}.{os.getpid()}.part"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name in measured:
            samples = stems[name].numpy().T
            soundfile.write(beside / f"{name}.flac", samples, RATE, "PCM_16", compression_level=_COMPRESSION)
        text = json.dumps(
            {**meta, "duration_s": frames / RATE, "stems": measured}, indent=1, ensure_ascii=False
        )
        (beside / "meta.json").write_text(text + "\n", encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        beside.rename(target)
    except (OSError, soundfile.SoundFileError) as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise ResourceError(
            f"{target} can't be written ({error}); free some disk space, or choose another"
        ) from error
    return target


def measure(samples: Tensor, lufs: float | None = None) -> dict[str, float]:
    """Of (2, frames): seconds above −60 dBFS (blocks of 50 ms), integrated loudness in LUFS (measured, unless
    it is known), sample peak."""
    return {
        "active_s": active_s(samples),
        "lufs": max(round(integrated_lufs(samples, RATE) if lufs is None else lufs, 2), -100.0),
        "peak": round(float(samples.abs().max()) if samples.numel() else 0.0, 4),
    }


def active_s(samples: Tensor) -> float:
    """Seconds of (2, frames) above −60 dBFS, in blocks of 50 ms."""
    hop = RATE // 20
    blocks = samples[:, : samples.shape[1] // hop * hop].reshape(2, -1, hop)
    return round(float((blocks.square().mean((0, 2)) > 1e-6).sum()) / 20, 2)


def _read(path: Path, start: int, frames: int) -> Tensor:
    try:
        samples, rate = soundfile.read(path, frames, start, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise AudioError(f"{path} can't be read ({error}); remove its folder and build again") from error
    if rate != RATE or samples.shape[1] != 2:
        raise AudioError(f"{path} is no 44.1 kHz stereo file; remove its folder and build again")
    return torch.from_numpy(samples.T.copy())
