"""What was found: answers, leaks, gaps and probes, by condition and system."""

from __future__ import annotations

from dataclasses import dataclass, field

from styletransfer.evaluation.statistics import Estimate

from .disentanglement import Explicitness, Gaps
from .leak import Leak
from .listening import Heard
from .probes import Probe
from .retrieval import Answers

OWN, FOREIGN, SEPARATED = "own effects", "foreign effects", "separated stems"
PER_STEM, APART = "a chain per stem", "a chain per stem, stems heard apart"
AS_IS, NORMALIZED = "as they are", "effect-normalized"


@dataclass(slots=True)
class Findings:
    """All that was measured, by condition, kind of stem, number of effects and system, as far as they apply.

    pieces    (condition, kind) → how many pieces stood behind it.
    song_s    seconds that it takes to embed a mix of three minutes and its stems, where that was asked.
    notes     sentences about what was measured on less than a whole run has.
    """

    answers: dict[tuple[str, str, int], dict[str, Answers]] = field(default_factory=dict)
    leaks: dict[tuple[str, int], dict[str, Leak]] = field(default_factory=dict)
    gaps: dict[tuple[str, str], dict[str, Gaps]] = field(default_factory=dict)
    explicitness: dict[tuple[str, str], dict[str, Explicitness]] = field(default_factory=dict)
    probes: dict[tuple[str, str], dict[str, dict[str, Probe]]] = field(default_factory=dict)
    naming: dict[str, dict[str, dict[int, Estimate]]] = field(default_factory=dict)
    grids: dict[str, Heard] = field(default_factory=dict)
    pieces: dict[tuple[str, str], int] = field(default_factory=dict)
    styles: int = 0
    systems: tuple[str, ...] = ()
    fingerprints: dict[str, str] = field(default_factory=dict)
    song_s: float | None = None
    notes: list[str] = field(default_factory=list)
