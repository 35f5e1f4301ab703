"""A style by what people call it, and the separator that goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from styletransfer.errors import AudioError, UsageError
from styletransfer.separation import SUFFIXES, Separator, choose
from styletransfer.texts import plain

from .database import Library
from .saved import SavedStyle
from .style_file import is_style, load_style


def style_named(name: str, library: Path | None = None) -> SavedStyle:
    """The style in a file `….style.safetensors`, or the one of that title or number in the library.

    ConfigError for a file that holds none, UsageError for a name that isn't known, AudioError for a sound.
    """
    if is_style(Path(name)):
        return load_style(Path(name))
    try:
        with Library(library, must_exist=True) as kept:
            return kept.get(kept.find(name).number)
    except UsageError as error:
        if Path(name).suffix.lower() not in SUFFIXES:
            raise
        there = Path(name).exists()
        told = "is a sound and no style; `automix style save` makes one of it" if there else "does not exist"
        raise AudioError(f"{plain(name)} {told}") from error


def separator_for(
    styles: Sequence[SavedStyle], asked: str = "auto", *, repo: Path | None = None, device: str = "cpu"
) -> Separator:
    """The separator that was asked for; of "auto", the one that the first style's stems were made by.

    A song is measured like the style that it gets, where that separator is on this machine.
    """
    name = styles[0].separator.name if styles and asked == "auto" else asked
    if name not in (asked, "builtin"):  # a file from elsewhere may say anything: only what is here is taken
        from styletransfer.separation import htdemucs

        name = name if htdemucs.is_here(name, repo) else asked
    return choose(name, repo=repo, device=device)
