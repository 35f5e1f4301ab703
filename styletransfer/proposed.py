"""Who set a knob how far: the closed form, what a network added, and what refinement or the polish added."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict

from styletransfer.converter.console import Knob, Settings, Stage

ROUNDING = 1e-5
"""A smaller step on a knob's scale is none."""


class Proposed(BaseModel):
    """One strip's settings before amounts, step by step.

    closed_form          values, in each knob's unit.
    network, refinement  what they added on the knob's perceptual scale: in its unit where that is linear, in
                         doublings (octaves) where it is logarithmic. A knob that they left alone is missing.
                         The network's is less what was held back to keep the stem's notes.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    closed_form: Settings
    network: Settings = {}
    refinement: Settings = {}

    @classmethod
    def of(
        cls,
        table: dict[str, Stage],
        closed_form: Settings,
        network: Settings | None = None,
        refinement: Settings | None = None,
    ) -> Proposed:
        """From the settings after each step; a step that is missing changed nothing."""
        network = closed_form if network is None else network
        refinement = network if refinement is None else refinement
        return cls(
            closed_form=closed_form,
            network=_added(table, closed_form, network),
            refinement=_added(table, network, refinement),
        )

    def steps(self, table: dict[str, Stage]) -> tuple[Settings, Settings, Settings]:
        """The settings of the closed form, with what the network added, and with what refinement added."""
        networked = with_added(table, self.closed_form, self.network)
        return self.closed_form, networked, with_added(table, networked, self.refinement)

    def total(self, table: dict[str, Stage]) -> Settings:
        """The settings that all steps come to."""
        return self.steps(table)[-1]


def with_added(table: dict[str, Stage], before: Settings, added: Settings, share: float = 1.0) -> Settings:
    """Settings moved by a share of what a step added."""
    return {
        stage: {
            name: _moved(table[stage].knobs[name], value, share * added.get(stage, {}).get(name, 0.0))
            for name, value in knobs.items()
        }
        for stage, knobs in before.items()
    }


def _added(table: dict[str, Stage], before: Settings, after: Settings) -> Settings:
    added = {
        stage: {
            name: _distance(table[stage].knobs[name], value, after[stage][name])
            for name, value in knobs.items()
            if abs(_distance(table[stage].knobs[name], value, after[stage][name])) > ROUNDING
        }
        for stage, knobs in before.items()
    }
    return {stage: knobs for stage, knobs in added.items() if knobs}


def _distance(knob: Knob, before: float, after: float) -> float:
    return math.log2(after / before) if knob.scale == "log" else after - before


def _moved(knob: Knob, value: float, distance: float) -> float:
    return value * 2**distance if knob.scale == "log" else value + distance
