"""A goal, what was measured, and whether it is met."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal and what was measured: at least `target`, or at most where `at_most`."""

    what: str
    target: float
    value: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def missed_by(self) -> float:
        """How far the figure is on the wrong side; 0 where the goal is met."""
        return 0.0 if self.met else abs(self.value - self.target)

    def figures(self) -> dict[str, Any]:
        """As JSON can say it."""
        return {**asdict(self), "met": self.met, "missed_by": self.missed_by}
