"""Has a network seen the songs that it is judged on? Then no figure is computed.

Training writes the pieces that it used into the checkpoint's metadata, `trained_on`: the sorted list of
`piece_mark` of each. Judging refuses a system when an evaluated piece is among them.
"""

from __future__ import annotations

from collections.abc import Iterable

from styletransfer.corpus.split import piece_mark
from styletransfer.errors import CheckpointError

from .systems import System


def refuse_seen(systems: Iterable[System], pieces: Iterable[str]) -> None:
    """CheckpointError where a system was trained on one of the pieces that it is to be judged on."""
    pieces = sorted(set(pieces))
    for system in systems:
        seen = [piece for piece in pieces if piece_mark(piece) in system.trained_on]
        if seen:
            raise CheckpointError(
                f"{system.name} was trained on {len(seen)} of the {len(pieces)} pieces it would be judged "
                f"on (such as {seen[0]}); judge it on a split that its training left out"
            )
