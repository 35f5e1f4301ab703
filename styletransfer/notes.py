"""What a person should know about a result: a stable code, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Code = Literal[
    "stem-absent",  # a stem is missing on one side, so it was left alone
    "stem-leaky",  # a separated stem is mostly what other stems left in it, so it is changed less, or not
    "level-capped",  # a stem's level should have moved further than is safe
    "eq-capped",  # an equalizer band should have moved further than is safe
    "bandwidth-limited",  # one side has no treble above some frequency (an MP3's low-pass)
    "dynamics-crushed",  # the input's peaks were flattened, as the reference's weren't, for good
    "clipping-baked",  # the input clips, as the reference doesn't, for good
    "reverb-baked",  # a stem of the input rings longer than the reference's, for good
    "network-failed",  # a network made no held-out stem of this kind better, so the stem is left alone
    "content-held",  # compression or reverb that would have blurred a stem's notes was held back
    "mono-input",  # nothing to widen
    "mono-output",  # the output has one channel, so width and balance were left alone
    "gate-reduced",  # the full amount was not closer to the reference, a smaller one was
    "gate-closed",  # no amount was closer to the reference: the input stands
    "gate-stem",  # one stem's changes were taken back
    "refinement-dropped",  # refined settings didn't bring held-out passages closer, so the start stands
    "refinement-impossible",  # there is no sound, or not enough of it, to refine and to check on
    "between-farther",  # a point between two references came no closer to what lies between them
    "loudness-missed",  # the limiter's reach ended before the loudness target
    "stems-separated-again",  # cached stems were gone
    "separator-changed",  # the separator's weights or settings are not those that the settings were made with
    "style-separator",  # a kept style was measured on stems of another separator than the input is
    "preset",  # settings made for another input
    "clipped",  # an integer file could not hold every sample
]


@dataclass(frozen=True, slots=True)
class Note:
    """One remark about a result; `strip` names the stem or the master that it concerns."""

    code: Code
    message: str
    strip: str | None = None
