"""Filling a library: what is known is skipped, and one style is kept at a time, so that a kill costs one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from styletransfer.errors import AudioError, AutomixError, ResourceError, UsageError
from styletransfer.separation.stem_files import SUFFIXES
from styletransfer.sources import Progress, load
from styletransfer.texts import plain

from .database import Library
from .saved import Listener
from .style_file import is_style, unpack

_READ = 2**20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file; `message` says why it was left out."""

    path: Path
    state: Literal["added", "known", "left out"]
    message: str = ""


def files_in(targets: Sequence[Path]) -> list[Path]:
    """The sounds and styles in some folders and below them, and the files named, each once.

    UsageError for what isn't there, or a folder without any.
    """
    found: dict[Path, Path] = {}
    for target in targets:
        if target.is_dir():
            inside = sorted(
                path
                for path in target.rglob("*")
                if (path.suffix.lower() in SUFFIXES or is_style(path)) and path.is_file()
            )
            if not inside:
                raise UsageError(f"{target} holds no sounds and no styles; name another folder")
        elif target.exists():
            inside = [target]
        else:
            raise UsageError(f"{target} does not exist; check its name")
        found |= {path.resolve(): path for path in inside if path.resolve() not in found}
    return list(found.values())


def add_files(
    library: Library,
    paths: Sequence[Path],
    listener: Listener,
    tags: Sequence[str] = (),
    progress: Progress = lambda stage, fraction: None,
) -> Iterator[Outcome]:
    """Keep the styles of sounds, and styles from files; each is written before the next is heard.

    A file is known by its bytes, or else by its samples; it gets the tags too. What can't be used is left out
    and told.
    """
    for path in paths:
        try:
            known = (
                _add_style(library, path, listener, tags)
                if is_style(path)
                else _add_sound(library, path, listener, tags, progress)
            )
        except ResourceError:
            raise
        except AutomixError as error:
            yield Outcome(path, "left out", str(error))
        else:
            yield Outcome(path, "known" if known else "added")


def _add_sound(
    library: Library, path: Path, listener: Listener, tags: Sequence[str], progress: Progress
) -> bool:
    """Whether the sound was known."""
    if not _spelled(path):
        raise AudioError(f"{plain(str(path))} has a name that isn't UTF-8; rename it")
    marks = listener.encoder.fingerprint, listener.separator.fingerprint
    sha256 = _sha256(path)
    known = library.knows_file(sha256, *marks)
    if not known:
        song = load(path, "the sound")
        known = library.note_file(song.key, sha256, path, *marks) or not library.add(
            listener.hear(song, tags=tags, progress=progress), sha256, path
        )
    if tags:
        library.tag(library.numbers_of(file_sha256=sha256), tags)
    return known


def _add_style(library: Library, path: Path, listener: Listener, tags: Sequence[str]) -> bool:
    """Whether the style was known."""
    content = path.read_bytes()
    style = unpack(content, str(path)).heard_by(listener.encoder.fingerprint)
    known = not library.add(style.called(style.title, (*style.tags, *tags)))
    if tags:
        library.tag(library.numbers_of(key=style.key), tags)
    return known


def _spelled(path: Path) -> bool:
    """Whether a path is text; what reads sounds can't open others."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_READ):
                digest.update(block)
    except OSError as error:
        raise AudioError(f"{path} can't be read ({error.strerror}); check its permissions") from error
    return digest.hexdigest()
