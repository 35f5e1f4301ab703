"""The network at work on long sounds: chunk by chunk, each with its whole context on both sides, trimmed."""

from __future__ import annotations

import torch
from torch import Tensor

from .network import TCN

CHUNK_FRAMES = 1 << 18
"""Samples of output per pass when nobody says otherwise: 6 s."""


class TCNStage:
    """A network under one condition as a stage of `fx.stream`, whatever blocks it is given.

    condition     (dimensions,), on the network's device.
    gain_db       by which the network hears the sound louder; taken back from what it makes.
    chunk_frames  samples of output per pass, rounded up to whole `network.step`s. Memory grows with it, and
                  the share of time that goes into context shrinks.
    """

    def __init__(
        self,
        network: TCN,
        condition: Tensor,
        *,
        gain_db: float = 0.0,
        chunk_frames: int = CHUNK_FRAMES,
    ) -> None:
        self._network, self._condition = network, condition.unsqueeze(0)
        self._factor = 10 ** (gain_db / 20)
        self._chunk = -(-chunk_frames // network.step) * network.step
        self.latency = self._chunk + network.context
        self._heard = torch.zeros(2, network.context)  # the context that is still needed, and what is to do
        self._done = torch.zeros(2, self.latency)

    @torch.no_grad()
    def process(self, block: Tensor) -> Tensor:
        """The next block (2, time) of the output, as long as the one given."""
        self._heard = torch.cat((self._heard, block), dim=1)
        context = self._network.context
        needed = self._chunk + 2 * context
        made = [self._done]
        while self._heard.shape[1] >= needed:
            passage = self._heard[:, :needed]
            heard = (passage * self._factor)[None].to(self._condition.device)
            whole = self._network.within(heard, self._condition)[0].cpu() / self._factor
            made.append(whole)
            self._heard = self._heard[:, self._chunk :]
        output = torch.cat(made, dim=1)
        self._done = output[:, block.shape[1] :]
        return output[:, : block.shape[1]]
