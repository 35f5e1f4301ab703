"""Which systems are compared? Each turns an input and a reference into a mix.

`constant preset` joins them when a trained system brings its mean settings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import styletransfer
from styletransfer.audio import Audio
from styletransfer.separation import confidence
from styletransfer.stem_cache import StemCache

from .matchering import Matchering

NOTHING = "do nothing"
MATCHERING = "Matchering"
AUTOMIX = "automix"
UNGATED = "automix, no gate"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A system's mix, and whether a gate took some or all of its work back."""

    mix: Audio
    gated: bool = False


class System(Protocol):
    def __call__(self, source: Audio, reference: Audio) -> Answer: ...


@dataclass(frozen=True, slots=True)
class DoNothing:
    """The input. Scaling it to the reference's loudness changes no figure: AF brings both to one RMS."""

    def __call__(self, source: Audio, reference: Audio) -> Answer:
        return Answer(source)


@dataclass(frozen=True, slots=True)
class Competitor:
    """Matchering, answering from its kept results where it can."""

    program: Matchering

    def __call__(self, source: Audio, reference: Audio) -> Answer:
        return Answer(self.program.transfer(source, reference))


@dataclass(frozen=True, slots=True)
class Automix:
    """Our own whole path, by default with the separator that needs no download; stems kept in `cache`."""

    cache: StemCache
    seed: int
    gate: bool = True
    amount: float = 1.0
    separator: str = "builtin"
    confident: bool = confidence.COUNTS

    def __call__(self, source: Audio, reference: Audio) -> Answer:
        result = styletransfer.transfer(
            source,
            reference,
            separator=self.separator,
            cache=self.cache,
            confident=self.confident,
            gate=self.gate,
            amount=self.amount,
            seed=self.seed,
        )
        return Answer(result.mix, any(note.code.startswith("gate-") for note in result.warnings))


def systems(program: Matchering, automix: Automix) -> dict[str, System]:
    """All systems by the name that tables give them."""
    return {
        NOTHING: DoNothing(),
        MATCHERING: Competitor(program),
        AUTOMIX: automix,
        UNGATED: replace(automix, gate=False),
    }
