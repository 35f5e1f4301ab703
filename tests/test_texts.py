"""Names from outside turn no line, wherever they are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from styletransfer.audio import Audio
from styletransfer.document import Source
from styletransfer.files import write
from styletransfer.sources import load
from styletransfer.texts import LONGEST, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\n c ", "a b c"),
        ("\x1b[31mred\x1b[0m", "�[31mred�[0m"),
        ("\u202egnp.exe", "�gnp.exe"),
        ("[bold]x[/]", "[bold]x[/]"),
        ("né 曲 🎵", "né 曲 🎵"),
        ("\udcff", "�"),
    ],
)
def test_plain_text(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert len(plain(9 * LONGEST * text)) <= LONGEST


def test_names_of_songs_are_plain_in_pages_and_documents(tmp_path: Path) -> None:
    path = tmp_path / "\u202eevil\x1b[2J.wav"
    write(path, Audio(0.1 * torch.randn(2, 44_100, generator=torch.Generator().manual_seed(0)), 44_100))
    assert load(path, "the input").name == "�evil�[2J.wav"
    facts = {"sha256": "0" * 64, "rate": 44_100, "channels": 2, "frames": 1}
    assert Source(name="\u202eevil", **facts).name == "�evil"
