"""How much is rendered? All that a whole run has, or a quick part of it while developing."""

from __future__ import annotations

from dataclasses import dataclass

from .excerpts import EXCERPT_S
from .retrieval import most_pieces

KINDS = ("mix", "drums", "bass", "other", "vocals")
"""What is listened to, in the order of tables."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rendered, and how often; counts of effects are keys of `styles.frozen`.

    slots       effects per chain → pieces that each style is rendered on; draws choose two of them.
    *_kinds     what each condition is measured on; none where it is left out.
    probes      excerpts per effect (twice as many for equalizers) that lines are fitted to.
    named       excerpts per named style in any half of the pieces.
    timed       whether the encoder's work on a song is timed.
    """

    name: str
    kinds: tuple[str, ...]
    styles: int
    slots: dict[int, int]
    draws: int
    takes: int = 2
    per_stem_counts: tuple[int, ...] = ()
    foreign_kinds: tuple[str, ...] = ()
    foreign_counts: tuple[int, ...] = (4, 8)
    separated_kinds: tuple[str, ...] = ()
    separated_count: int = 4
    grid_kinds: tuple[str, ...] = ()
    single_kinds: tuple[str, ...] = ()
    grid_pieces: int = 25
    probe_kinds: tuple[str, ...] = ()
    probes: int = 150
    named_kinds: tuple[str, ...] = ()
    named: int = 100
    timed: bool = False

    @property
    def pieces(self) -> int:
        """So many pieces at most share a gallery."""
        return min(25, most_pieces(self.styles))


FULL = Plan(
    name="full",
    kinds=KINDS,
    styles=200,
    slots={1: 2, 2: 2, 4: 3, 8: 3},
    draws=5,
    per_stem_counts=(4, 8),
    foreign_kinds=KINDS,
    separated_kinds=KINDS[1:],
    grid_kinds=KINDS,
    single_kinds=("mix", "other"),
    probe_kinds=("other",),
    named_kinds=("mix",),
    timed=True,
)
QUICK = Plan(name="quick", kinds=("mix", "other", "drums"), styles=100, slots={4: 2, 8: 2}, draws=1)
"""Half of the styles and one draw: figures are a little higher than the full plan's, and less sure."""

PICTURE = Plan(name="picture", kinds=(), styles=0, slots={}, draws=0, grid_kinds=KINDS)
"""Only what the t-SNE picture shows."""

assert EXCERPT_S == 10.0, "retrieval's excerpts are 10 s long"
