"""Kept styles as files: a style each in a folder, or all in one as `automix embed` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from styletransfer import style_files
from styletransfer.errors import UsageError
from styletransfer.files import make_folder

from . import style_file
from .database import Entry, Library


def targets(entries: Sequence[Entry], output: Path) -> dict[int, Path]:
    """The file for each style's number: `output` itself if its suffix says so, else one in that folder.

    UsageError where there are no entries, or `output` is a file.
    """
    if not entries:
        raise UsageError("there is no style to export; `automix library list` tells what is kept")
    if style_file.is_style(output) and len(entries) > 1:
        raise UsageError(f"{output.name} holds one style, not {len(entries)}; name a folder")
    if output.suffix.lower() in style_files.SUFFIXES:
        style_files.check_target(output)
        return {entry.number: output for entry in entries}
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file; name a folder, or a .npz, .json or .safetensors file")
    return {
        entry.number: output / f"{_name(entry.title)}-{entry.number}{style_file.SUFFIX}" for entry in entries
    }


def export(library: Library, to: Mapping[int, Path]) -> Iterator[Path]:
    """Write styles to their `targets`; the paths."""
    whole = [path for path in set(to.values()) if not style_file.is_style(path)]
    if whole:
        styles = {number: library.get(number) for number in to}
        if len({style.song.encoder for style in styles.values()}) > 1:
            raise UsageError("these styles were heard by several encoders; export them to a folder")
        named = {f"{style.title} #{number}": style.song for number, style in styles.items()}
        yield style_files.save_styles(whole[0], named)
        return
    for number, path in to.items():
        make_folder(path.parent)
        yield style_file.save_style(path, library.get(number))


def _name(title: str) -> str:
    """A title as part of a file's name on any system."""
    return re.sub(r"[^\w\- ]+", "_", title).strip(" .")[:80] or "style"
