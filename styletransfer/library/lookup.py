"""A style by what people call it, and the separator that goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from styletransfer.separation import Separator, choose

from .database import Library
from .saved import SavedStyle
from .style_file import is_style, load_style


def style_named(name: str, library: Path | None = None) -> SavedStyle:
    """The style in a file `….style.safetensors`, or the one of that title or number in the library.

    ConfigError for a file that holds none, UsageError for a name that isn't known.
    """
    if is_style(Path(name)):
        return load_style(Path(name))
    with Library(library, must_exist=True) as kept:
        return kept.get(kept.find(name).number)


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
