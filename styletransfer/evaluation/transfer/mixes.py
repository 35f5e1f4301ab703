"""Which systems are compared on finished music? Each turns an input and a reference into a mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import styletransfer
from styletransfer import mixdown
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.evaluation.matchering import Matchering
from styletransfer.separation import choose
from styletransfer.stem_cache import StemCache, separate_cached

from .preset import Preset

NOTHING, MATCHERING, CONSTANT = "do nothing", "Matchering", "constant preset"
UNGATED = ", no gate"
"""What the name of a converter ends with where its gate is off."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A system's mix, and whether a gate took some or all of its work back.

    before, after  the input's stems, and these behind their strips; None from systems that know none.
    """

    mix: Audio
    gated: bool = False
    before: Stems | None = None
    after: Stems | None = None


class Mixer(Protocol):
    def __call__(self, source: Audio, reference: Audio) -> Mixed: ...


@dataclass(frozen=True, slots=True)
class DoNothing:
    """The input. Scaling it to the reference's loudness changes no figure: AF brings both to one RMS."""

    def __call__(self, source: Audio, reference: Audio) -> Mixed:
        return Mixed(source)


@dataclass(frozen=True, slots=True)
class Competitor:
    """Matchering, answering from its kept results where it can."""

    program: Matchering

    def __call__(self, source: Audio, reference: Audio) -> Mixed:
        return Mixed(self.program.transfer(source, reference))


@dataclass(frozen=True, slots=True)
class Constant:
    """The same settings whatever the reference, on separated stems and the master."""

    preset: Preset
    cache: StemCache
    separator: str = "builtin"

    def __call__(self, source: Audio, reference: Audio) -> Mixed:
        stems = separate_cached(source, choose(self.separator), self.cache)
        bus = mixdown.mix_bus(source, stems, self.preset.stems)
        return Mixed(mixdown.master_bus(bus, self.preset.master).with_channels(source.channels))


@dataclass(frozen=True, slots=True)
class Automix:
    """Our own whole path, with one of its converters; stems kept in `cache`.

    options  what else `styletransfer.transfer` is asked for: converter, refine, …
    """

    cache: StemCache
    seed: int
    gate: bool = True
    amount: float = 1.0
    separator: str = "builtin"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, source: Audio, reference: Audio) -> Mixed:
        result = styletransfer.transfer(
            source,
            reference,
            separator=self.separator,
            cache=self.cache,
            gate=self.gate,
            amount=self.amount,
            seed=self.seed,
            **self.options,
        )
        return Mixed(
            result.mix,
            any(note.code.startswith("gate-") for note in result.warnings),
            result.dry_stems,
            {name: result.stems[name] for name in STEMS},
        )


def mixers(
    converters: Mapping[str, Automix], program: Matchering | None, preset: Preset | None
) -> dict[str, Mixer]:
    """All systems by the name that tables give them, the baselines first; each converter also ungated."""
    found: dict[str, Mixer] = {NOTHING: DoNothing()}
    first = next(iter(converters.values()))
    if preset is not None:
        found[CONSTANT] = Constant(preset, first.cache, first.separator)
    if program is not None:
        found[MATCHERING] = Competitor(program)
    for name, automix in converters.items():
        found[name] = automix
        found[name + UNGATED] = replace(automix, gate=False)
    return found
