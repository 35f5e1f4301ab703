"""What a map plays: a few seconds of each sound, equally loud, and never more than a page can carry."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from styletransfer import files, mixdown
from styletransfer.audio import Audio
from styletransfer.errors import AudioError
from styletransfer.report.passages import opus

KBPS = 64
LONGEST_S, SHORTEST_S = 6.0, 2.0
HEARD_LUFS = -20.0
"""Louder ones are turned down to this; none is turned up."""

LIMIT_MB = 20.0
"""Of a page's sound, as it is written into the page."""

_BYTES_PER_S = 1.1 * KBPS * 1000 / 8 * 4 / 3  # Ogg adds a little, Base64 a third


def excerpts_of(
    paths: Sequence[Path | None],
    limit_mb: float = LIMIT_MB,
    progress: Callable[[float], None] = lambda fraction: None,
) -> list[str]:
    """The loudest seconds of each sound as an Opus data URI; "" for one that isn't there, or finds no room.

    Each gets six seconds, or fewer so that all fit; below two, only as many as fit, evenly chosen.
    """
    there = [number for number, path in enumerate(paths) if path is not None and path.is_file()]
    found = [""] * len(paths)
    room_s = limit_mb * 1e6 / _BYTES_PER_S
    if not there or room_s < SHORTEST_S:
        return found
    length_s = min(max(room_s / len(there), SHORTEST_S), LONGEST_S)
    count = min(len(there), int(room_s / length_s))
    chosen = np.linspace(0, len(there) - 1, count).round().astype(int)
    left = limit_mb * 1e6
    for done, index in enumerate(chosen):
        progress(done / count)
        path = paths[there[index]]
        assert path is not None
        address = _address(path, length_s)
        if len(address) <= left:
            found[there[index]] = address
            left -= len(address)
    progress(1.0)
    return found


def _address(path: Path, length_s: float) -> str:
    """ "" where the sound can't be read any more."""
    try:
        audio = files.read(path)
    except AudioError:
        return ""
    cut = audio.excerpt(*audio.loudest_s(length_s)).with_channels(2)
    lufs = mixdown.loudness_of(cut).integrated_lufs
    gain_db = min(0.0, HEARD_LUFS - lufs) if math.isfinite(lufs) else 0.0
    sound = opus(Audio(cut.samples * 10 ** (gain_db / 20), cut.rate), cut.duration_s, KBPS)
    return "data:audio/ogg;base64," + base64.b64encode(sound).decode("ascii")
