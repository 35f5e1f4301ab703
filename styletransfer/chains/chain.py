"""A batch of effect chains: what each holds, in which order, with which settings, and how it sounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .effects import IMPLEMENTATIONS
from .loudness import k_weighted_energy, matching_factor
from .parameters import COLUMNS, EFFECTS, PARAMETER_NAMES, PARAMETERS, STAGES, to_share

_CPU_SAMPLES = 2_000_000

_LEAD_IN_S = 0.5
_NAMES = {stage: tuple(IMPLEMENTATIONS[stage]) for stage in STAGES}


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One chain of effects per example.

    values           (batch, parameters) float32 in each parameter's unit, columns as PARAMETER_NAMES.
    implementations  (batch, stages) int64: which implementation renders a stage, −1 where it is absent.
    places           (batch, stages) float32: stages take effect from the smallest to the largest.
    seeds            (batch, stages) int64: what an implementation draws further, it draws from this.
    All on the CPU; the samples may be anywhere.
    """

    values: Tensor
    implementations: Tensor
    places: Tensor
    seeds: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def select(self, indices: Tensor | Sequence[int]) -> Chain:
        """The chains of these examples, in this order; repeats are welcome, and so is a mask (batch,)."""
        index = torch.as_tensor(indices)
        index = index.nonzero()[:, 0] if index.dtype == torch.bool else index.long()
        return Chain(self.values[index], self.implementations[index], self.places[index], self.seeds[index])

    def repeat(self, times: int) -> Chain:
        """Every chain `times` times in a row: a, a, b, b, …"""
        return self.select(torch.arange(len(self)).repeat_interleave(times))

    @staticmethod
    def join(chains: Sequence[Chain]) -> Chain:
        """Several batches of chains as one."""
        return Chain(
            torch.cat([chain.values for chain in chains]),
            torch.cat([chain.implementations for chain in chains]),
            torch.cat([chain.places for chain in chains]),
            torch.cat([chain.seeds for chain in chains]),
        )

    def present(self) -> Tensor:
        """Which of EFFECTS each chain holds: (batch, effects) bool."""
        return self.implementations[:, : len(EFFECTS)] >= 0

    def parameters(self) -> tuple[Tensor, Tensor]:
        """What a network may learn to read, as (shares, active), each (batch, parameters).

        shares  0 to 1 between the parameter's limits on its perceptual scale; 0.5 where not active.
        active  bool: the parameter's effect is present.
        """
        shares = torch.full_like(self.values, 0.5)
        active = torch.zeros_like(self.values, dtype=torch.bool)
        for position, stage in enumerate(STAGES):
            here = self.implementations[:, position] >= 0
            active[:, COLUMNS[stage]] = here[:, None]
            for column, limits in zip(_columns(stage), PARAMETERS[stage].values(), strict=True):
                share = to_share(self.values[here, column], limits.low, limits.high, limits.scale)
                shares[here, column] = share.clamp(0, 1)
        return shares, active

    def effects(self, example: int) -> list[tuple[str, str]]:
        """An example's stages in order, each with its implementation."""
        row = self.implementations[example].tolist()
        return [(STAGES[stage], _NAMES[STAGES[stage]][row[stage]]) for stage in self._order(example)]

    def apply(self, samples: Tensor, rate: int) -> Tensor:
        """Send each example through its chain.

        samples  (batch, 2, time) float32, as many examples as chains; thresholds suit −23 LUFS.
        Returns  a new (batch, 2, time): after every stage but gain as loud (K-weighted) as the input,
                 and limited by nothing: what exceeds 1 stays so. Tails that outlast the excerpt are cut.
        Surprise each excerpt is led in by its own first half second, mirrored and cut off again: an excerpt
                 comes from the middle of a song, where a compressor has long found its level.
        """
        if samples.ndim != 3 or samples.shape[:2] != (len(self), 2) or samples.dtype != torch.float32:
            raise ValueError(
                f"samples must be float32 ({len(self)}, 2, time), not {samples.dtype} {tuple(samples.shape)}"
            )
        lead = min(round(_LEAD_IN_S * rate), samples.shape[-1])
        output = torch.cat((samples[..., :lead].flip(-1), samples), -1)
        wanted = k_weighted_energy(samples, rate)
        queues = [self._order(example) for example in range(len(self))]
        rows = self.implementations.tolist()
        while any(queues):
            fronts = Counter((queue[0], rows[i][queue[0]]) for i, queue in enumerate(queues) if queue)
            (stage, implementation), _ = fronts.most_common(1)[0]
            members = [
                i
                for i, queue in enumerate(queues)
                if queue and queue[0] == stage and rows[i][stage] == implementation
            ]
            most = _most_together(output)
            members = members[:most]
            for i in members:
                queues[i].pop(0)
            index = torch.tensor(members, device=samples.device)
            done = self._render(output[index], rate, stage, implementation, members)
            energy = k_weighted_energy(done[..., lead:], rate)
            if STAGES[stage] == "gain":
                wanted[index] = energy
            else:
                done = done * matching_factor(energy, wanted[index])[:, None, None]
            output[index] = done
        return output[..., lead:].contiguous()

    def to_json(self) -> list[list[dict[str, Any]]]:
        """The chains as plain lists and dicts, ready for `json.dump`; numbers come back to the bit."""
        return [
            [
                {
                    "effect": stage,
                    "implementation": implementation,
                    "seed": int(self.seeds[example, STAGES.index(stage)]),
                    "parameters": {
                        name: float(self.values[example, column])
                        for name, column in zip(PARAMETERS[stage], _columns(stage), strict=True)
                    },
                }
                for stage, implementation in self.effects(example)
            ]
            for example in range(len(self))
        ]

    @staticmethod
    def from_json(plain: list[list[dict[str, Any]]]) -> Chain:
        """Chains from what `to_json` gave; ValueError for effects or implementations unknown here."""
        chain = empty(len(plain))
        for example, stages in enumerate(plain):
            for place, entry in enumerate(stages):
                stage, implementation = entry["effect"], entry["implementation"]
                if stage not in STAGES or implementation not in _NAMES[stage]:
                    raise ValueError(f"there is no {implementation} {stage} here")
                position = STAGES.index(stage)
                chain.implementations[example, position] = _NAMES[stage].index(implementation)
                chain.places[example, position] = place
                chain.seeds[example, position] = entry["seed"]
                for name, column in zip(PARAMETERS[stage], _columns(stage), strict=True):
                    chain.values[example, column] = entry["parameters"][name]
        return chain

    def _order(self, example: int) -> list[int]:
        places = self.places[example].tolist()
        here = self.implementations[example].tolist()
        return sorted((stage for stage in range(len(STAGES)) if here[stage] >= 0), key=places.__getitem__)

    def _render(
        self, samples: Tensor, rate: int, stage: int, implementation: int, members: list[int]
    ) -> Tensor:
        name = STAGES[stage]
        rows = self.values[members, COLUMNS[name]].to(samples)
        values = dict(zip(PARAMETERS[name], rows.unbind(1), strict=True))
        process = IMPLEMENTATIONS[name][_NAMES[name][implementation]]
        return process(samples, rate, values, self.seeds[members, stage].tolist())


def _most_together(samples: Tensor) -> int:
    """How many examples are rendered at once: on the CPU as many as its caches and allocator like."""
    if samples.device.type != "cpu":
        return len(samples)
    return max(1, _CPU_SAMPLES // max(1, 2 * samples.shape[-1]))


def empty(batch: int) -> Chain:
    """Chains that hold nothing and leave the sound alone."""
    return Chain(
        torch.zeros(batch, len(PARAMETER_NAMES)),
        torch.full((batch, len(STAGES)), -1),
        torch.zeros(batch, len(STAGES)),
        torch.zeros(batch, len(STAGES), dtype=torch.long),
    )


def _columns(stage: str) -> range:
    return range(COLUMNS[stage].start, COLUMNS[stage].stop)
