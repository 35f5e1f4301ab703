"""How far a strip's settings are from the true ones: by their curves, and by their other knobs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.converter.console import STRIP
from styletransfer.converter.network import reach_of
from styletransfer.converter.parameters import knobs_of, position

from .lessons import Lessons, curves_db

_KNOBS = knobs_of(STRIP)
_NAMES = [f"{stage}.{name}" for stage, name, _ in _KNOBS]
_CURVED = ("eq", "side_eq", "width", "gain")
"""Stages that are judged by the curves they make."""


def known_loss(strips: Tensor, lessons: Lessons) -> dict[str, Tensor]:
    """Losses of positions (rows, knobs) where the truth is known.

    curve   of the equalizers, width and gain, as ears weigh bands, in dB / 6.
    bins    of the same curves, squared, as spectra weigh bands, (dB / 6)².
    knob    of all other knobs, in reaches.
    """
    knobs = len(_KNOBS)
    truth = lessons.truth[:, :knobs]
    missed = curves_db(strips) - curves_db(truth) - lessons.offset_db[:, None, None]
    curve = (
        functional.smooth_l1_loss(missed / 6, torch.zeros_like(missed), beta=0.3, reduction="none")
        * lessons.audible
    ).sum((1, 2))
    bins = ((missed / 6).square() * lessons.bins).sum((1, 2))
    reach = reach_of(STRIP).to(strips)
    weight = _weights(truth) * (reach > 0)
    distance = (strips[:, :knobs] - truth) / reach.clamp(min=1e-6)
    knob = functional.smooth_l1_loss(distance, torch.zeros_like(distance), beta=0.2, reduction="none")
    return {"curve": curve.mean(), "bins": bins.mean(), "knob": (knob * weight).sum(1).mean()}


def _weights(truth: Tensor) -> Tensor:
    """(rows, knobs) which knobs are asked for: strengths always, the others of stages that do something."""
    weights = torch.zeros_like(truth)
    for stage in STRIP:
        if stage in _CURVED or stage == "expander":
            continue
        at = [index for index, (own, _, _) in enumerate(_KNOBS) if own == stage]
        strengths = [index for index in at if _KNOBS[index][2].strength]
        rest = torch.tensor([position(_KNOBS[index][2], _KNOBS[index][2].neutral) for index in strengths])
        active = ((truth[:, strengths] - rest.to(truth)).abs() > 1e-4).any(1).to(truth)
        for index in at:
            weights[:, index] = 1.0 if index in strengths else active
    return weights
