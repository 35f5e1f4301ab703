"""Which systems answer tasks with a truth? Each makes of the input's stems what the reference suggests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

import styletransfer
from styletransfer.audio import Audio, Stems
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, Settings, neutral
from styletransfer.converter.rendering import stages_of
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.evaluation.matchering import Matchering
from styletransfer.known_stems import KnownStems
from styletransfer.result import Result
from styletransfer.stem_cache import StemCache
from styletransfer.tasks import StemSamples, Task, apply_settings

RAW, LEVELLED = "do nothing, raw", "do nothing, as loud"
NOTHING = "do nothing"
"""The better of both, per column: see `findings`."""
CONSTANT, CLOSED, MATCHERING, ORACLE = "constant preset", "closed", "Matchering", "oracle"
TCN = "tcn"
"""The converter that has no settings to be wrong about."""
REFINED, LEAKY, SUMMED = ", refined", ", leaky stems in full", ", plain sum"
"""What is added to the name of a system for what it does otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a system made of a task.

    mix       (2, time).
    stems     as they reach the mix; None from systems that know none.
    settings  the strips that it set, and `master`; None from systems without.
    gated     a gate took some or all of it back.
    """

    mix: Tensor
    stems: StemSamples | None = None
    settings: dict[str, Settings] | None = None
    master: Settings | None = None
    gated: bool = False


class System(Protocol):
    """Anything that answers tasks."""

    @property
    def name(self) -> str: ...

    def __call__(self, task: Task) -> Answer | None:
        """The answer; None where it has none for such a task."""
        ...


@dataclass(frozen=True, slots=True)
class Raw:
    """The input."""

    name: str = RAW

    def __call__(self, task: Task) -> Answer:
        return Answer(task.input_mix, task.input, {name: neutral(STRIP) for name in task.input})


@dataclass(frozen=True, slots=True)
class Levelled:
    """The input, each stem and the mix as loud as the reference's."""

    name: str = LEVELLED

    def __call__(self, task: Task) -> Answer:
        stems = {
            name: as_loud(samples, task.reference[name]) if name in task.reference else samples
            for name, samples in task.input.items()
        }
        return Answer(as_loud(task.input_mix, task.reference_mix), stems)


@dataclass(frozen=True, slots=True)
class Constant:
    """The same settings whatever the reference; stem → settings."""

    settings: Mapping[str, Settings]
    name: str = CONSTANT

    def __call__(self, task: Task) -> Answer:
        return _rendered(task, {name: self.settings[name] for name in task.input})


@dataclass(frozen=True, slots=True)
class Oracle:
    """The true settings; None where the input is not in the state that they are for, or there are none."""

    name: str = ORACLE

    def __call__(self, task: Task) -> Answer | None:
        return _rendered(task, task.settings) if task.settings and task.neutral_input else None


@dataclass(frozen=True, slots=True)
class Competitor:
    """Matchering, on the mix: it knows no stems."""

    program: Matchering
    name: str = MATCHERING

    def __call__(self, task: Task) -> Answer:
        source, reference = task.input_mix, task.reference_mix
        # its files hold no samples beyond full scale
        factor = min(1.0, 0.99 / float(max(source.abs().max(), reference.abs().max())))
        made = self.program.transfer(Audio(source * factor, RATE), Audio(reference * factor, RATE))
        mix = torch.zeros_like(source)
        frames = min(mix.shape[1], made.frames)
        mix[:, :frames] = made.with_channels(2).samples[:, :frames] / factor
        return Answer(mix)


@dataclass(frozen=True, slots=True)
class Converter:
    """`automix transfer` from end to end with one of its converters, but for separation.

    options  what `styletransfer.transfer` is asked for: converter, gate, refine, …
    Where the master is locked, the answer is brought to the reference's loudness all the same.
    """

    name: str
    options: Mapping[str, Any]

    def __call__(self, task: Task) -> Answer:
        result = self.transfer(
            (Audio(task.input_mix, RATE), task.input),
            (Audio(task.reference_mix, RATE), task.reference),
            exact=task.input_rest is None,
        )
        console = result.document.console
        linear = neutral(MASTER) | {
            stage: console.master[stage] for stage in ("eq", "side_eq", "width", "balance", "gain")
        }
        stems = {}
        for name, stem in result.stems.items():
            if name in task.input:
                stems[name] = fx.render(stem.samples, stages_of(MASTER, linear, RATE))
        mix = result.mix.samples
        if "master" in self.options.get("lock", ()):
            factor = _factor(mix, task.reference_mix)
            mix, stems = mix * factor, {name: stem * factor for name, stem in stems.items()}
        return Answer(
            mix=mix,
            stems=stems,
            settings=None if result.document.converter.name == TCN else console.stems(),
            master=console.master,
            gated=any(note.code.startswith("gate-") for note in result.warnings),
        )

    def transfer(self, source: Sides, reference: Sides, *, exact: bool) -> Result:
        """The whole path on two mixes and their stems, which are their own (`exact`) or were separated."""
        known = KnownStems(exact=exact)
        sounds = (known.tell(mix.samples, stems) for mix, stems in (source, reference))
        return styletransfer.transfer(*sounds, separator=known, cache=_Keepless(), **self.options)


@dataclass(frozen=True, slots=True)
class Summed:
    """What a converter made of the stems, summed instead of rendered by difference, as loud as its mix."""

    converter: Converter

    @property
    def name(self) -> str:
        return self.converter.name + SUMMED

    def __call__(self, task: Task) -> Answer:
        answer = self.converter(task)
        assert answer.stems is not None
        return replace(answer, mix=as_loud(torch.stack([*answer.stems.values()]).sum(0), answer.mix))


Sides = tuple[Audio, Mapping[str, Tensor]]
"""A mix at 44.1 kHz, and its stems (2, time)."""


class _Keepless(StemCache):
    """Keeps nothing: stems that are known needn't be written."""

    def get(self, key: str) -> Stems | None:
        return None

    def put(self, key: str, stems: Stems) -> None:
        pass


def _rendered(task: Task, settings: Mapping[str, Settings]) -> Answer:
    """The task's stems through strips, the mix by difference, as the pipeline does it."""
    named = {name: task.input[name] for name in task.input if name in settings}
    wet = apply_settings(named, settings)
    mix = task.input_mix + torch.stack([wet[name] - named[name] for name in named]).sum(0)
    return Answer(mix, task.input | wet, dict(settings))


def as_loud(samples: Tensor, reference: Tensor) -> Tensor:
    """Samples as loud as a reference; as they are where one of both is silent."""
    return samples * _factor(samples, reference)


def _factor(samples: Tensor, reference: Tensor) -> float:
    """What makes samples as loud as a reference; 1 where one of them is silent."""
    ours, theirs = integrated_lufs(samples, RATE), integrated_lufs(reference, RATE)
    known = math.isfinite(ours) and math.isfinite(theirs)
    return float(10 ** ((theirs - ours) / 20)) if known else 1.0
