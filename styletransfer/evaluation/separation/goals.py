"""What should the separator reach, and does it?"""

from __future__ import annotations

import math
from statistics import median

from styletransfer.evaluation.goal import Goal

from .evaluate import Findings
from .songs import REAL, RENDERED
from .systems import HTDEMUCS, MEDIAN, MIX, ORACLE

_REAL_DB = {"drums": 6.5, "bass": 4.5, "other": 3.0, "vocals": 6.0}
_LEAD_DB = 3.0
_SECONDS = 0.25
_REST_DB = -20.0


def asked_for(found: Findings) -> str:
    """The system that is judged: the one that is no baseline; the median split where nothing else is."""
    others = [name for name in found.systems if name not in (MIX, MEDIAN, ORACLE, HTDEMUCS)]
    if others:
        return others[0]
    return HTDEMUCS if HTDEMUCS in found.systems else MEDIAN


def goals(found: Findings) -> list[Goal]:
    """Every goal that what was measured can speak to."""
    name = asked_for(found)
    if name not in found.systems:
        return []
    listed = []
    for stem, target in _REAL_DB.items():
        value = found.estimate(REAL, name, stem, "sdr_db").value
        listed.append(Goal(f"SDR of {stem} on real recordings", target, value))
    for stem in _REAL_DB:
        if stem != "vocals" and name != MEDIAN:
            value = found.lead(RENDERED, name, MEDIAN, stem).value
            listed.append(Goal(f"lead over the median split in {stem}, rendered songs", _LEAD_DB, value))
    seconds = median([judged.seconds[name] for judged in found.judged])
    listed.append(Goal("seconds per second of audio", _SECONDS, seconds, at_most=True))
    left = [judged.rest_db[name] for judged in found.judged if name in judged.rest_db]
    if left:
        listed.append(Goal("what no stem claims, dB re the mix", _REST_DB, max(left), at_most=True))
    return [goal for goal in listed if not math.isnan(goal.value)]
