"""Text from outside (titles, tags, file names) made harmless: nothing in it moves a cursor or turns lines."""

from __future__ import annotations

import unicodedata

LONGEST = 200

_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # that scripts and emoji need


def plain(text: str, longest: int = LONGEST) -> str:
    """A line that a terminal can show: control, format and private signs become �, white space one blank.

    Markup is no matter here: pages escape it where they are written, and lines are printed as they stand.
    """
    shown = (
        " " if sign.isspace() else "�" if _unseen(sign) else sign
        for sign in unicodedata.normalize("NFC", text)
    )
    line = " ".join("".join(shown).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _unseen(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN and sign not in _JOINERS
