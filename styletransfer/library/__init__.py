"""Styles that are kept: one in a file, many in a library, the nearest found and told apart in words."""

from __future__ import annotations

from .adding import Outcome, add_files, files_in
from .database import Entry, Library
from .lookup import separator_for, style_named
from .saved import MIX, PARTS, Listener, SavedStyle, mixed
from .searching import Found, search
from .style_file import load_style, save_style

__all__ = [
    "MIX",
    "PARTS",
    "Entry",
    "Found",
    "Library",
    "Listener",
    "Outcome",
    "SavedStyle",
    "add_files",
    "files_in",
    "load_style",
    "mixed",
    "save_style",
    "search",
    "separator_for",
    "style_named",
]
