"""Sounds that people drop on the page: taken in within limits, and looked at before anything is done."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from starlette.concurrency import run_in_threadpool

from styletransfer import files
from styletransfer.errors import AudioError, AutomixError, ResourceError, UsageError
from styletransfer.library import SavedStyle, load_style
from styletransfer.reference import Reference

from .limits import Limits

Role = Literal["input", "reference"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A sound that was dropped. `name` is what its owner calls it; the file is named by `key`, at random.

    kept  the style in the file, where it holds one instead of a sound; then it lasts 0 s.
    """

    key: str
    role: Role
    name: str
    path: Path
    duration_s: float
    kept: SavedStyle | None = None

    @property
    def reference(self) -> Path | Reference:
        """What a transfer reads."""
        return self.path if self.kept is None else self.kept.reference

    @property
    def told(self) -> dict[str, str | float]:
        """For the page."""
        return {
            "key": self.key,
            "role": self.role,
            "name": self.name,
            "duration_s": round(self.duration_s, 1),
            "style": self.kept is not None,
        }


class TooLarge(UsageError):
    """More bytes than the server takes."""


async def receive(
    chunks: AsyncIterator[bytes], announced: int | None, role: Role, name: str, folder: Path, limits: Limits
) -> Upload:
    """Write what comes in to a file of the folder, and look at it. AudioError for what is no sound,
    TooLarge or AudioError beyond the limits; the file is gone then.

    announced  the length in bytes that was told beforehand.
    """
    name = _plain(name)
    if announced is not None and announced > limits.upload_mb * 1_000_000:
        raise _too_large(name, limits)
    key = secrets.token_urlsafe(16)
    path = folder / key
    try:
        await _write(chunks, path, name, limits)
        if role == "reference" and name.lower().endswith(".safetensors"):
            kept = await run_in_threadpool(_style, path, name)
            return Upload(key, role, kept.title, path, 0.0, kept)
        duration_s = await run_in_threadpool(_inspected, path, name, limits)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Upload(key, role, name, path, duration_s)


async def _write(chunks: AsyncIterator[bytes], path: Path, name: str, limits: Limits) -> None:
    size = 0
    try:
        with path.open("wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > limits.upload_mb * 1_000_000:
                    raise _too_large(name, limits)
                file.write(chunk)
    except OSError as error:
        raise ResourceError(f"{name} couldn't be stored: {error.strerror}") from error
    if size == 0:
        raise AudioError(f"{name} is empty; choose another file")


def _style(path: Path, name: str) -> SavedStyle:
    try:
        return load_style(path)
    except AutomixError as error:
        raise type(error)(str(error).replace(str(path), name)) from error


def _inspected(path: Path, name: str, limits: Limits) -> float:
    try:
        info = files.inspect(path)
    except AudioError as error:
        raise AudioError(str(error).replace(str(path), name).replace(path.name, name)) from error
    duration_s = info.frames / info.rate
    if duration_s > 60 * limits.minutes:
        raise AudioError(
            f"{name} lasts {duration_s / 60:.1f} minutes; the page takes {limits.minutes:g} at most "
            "(automix serve --minutes)"
        )
    return duration_s


def _too_large(name: str, limits: Limits) -> TooLarge:
    return TooLarge(
        f"{name} is larger than {limits.upload_mb} MB, which is the most that the page takes "
        "(automix serve --upload-mb)"
    )


def _plain(name: str) -> str:
    """A name to show: one line, without folders, not too long."""
    printable = "".join(sign for sign in name if unicodedata.category(sign)[0] not in "CZ" or sign == " ")
    return printable.replace("\\", "/").rpartition("/")[2].strip()[:120] or "unnamed"
