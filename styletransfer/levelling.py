"""A strip is as loud as it should be: its gain is measured, behind all that changes loudness, not guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from styletransfer import mixdown
from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import STRIP, Settings, at_rest
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.threads import spread

_GAIN = STRIP["gain"].knobs["gain_db"]


def levelled(
    strips: Mapping[str, Settings], passages: Stems, louder_lu: Mapping[str, float]
) -> dict[str, Settings]:
    """The same strips with gains that make stems so much louder (LU, below 0: softer).

    Equalizers, compressors, saturation and reverb change loudness by what they meet, so each stem's passage
    is heard behind its strip (integrated loudness, ITU-R BS.1770-5). Strips that do nothing stay.
    """

    def one(name: str) -> Settings:
        settings, passage = strips[name], passages[name]
        if at_rest(STRIP, settings):
            return settings
        missing = louder_lu[name] - (_lufs(mixdown.processed_stem(passage, settings)) - _lufs(passage))
        if not math.isfinite(missing):
            return settings
        return {**settings, "gain": {"gain_db": _GAIN.clamp(settings["gain"]["gain_db"] + missing)}}

    names = [name for name in strips if name in louder_lu]
    return {**strips, **dict(zip(names, spread(one, names), strict=True))}


def _lufs(audio: Audio) -> float:
    return integrated_lufs(audio.samples, audio.rate)
