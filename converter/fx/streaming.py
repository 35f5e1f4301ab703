"""Rendering long sounds in blocks: stages that carry their state, and the runner that lines them up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from .arguments import amplitude
from .ballistics import hop_frames

BLOCK_FRAMES = 1 << 16
"""Frames per block when nobody says otherwise."""


class Stage(Protocol):
    """One effect at work on one sound: it remembers, so it serves a single sound, once."""

    latency: int
    """Samples by which the output lags behind the input."""

    def process(self, block: Tensor) -> Tensor:
        """The next block (2, time) float32 of the output, as long as the one given."""
        ...


def stream(blocks: Iterable[Tensor], stages: Sequence[Stage]) -> Iterator[Tensor]:
    """Run blocks (2, any time) through the stages; the output is aligned with the input and as long.

    The first blocks come out shorter or not at all, and the rest follows at the end: latency is
    taken off in front and made up with silence behind. How the sound is cut into blocks changes
    only rounding. Without stages the blocks pass untouched.
    """
    latency = sum(stage.latency for stage in stages)
    ahead = latency
    for block in blocks:
        if block.shape[-1] == 0:
            continue
        for stage in stages:
            block = stage.process(block)
        skipped = min(ahead, block.shape[-1])
        ahead -= skipped
        if skipped < block.shape[-1]:
            yield block[:, skipped:]
    if latency:
        block = torch.zeros(2, latency)
        for stage in stages:
            block = stage.process(block)
        if ahead < latency:
            yield block[:, ahead:]


def render(samples: Tensor, stages: Sequence[Stage], block_frames: int = BLOCK_FRAMES) -> Tensor:
    """A whole sound (2, time) float32 through the stages, block by block, as a new tensor."""
    if samples.ndim != 2 or samples.shape[0] != 2:
        raise ValueError(f"samples must be (2, time), not {tuple(samples.shape)}")
    output = torch.empty(samples.shape, dtype=samples.dtype)
    position = 0
    for block in stream(torch.split(samples, block_frames, dim=1), stages):
        output[:, position : position + block.shape[1]] = block
        position += block.shape[1]
    return output


class Local:
    """Renders any function of which each output sample depends on near input samples only.

    function  (1, 2, time) → (1, 2, time).
    reach     how many samples before and after count; 0 for gain, balance and width.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], reach: int = 0) -> None:
        self.latency = reach
        self._function = function
        self._history = torch.zeros(2, 2 * reach)

    def process(self, block: Tensor) -> Tensor:
        if self.latency == 0:
            return self._function(block.unsqueeze(0))[0]
        context = torch.cat((self._history, block), dim=1)
        self._history = context[:, block.shape[1] :]
        return self._function(context.unsqueeze(0))[0, :, self.latency : -self.latency]


class GainStage(ABC):
    """A stage that multiplies both channels with a gain drawn from the level on the control grid.

    rate   sample rate.
    reach  samples that `control` reads before and after the hops it yields.
    lag    hops by which the gains of `control` lag behind the hops it was given.
    """

    def __init__(self, rate: int, *, reach: int, lag: int = 0) -> None:
        self.rate = rate
        self._hop = hop_frames(rate)
        self._reach = reach
        self.latency = reach + (1 + lag) * self._hop
        self._context = torch.zeros(2, reach)  # what control still has to read
        self._delayed = torch.zeros(2, self.latency)  # what still waits for its gain
        self._gain_db = torch.zeros(reach + self._hop)  # gains that wait; at first of the silence before

    @abstractmethod
    def control(self, context: Tensor) -> Tensor:
        """Gain in dB (1, hops·hop), from (1, 2, reach + hops·hop + reach) that continues the last call's."""

    def process(self, block: Tensor) -> Tensor:
        frames = block.shape[1]
        self._context = torch.cat((self._context, block), dim=1)
        self._delayed = torch.cat((self._delayed, block), dim=1)
        ready = max(0, self._context.shape[1] - 2 * self._reach) // self._hop * self._hop
        if ready:
            gain_db = self.control(self._context[None, :, : ready + 2 * self._reach])[0]
            self._gain_db = torch.cat((self._gain_db, gain_db))
            self._context = self._context[:, ready:]
        output = self._delayed[:, :frames] * amplitude(self._gain_db[:frames])
        self._delayed, self._gain_db = self._delayed[:, frames:], self._gain_db[frames:]
        return output
