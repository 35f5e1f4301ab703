"""Never make a mix worse: a result that is not closer to the reference than the input is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from styletransfer.audio import STEMS
from styletransfer.notes import Note

AMOUNTS = (0.75, 0.5, 0.25)
"""What is tried, as shares of the amount that was asked for, where the whole of it didn't help."""

MARGIN = 0.02
"""A smaller relative gain than this is no gain, at the full amount; proportionally less at smaller ones."""

Amounts = dict[str, float]
"""Strip (the stems and "master") → amount."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was kept: the amounts, and the distances to the reference that decided it."""

    amounts: Amounts
    distance_input: float
    distance_full: float
    distance_kept: float

    @property
    def closed(self) -> bool:
        """Whether the input stands."""
        return not any(self.amounts.values())

    def notes(self, full: Amounts) -> list[Note]:
        """What of the amounts that were asked for was taken back; a reduction by the largest of them."""
        if self.closed:
            return [
                Note("gate-closed", "no amount brought the mix closer to the reference, so the input stands")
            ]
        silenced = [name for name in STEMS if full[name] and not self.amounts[name]]
        if silenced:
            return [
                Note("gate-stem", f"the mix came closer without changing the {name}", name)
                for name in silenced
            ]
        most = max(full, key=lambda name: full[name])
        kept, asked = self.amounts[most], full[most]
        return [
            Note("gate-reduced", f"an amount of {kept:.2f} came closer to the reference than {asked:.2f}")
        ]


def decide(
    full: Amounts, distance_input: float, distance_full: float, distance_at: Callable[[Amounts], float]
) -> Verdict:
    """Keep the amounts asked for if they bring the mix closer, else the best of smaller ones, else none.

    distance_at  renders at some amounts and measures; called only where the full amounts don't help.
    Per stem: where a smaller amount is best, each stem is also tried at 0 beside the others' full amount.
    """
    enough = distance_input * (1 - MARGIN * max(full.values()))
    if distance_full <= enough:
        return Verdict(full, distance_input, distance_full, distance_full)
    tried = [({strip: share * amount for strip, amount in full.items()}) for share in AMOUNTS]
    tried += [full | {stem: 0.0} for stem in STEMS if full[stem]]
    scored = [(distance_at(amounts), amounts) for amounts in tried]
    best, amounts = min(scored, key=lambda pair: pair[0])
    if best <= enough:
        return Verdict(amounts, distance_input, distance_full, best)
    return Verdict(dict.fromkeys(full, 0.0), distance_input, distance_full, distance_input)
