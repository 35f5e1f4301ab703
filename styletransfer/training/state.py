"""Where a run stands, and what it came to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True, eq=False)
class State:
    """Counters of a run, and the figures of its best round so far: `round`, `step`, `score`, what was
    measured.

    minutes        of all calls so far; round_minutes: of the last round.
    """

    step: int = 0
    round: int = 0
    minutes: float = 0.0
    round_minutes: float = 0.0
    best: dict[str, Any] = field(default_factory=dict)

    def count(self, began: float, *, a_round: bool = True) -> float:
        """Count the time since `began` (of `time.monotonic`), which a round took or, without, preparing;
        now."""
        now = time.monotonic()
        passed = (now - began) / 60
        self.minutes += passed
        if a_round:
            self.round_minutes = passed
        return now

    def out_of_time(self, minutes: float) -> bool:
        """Whether another round like the last would pass so many minutes (0: no limit); never before the
        first."""
        return self.round > 0 and minutes > 0 and self.minutes + self.round_minutes > minutes

    def judge(self, found: Mapping[str, float], score: float) -> None:
        """Note a round's figures where its score is the highest so far."""
        if score > self.best.get("score", float("-inf")):
            self.best = {"round": self.round, "step": self.step, "score": score, **found}


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run came to: the weights' file, and its facts with the best round's figures."""

    path: Path
    facts: dict[str, Any]
