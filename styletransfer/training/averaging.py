"""The average of what a network was while it learned, which is better than the network itself."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

_Network = TypeVar("_Network", bound=nn.Module)


class Averaged(nn.Module, Generic[_Network]):
    """A network that learns, and its average: that is what is judged and kept.

    Source  averaging of weights: Polyak and Juditsky, SIAM J. Control Optim. 30, 1992; here the latest count
            most.
    """

    network: _Network
    average: _Network

    def __init__(self, network: _Network) -> None:
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def take_in(self, kept: float, step: int) -> None:
        """Move the average towards the network: `kept` of it stays, less in a run's first steps, as if the
        average had begun with the run."""
        kept = min(kept, (1 + step) / (10 + step))
        state = self.network.state_dict()
        for key, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(state[key], 1 - kept)
            else:
                value.copy_(state[key])
