"""What a text from outside may hold before it goes into a session's file."""

from __future__ import annotations


def one_line(text: str) -> str:
    """The text without line breaks, control characters and what has no encoding; these become spaces."""
    cleaned = "".join(letter if _printable(letter) else " " for letter in text)
    return " ".join(cleaned.split())


def lines(text: str) -> list[str]:
    """The text's lines, each as `one_line` has it."""
    return [one_line(line) for line in text.splitlines()]


def _printable(letter: str) -> bool:
    code = ord(letter)
    return not (
        code < 0x20
        or 0x7F <= code < 0xA0
        or 0xD800 <= code < 0xE000
        or code in (0x2028, 0x2029)
        or code & 0xFFFE == 0xFFFE  # no character in XML
    )
