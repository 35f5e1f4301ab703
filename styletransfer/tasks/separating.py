"""The same transfer as users meet it: the stems of input and reference are taken from their mixes."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.corpus.folder import RATE
from styletransfer.separation import Separator, separate

from .rendering import StemSamples
from .task import Task


@torch.no_grad()
def separated(task: Task, separator: Separator) -> Task:
    """The task with all four stems of input and reference as the separator makes them; the truth stays.

    Stems that the truth lacks come along: a separator always gives four. What it claims for none of them
    is kept as the rest, so that `input_mix` and `reference_mix` stay what they were.
    """
    ours, our_rest = taken_apart(task.input_mix, separator)
    theirs, their_rest = taken_apart(task.reference_mix, separator)
    return replace(task, input=ours, reference=theirs, input_rest=our_rest, reference_rest=their_rest)


def taken_apart(mix: Tensor, separator: Separator) -> tuple[StemSamples, Tensor]:
    """The stems of a mix (2, time) at 44.1 kHz, at that rate, and what none of them claims."""
    frames = mix.shape[1]
    found = {
        name: stem.at_rate(RATE).samples[:, :frames].clone()
        for name, stem in separate(Audio(mix, RATE), separator).items()
    }
    return found, mix - torch.stack(list(found.values())).sum(0)
