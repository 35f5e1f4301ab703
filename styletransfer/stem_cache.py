"""Stems that were separated once are kept: 24-bit FLAC under the user's cache folder.

An entry is a folder, written beside and renamed, so that it is there as a whole or not at all,
whoever else writes. What can't be read again is dropped, and separated again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
from platformdirs import user_cache_path

from styletransfer import scratch
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.separation import Separator, separate

LIMIT_BYTES = 10 * 2**30
"""Room for some hundred songs."""

_FORMAT = 1
_BLOCK = 2**16
_RELEASE_EVERY = 64
_LARGEST = 1 - 2**-23  # of 24-bit integers, as a share of full scale
_ABANDONED_S = 86_400


def audio_key(audio: Audio) -> str:
    """The sha256 of the samples, the channels and the rate, in hex."""
    digest = hashlib.sha256(f"{audio.rate} {audio.channels}".encode())
    for block in audio.blocks(_BLOCK):
        digest.update(block.numpy().tobytes())
    return digest.hexdigest()


def stem_key(audio: Audio, separator: Separator) -> str:
    """The name of the cache's entry for this sound's stems from this separator."""
    whole = f"{audio_key(audio)} {separator.fingerprint} {_FORMAT}"
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def separate_cached(
    mix: Audio, separator: Separator, cache: StemCache | None, progress: Callable[[float], None] | None = None
) -> Stems:
    """A mix's stems as `separate` gives them, from the cache if they are there, else into it."""
    key = stem_key(mix, separator) if cache else ""
    stems = cache.get(key) if cache else None
    if stems is None:
        stems = separate(mix, separator, progress)
        if cache:
            cache.put(key, stems)
            stems = cache.get(key) or stems  # rounded as kept, so that the first run equals the next
    if progress:
        progress(1.0)
    return stems


@dataclass(frozen=True, slots=True)
class Entry:
    """The stems of one sound in the cache: its size, and when it was last used, in seconds since 1970."""

    key: str
    size_bytes: int
    used_s: float


class StemCache:
    """Stems by key, the least recently used dropped where all together exceed `limit_bytes`.

    root   a folder of its own; the user's cache folder, or AUTOMIX_CACHE, unless given.
    Quantization stays more than 130 dB below a stem's peak. A folder that can't be written caches nothing.
    """

    def __init__(self, root: Path | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        home = Path(os.environ.get("AUTOMIX_CACHE") or user_cache_path("automix", appauthor=False))
        self.root = root or home / "stems"
        self.limit_bytes = limit_bytes

    def get(self, key: str) -> Stems | None:
        """The stems of an entry, or None; long ones lie in `scratch` memory."""
        folder = self.root / key
        try:
            facts = json.loads((folder / "stems.json").read_text(encoding="utf-8"))
            stems = {name: _read(folder / f"{name}.flac", **facts[name]) for name in STEMS}
            os.utime(folder)
        except (OSError, ValueError, KeyError, TypeError, soundfile.SoundFileError):
            self._drop(folder)  # damaged; or nothing is there
            return None
        return stems

    def put(self, key: str, stems: Stems) -> None:
        """Keep stems; an entry that someone else made meanwhile stands."""
        beside = self.root / f".{key}.{secrets.token_hex(4)}"
        try:
            beside.mkdir(parents=True)
            facts = {name: _write(beside / f"{name}.flac", stems[name]) for name in STEMS}
            (beside / "stems.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
            if _size(beside) <= self.limit_bytes:
                beside.rename(self.root / key)
        except (OSError, soundfile.LibsndfileError):
            pass  # no room or no right to write, or the entry is there: the stems are at hand anyway
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        self._shrink()

    def entries(self) -> list[Entry]:
        """What is kept, the most recently used first."""
        found = []
        for folder in self._folders():
            with contextlib.suppress(FileNotFoundError):
                if not folder.name.startswith("."):
                    found.append(Entry(folder.name, _size(folder), folder.stat().st_mtime))
        return sorted(found, key=lambda entry: -entry.used_s)

    @property
    def size_bytes(self) -> int:
        """Of all entries together."""
        return sum(entry.size_bytes for entry in self.entries())

    def clear(self) -> None:
        """Drop every entry."""
        for folder in self._folders():
            self._drop(folder)

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self.root.iterdir() if path.is_dir()]
        except OSError:
            return []

    def _shrink(self) -> None:
        room = self.limit_bytes
        for entry in self.entries():
            room -= entry.size_bytes
            if room < 0:
                self._drop(self.root / entry.key)
        for folder in self._folders():
            with contextlib.suppress(FileNotFoundError):
                if folder.name.startswith(".") and time.time() - folder.stat().st_mtime > _ABANDONED_S:
                    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed

    def _drop(self, folder: Path) -> None:
        gone = self.root / f".{folder.name}.{secrets.token_hex(4)}"
        with contextlib.suppress(OSError):
            folder.rename(gone)  # first out of sight, so that nobody sees half of it
        shutil.rmtree(gone, ignore_errors=True)


def _write(path: Path, stem: Audio) -> dict[str, float | int]:
    """Write a stem with its peak at full scale; the facts that `_read` needs."""
    peak = max((float(block.abs().max()) for block in stem.blocks(_BLOCK)), default=0.0)
    scale = peak / _LARGEST or 1.0
    with soundfile.SoundFile(
        path, "w", stem.rate, stem.channels, "PCM_24", format="FLAC", compression_level=0.2
    ) as file:
        for block in stem.blocks(_BLOCK):
            file.write((block / scale).numpy().T)
    return {"scale": scale, "rate": stem.rate, "frames": stem.frames, "checksum": _checksum(path)}


def _read(path: Path, scale: float, rate: int, frames: int, checksum: int) -> Audio:
    if _checksum(path) != checksum:
        raise ValueError(f"{path} is damaged")
    with soundfile.SoundFile(path) as file:
        samples = scratch.allocate(file.channels, frames)
        for number, start in enumerate(range(0, frames, _BLOCK)):
            block = torch.from_numpy(file.read(_BLOCK, dtype="float32", always_2d=True).T)
            samples[:, start : start + _BLOCK] = block * scale
            if number % _RELEASE_EVERY == 0:
                scratch.release(samples)
    return Audio(samples, rate)


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
