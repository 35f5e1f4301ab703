"""Which files a session is made of, and writing them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from styletransfer.errors import UsageError
from styletransfer.files import beside, make_folder
from styletransfer.result import Result

from . import dawproject, effects, plain_stems, reaper
from .session import names, session_of
from .sounds import write_sounds

KINDS = ("rpp", "dawproject", "stems")
"""What can be exported."""


def check_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """The kinds that are asked for, each once, in the order of KINDS. UsageError for another, or none."""
    asked = set(kinds)
    unknown = sorted(asked - set(KINDS))
    if unknown or not asked:
        said = repr(unknown[0]) if unknown else "nothing"
        raise UsageError(f"a session is for {', '.join(KINDS)}, not {said}; name one or more of these")
    return tuple(kind for kind in KINDS if kind in asked)


def outputs(folder: Path, kinds: Iterable[str]) -> list[Path]:
    """Every file that `export` may write."""
    found: list[Path] = []
    for kind in check_kinds(kinds):
        if kind == "rpp":
            found.append(folder / "session.rpp")
            found += [folder / "audio" / f"{name}.wav" for name in names()]
            found += [folder / "Effects" / effects.FOLDER / name for name in effects.sources()]
        elif kind == "dawproject":
            found.append(folder / "session.dawproject")
        else:
            found += plain_stems.outputs(folder / "stems")
    return found


def export(result: Result, folder: Path | str, kinds: Iterable[str] = KINDS) -> list[Path]:
    """Write a result as sessions into a folder, which is made; the files' paths are returned.

    rpp         session.rpp for REAPER 6 and later, `audio/` with its sounds, and `Effects/automix/`
                with its effects as text (JSFX), a folder to copy into REAPER's own `Effects`.
    dawproject  session.dawproject, for programs that read DAWproject 1.0; sounds are inside.
    stems       `stems/`: the stems as they were mixed and the rest, and settings.txt.

    All sounds have the song's rate and length, in stereo. Files that are there are replaced.
    UsageError for another kind, AudioError where the disk doesn't let them be written.
    """
    folder = Path(folder)
    kinds = check_kinds(kinds)
    make_folder(folder)
    paths: list[Path] = []
    for kind in kinds:
        if kind == "rpp":
            paths += _reaper(result, folder)
        elif kind == "dawproject":
            paths.append(_dawproject(result, folder))
        else:
            paths += plain_stems.write_stems(result, folder / "stems")
    return paths


def _reaper(result: Result, folder: Path) -> list[Path]:
    session = session_of(result, reaper.LIVE)
    sounds = write_sounds(result, session.tracks, folder / "audio")
    effects_folder = folder / "Effects" / effects.FOLDER
    make_folder(effects_folder)
    written = []
    for name, text in effects.sources().items():
        with beside(effects_folder / name) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")
        written.append(effects_folder / name)
    return [reaper.write_project(session, sounds, folder / "session.rpp"), *sounds.values(), *written]


def _dawproject(result: Result, folder: Path) -> Path:
    session = session_of(result, dawproject.LIVE)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as sounds_folder:
        sounds = write_sounds(result, session.tracks, Path(sounds_folder), session.printed_master)
        return dawproject.write_file(session, sounds, folder / "session.dawproject")
