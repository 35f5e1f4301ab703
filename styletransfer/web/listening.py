"""What is heard on the page: the report's players, one of whose sounds changes when a knob is turned.

A player's sounds stay in the browser as they were sent. When one is replaced, only that one travels; the
others get a gain that brings all to the loudness of the quietest again.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from threading import Lock
from typing import Any

import soundfile
from markupsafe import Markup

from styletransfer import mixdown
from styletransfer.audio import Audio
from styletransfer.encoder.loudness import LoudnessMeter
from styletransfer.equal_loudness import CEILING_DB, matching_gains_db
from styletransfer.report import player_html, player_of
from styletransfer.report.plots import lane

DRAWING = Lock()
"""Held while something is drawn: matplotlib's style is the process's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Exchanged:
    """One sound of a player after a knob was turned.

    wave      a 16-bit WAV, at the loudness of the others.
    message   for the page: which player and sound, the gains of all, and the outline if it was drawn.
    """

    wave: bytes
    message: dict[str, Any]


class Listening:
    """One player. `sounds` are in its order; the one called `changing` is the one that knobs change."""

    def __init__(self, key: str, title: str, sounds: dict[str, Audio], changing: str) -> None:
        self.key = key
        self._changing = changing
        self._labels = list(sounds)
        self._meters: dict[str, LoudnessMeter] = {n: mixdown.meter_of(a) for n, a in sounds.items()}
        self._sent_db = matching_gains_db(self._meters)
        places = {label: (number, audio, 0.0) for number, (label, audio) in enumerate(sounds.items())}
        with DRAWING:
            self.html: Markup = player_html(player_of(key, title, places, stem=key != "mix"))
        self._duration_s = max(audio.duration_s for audio in sounds.values())

    def exchange(self, audio: Audio) -> Exchanged:
        """Put another sound in the place of the changing one."""
        audio = audio.with_channels(2)
        meter = self._meters[self._changing] = mixdown.meter_of(audio)
        gains_db = matching_gains_db(self._meters)
        gain_db = self._sent_db[self._changing] = gains_db[self._changing]
        played = Audio(audio.samples * 10 ** (gain_db / 20), audio.rate)
        own_db = min(0.0, *(CEILING_DB - each.true_peak_db for each in self._meters.values()))
        index = self._labels.index(self._changing)
        message = {
            "player": self.key,
            "index": index,
            "lufs": round(meter.integrated_lufs, 2) if meter.integrated_lufs > -70 else None,
            "levels": [
                {
                    "equal_db": round(gains_db[label] - self._sent_db[label], 3),
                    "unmatched_db": round(own_db - self._sent_db[label], 3),
                }
                for label in self._labels
            ],
            "outline": self._outline(index, played),
        }
        return Exchanged(_wave(played), message)

    def _outline(self, index: int, played: Audio) -> str | None:
        if not DRAWING.acquire(blocking=False):  # a report is being drawn: the old outline does meanwhile
            return None
        try:
            peak = float(played.samples.abs().max())
            return lane(f"{self.key}-wave-{index + 1}", played, index, peak, self._duration_s)
        finally:
            DRAWING.release()


def _wave(audio: Audio) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio.samples.numpy().T, audio.rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
