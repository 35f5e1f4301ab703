"""Which split does a song belong to? Fixed by hash of the piece, and apart by everything that sounds.

No piece, module, sound bank, drum kit or voice of one split is heard in another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from .folder import CorpusSong

_SALT = "automix corpus 430"  # by which pieces, bundles of modules and voices fall near 80/10/10

FAMILIES = {
    "bank:musescore-general": "bank:fluid-r3",  # made from it
    "kit:avl-black-pearl": "kit:the-black-pearl",  # the same recordings
}
"""Sources that hold the same recordings under another name."""


def fraction(name: str) -> float:
    """A number in [0, 1) that a name has for ever, evenly spread."""
    return int.from_bytes(hashlib.sha256(f"{_SALT}:{name}".encode()).digest()[:6], "big") / 2**48


def split_of(name: str) -> str:
    """The split of a piece, kit, voice or bundle of modules: 80 in 100 train, 10 validation, 10 test."""
    place = fraction(name)
    return "train" if place < 0.8 else "validation" if place < 0.9 else "test"


def leaks(songs: Iterable[CorpusSong]) -> list[str]:
    """What is heard in more than one split, as "source or piece: splits"; empty where all is well."""
    heard: dict[str, set[str]] = {}
    for song in songs:
        for name in (f"piece:{song.piece}", *(FAMILIES.get(source, source) for source in song.sources)):
            heard.setdefault(name, set()).add(song.split)
    return [
        f"{name}: {', '.join(sorted(splits))}" for name, splits in sorted(heard.items()) if len(splits) > 1
    ]


def piece_mark(piece: str) -> str:
    """How a piece is noted in a checkpoint: the first eight hex digits of its id's sha256."""
    return hashlib.sha256(piece.encode()).hexdigest()[:8]


def marks(songs: Iterable[CorpusSong]) -> list[str]:
    """The sorted marks of all pieces of some songs: what a checkpoint's `trained_on` holds."""
    return sorted({piece_mark(song.piece) for song in songs})
