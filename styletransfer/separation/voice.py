"""The voice stage: how much of each bin of a mix is voice, by Spleeter's two networks."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from styletransfer import weights

from .unet import UNet

FFT, HOP, BINS, PATCH_HOPS = 4096, 1024, 1024, 512
"""What the networks were trained on: frames of 4096, 1024 apart, 1024 bins (to 11 kHz), 512 at a time."""

_EPSILON = 1e-10
_NAMES = ("spleeter-vocals", "spleeter-accompaniment")


class VoiceStage:
    """Estimates voice and accompaniment, and tells them apart by the ratio of their energies.

    Source: Hennequin et al., "Spleeter", JOSS 5(50), 2020.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self.fingerprint = "+".join(weights.manifest()[name]["sha256"][:8] for name in _NAMES)

    def share(self, magnitudes: Tensor) -> Tensor:
        """(2, BINS, a multiple of 64 frames) → the voice's share of each bin's energy, alike, 0 to 1."""
        seen = magnitudes.transpose(1, 2)[None]
        voice, accompaniment = (network(seen).square() for network in self._networks)
        share: Tensor = (voice + _EPSILON / 2) / (voice + accompaniment + _EPSILON)
        return share[0].transpose(1, 2)

    @cached_property
    def _networks(self) -> list[UNet]:
        """Of the voice and of the accompaniment; loaded when first heard with, since kept stems need none."""
        return [_network(name, self._device) for name in _NAMES]


def _network(name: str, device: str) -> UNet:
    with torch.device("meta"):  # its first values would be drawn in vain
        network = UNet()
    network.load_state_dict(weights.load(name)[0], assign=True)
    return network.eval().to(device)
