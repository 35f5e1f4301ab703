"""How far are found console settings from the true ones? In dB, octaves, milliseconds, wet level."""

from __future__ import annotations

import math

from styletransfer.converter.console import MASTER_BANDS, STRIP, STRIP_BANDS, Settings, is_neutral
from styletransfer.encoder.measures import BAND_HZ
from styletransfer.matching.tone import response_db

UNITS = {
    "level": "dB",
    "eq": "dB",
    "side eq": "dB",
    "eq frequency": "octaves",
    "threshold": "dB",
    "ratio": "octaves",
    "attack": "ms",
    "release": "ms",
    "drive": "dB",
    "width": "dB",
    "balance": "",
    "wet": "",
    "decay": "octaves",
}
"""What errors are told of, and in which unit."""

_HEARD = (BAND_HZ >= 40) & (BAND_HZ <= 16_000)
_MOVED_DB = 1.0
_NARROWEST = 0.01


def settings_error(truth: Settings, found: Settings, master: Settings | None = None) -> dict[str, float]:
    """The absolute error of one strip, by the names of UNITS.

    master   what came after it, whose level, curves and image count as the strip's own.
    The two curves are compared at third octaves from 40 Hz to 16 kHz (root mean square), so that other bands
    with the same curve are no error; frequencies where the true band moves by a dB or more; a compressor's
    times, threshold and ratio, and a reverb's decay, where the truth uses them. Those that don't apply are
    left out.
    """
    errors = {
        "level": abs(_level_db(truth) - _level_db(found) - _level_db(master)),
        "drive": abs(truth["saturation"]["drive_db"] - found["saturation"]["drive_db"]),
        "width": abs(_width_db(truth) - _width_db(found) - _width_db(master)),
        "balance": abs(
            truth["balance"]["balance"]
            - found["balance"]["balance"]
            - (master["balance"]["balance"] if master else 0.0)
        ),
        "wet": abs(truth["reverb"]["wet"] - found["reverb"]["wet"]),
    }
    for name, stage in (("eq", "eq"), ("side eq", "side_eq")):
        missed = response_db(truth[stage], STRIP_BANDS) - response_db(found[stage], STRIP_BANDS)
        if master is not None:
            missed = missed - response_db(master[stage], MASTER_BANDS)
        errors[name] = float(missed[_HEARD].square().mean().sqrt())
    octaves = [
        abs(math.log2(found["eq"][f"{band}_frequency_hz"] / truth["eq"][f"{band}_frequency_hz"]))
        for band in (band.name for band in STRIP_BANDS)
        if abs(truth["eq"][f"{band}_gain_db"]) >= _MOVED_DB
    ]
    if octaves:
        errors["eq frequency"] = sum(octaves) / len(octaves)
    if not is_neutral(STRIP["compressor"], truth["compressor"]):
        true, ours = truth["compressor"], found["compressor"]
        errors["threshold"] = abs(true["threshold_db"] - ours["threshold_db"])
        errors["ratio"] = abs(math.log2(true["ratio"] / ours["ratio"]))
        errors["attack"] = abs(true["attack_ms"] - ours["attack_ms"])
        errors["release"] = abs(true["release_ms"] - ours["release_ms"])
    if truth["reverb"]["wet"] > 0:
        errors["decay"] = abs(math.log2(truth["reverb"]["decay_s"] / found["reverb"]["decay_s"]))
    return errors


def _level_db(settings: Settings | None) -> float:
    return settings["gain"]["gain_db"] + settings["compressor"]["makeup_db"] if settings else 0.0


def _width_db(settings: Settings | None) -> float:
    return 20 * math.log10(max(settings["width"]["width"], _NARROWEST)) if settings else 0.0
