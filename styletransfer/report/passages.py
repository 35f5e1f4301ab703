"""What can be heard on a page: passages of equal length and loudness, encoded into the page itself."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import soundfile
import torch
from markupsafe import Markup

from styletransfer import mixdown
from styletransfer.audio import Audio
from styletransfer.equal_loudness import matchable, matching_gains_db

from .plots import lane

Extent = Literal["none", "excerpt", "full"]

MIX_S, STEM_S = 20.0, 10.0
"""Length of the excerpts of mixes and of stems."""

OPUS_RATE = 48_000
_MIX_KBPS, _STEM_KBPS = 128, 96
_LEAST_KBPS, _MOST_KBPS = 6, 256  # per channel, between which libsndfile's compression level moves


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """One sound in a player.

    number        of the version, from 0.
    passage_s     where it is taken from, from and to in seconds.
    gain_db       what it was turned down by, so that all in its player are equally loud.
    unmatched_db  what turns it up to its own level beside the others', which still clips nothing.
    matched       whether it could be matched: silence can't.
    lufs          loudness as it plays; None where it has none.
    opus          the sound as an Opus file.
    wave          its outline.
    """

    number: int
    label: str
    passage_s: tuple[float, float]
    gain_db: float
    unmatched_db: float
    matched: bool
    lufs: float | None
    opus: bytes
    wave: Markup

    @property
    def address(self) -> str:
        """The sound as a data URI."""
        return "data:audio/ogg;base64," + base64.b64encode(self.opus).decode("ascii")


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """Sounds that are heard in turn at one position: a song's versions, or those of one stem."""

    key: str
    title: str
    duration_s: float
    sounds: list[Heard]


def player_of(
    key: str, title: str, sounds: Mapping[str, tuple[int, Audio, float]], *, stem: bool = False
) -> Player:
    """A player from labels to (number of the version from 0, what is heard, where in seconds it begins).

    All get the loudness of the quietest, and the length of the longest: the others end in silence.
    """
    cut = {label: audio.with_channels(2) for label, (_, audio, _) in sounds.items()}
    meters = {label: mixdown.meter_of(audio) for label, audio in cut.items()}
    gains_db, known = matching_gains_db(meters), matchable(meters)
    unmatched_db = min(min(0.0, -1.0 - meter.true_peak_db) for meter in meters.values())
    played = {
        label: Audio(audio.samples * 10 ** (gains_db[label] / 20), audio.rate) for label, audio in cut.items()
    }
    duration_s = max(audio.duration_s for audio in played.values())
    peak = max(float(audio.samples.abs().max()) for audio in played.values())
    heard = []
    for label, (number, audio, start_s) in sounds.items():
        lufs = meters[label].integrated_lufs + gains_db[label]
        heard.append(
            Heard(
                number=number,
                label=label,
                passage_s=(start_s, start_s + audio.duration_s),
                gain_db=gains_db[label],
                unmatched_db=unmatched_db - gains_db[label],
                matched=label in known,
                lufs=lufs if math.isfinite(lufs) else None,
                opus=opus(played[label], duration_s, _STEM_KBPS if stem else _MIX_KBPS),
                wave=lane(f"{key}-wave-{number + 1}", played[label], number, peak, duration_s),
            )
        )
    return Player(key, title, duration_s, heard)


def opus(audio: Audio, duration_s: float, kbps: int) -> bytes:
    """A stereo sound as an Ogg Opus file of that length, silence behind, at so many kbit/s."""
    samples = audio.at_rate(OPUS_RATE).samples
    missing = round(duration_s * OPUS_RATE) - samples.shape[1]
    samples = torch.nn.functional.pad(samples, (0, max(0, missing)))
    level = 1 - (kbps / 2 - _LEAST_KBPS) / (_MOST_KBPS - _LEAST_KBPS)
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", OPUS_RATE, 2, "OPUS", format="OGG", compression_level=level
    ) as written:
        for block in torch.split(samples, 2**16, dim=1):
            written.write(block.numpy().T)
    return file.getvalue()
