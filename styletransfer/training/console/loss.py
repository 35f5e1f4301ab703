"""How far a strip's settings are from the true ones, by their curves and other knobs, and from usual ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from styletransfer.converter.console import Stage
from styletransfer.converter.network import STRIPS, by_table, residual_reach, table_of
from styletransfer.converter.parameters import knobs_of, position

from .lessons import Lessons, curves_db

_CURVED = ("eq", "side_eq", "width", "gain")
"""Stages that are judged by the curves they make."""

_UNASKED = (*_CURVED, "expander", "limiter")


def known_loss(strips: Tensor, lessons: Lessons) -> dict[str, Tensor]:
    """Losses of positions (rows, knobs) where the truth is known.

    curve   of the equalizers and width at their own level, as ears weigh bands, in dB / 6.
    bins    of the same curves, squared, as spectra weigh bands, (dB / 6)².
    knob    of all other knobs, in reaches.
    """
    missed = missed_db(strips, lessons)
    curve = (
        functional.smooth_l1_loss(missed / 6, torch.zeros_like(missed), beta=0.3, reduction="none")
        * lessons.audible
    ).sum((1, 2))
    bins = ((missed / 6).square() * lessons.bins).sum((1, 2))
    knob = torch.cat(
        [_knob_losses(table, strips[rows], lessons.truth[rows]) for table, rows in by_table(lessons.strip)]
    )
    return {"curve": curve.mean(), "bins": bins.mean(), "knob": knob.mean()}


def missed_db(strips: Tensor, lessons: Lessons) -> Tensor:
    """(rows, 2, 30): how far the curves of positions (rows, knobs) lie off the wanted ones, in dB, once both
    have the same mean over what is heard of the mid."""
    missed = curves_db(strips, lessons.strip) - lessons.wanted_db
    heard = lessons.audible[:, 0]
    level = (missed[:, 0] * heard).sum(-1) / heard.sum(-1).clamp(min=1e-6)
    return missed - level[:, None, None]


class Prior(nn.Module):
    """How far settings are from those that the lessons ask for, per strip and knob; they are drawn at random,
    and no engineer's.

    The mean of ((position − mean) / spread)² over the knobs that a network can turn; a spread is at least a
    quarter of the knob's reach.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, lessons: Lessons) -> None:
        super().__init__()
        width = lessons.truth.shape[1]
        mean, spread = torch.zeros(len(STRIPS), width), torch.full((len(STRIPS), width), torch.inf)
        for number, name in enumerate(STRIPS):
            truth = lessons.truth[lessons.strip == number]
            reach = residual_reach(table_of(name))
            turned = (reach > 0).nonzero()[:, 0]
            if len(truth) > 1:
                mean[number] = truth.mean(0)
                spread[number, turned] = torch.maximum(truth.std(0)[turned], reach[turned] / 4)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("spread", spread, persistent=False)

    def forward(self, strips: Tensor, strip: Tensor) -> Tensor:
        """A scalar, of positions (rows, knobs) and numbers of strips (rows,)."""
        far = ((strips - self.mean[strip]) / self.spread[strip]).square()
        asked = self.spread[strip].isfinite()
        return far[asked].mean()


def _knob_losses(table: dict[str, Stage], strips: Tensor, truth: Tensor) -> Tensor:
    """(rows,) of the knobs that make no curve."""
    reach = residual_reach(table).to(strips)
    truth = truth[:, : len(reach)]
    weight = _weights(table, truth) * (reach > 0)
    distance = (strips[:, : len(reach)] - truth) / reach.clamp(min=1e-6)
    knob = functional.smooth_l1_loss(distance, torch.zeros_like(distance), beta=0.2, reduction="none")
    return (knob * weight).sum(1)


def _weights(table: dict[str, Stage], truth: Tensor) -> Tensor:
    """(rows, knobs) which knobs are asked for: strengths always, the others of stages that do something."""
    weights = torch.zeros_like(truth)
    knobs = knobs_of(table)
    for stage in table:
        if stage in _UNASKED:
            continue
        at = [index for index, (own, _, _) in enumerate(knobs) if own == stage]
        strengths = [index for index in at if knobs[index][2].strength]
        rest = torch.tensor([position(knobs[index][2], knobs[index][2].neutral) for index in strengths])
        active = ((truth[:, strengths] - rest.to(truth)).abs() > 1e-4).any(1).to(truth)
        for index in at:
            weights[:, index] = 1.0 if index in strengths else active
    return weights
