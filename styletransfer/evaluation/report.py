"""What stands in every report: versions and machine, tables and intervals in Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from .goal import Goal
from .matchering import VERSION as MATCHERING_VERSION
from .statistics import Estimate


def machine() -> dict[str, Any]:
    """Versions and the kind of machine, without names or paths."""
    found = {}
    for name in ("automix", "torch", "numpy", "scipy", "soundfile", "soxr"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return {
        "versions": {**found, "matchering": MATCHERING_VERSION, "python": platform.python_version()},
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
        },
    }


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])


def lines(*items: str) -> str:
    """A list in Markdown."""
    return "\n".join(f"- {item}" for item in items)


def interval(estimate: Estimate | None, digits: int = 2) -> str:
    """A figure with its interval in brackets; empty where there is none."""
    if estimate is None:
        return ""
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def goals_table(goals: Iterable[Goal]) -> str:
    """Each goal beside its figure, and by how much it is missed."""
    rows = [
        [
            goal.what,
            f"{'≤' if goal.at_most else '≥'} {goal.target:g}",
            f"{goal.value:.3g}",
            "met" if goal.met else f"missed by {goal.missed_by:.2g}",
        ]
        for goal in goals
    ]
    return table(["goal", "asked", "measured", ""], rows)
