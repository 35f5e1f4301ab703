"""The splitter that starts from what is known: Spleeter's U-Net with one softmax over three sources."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from styletransfer.encoder.magnitude import magnitude

from .unet import WIDTHS, Down, Up

FRESH = ("up.5.", "last.")
"""What no Spleeter network has: the parameters that start from chance."""

MULTIPLE = 64
"""Frames and bins that the network takes come in multiples of this."""


class SplitUNet(nn.Module):
    """A complex spectrogram of an accompaniment → the shares of its sources in each bin.

    spectrum  (batch, 2, bins, frames) complex; multiples of 64.
    Returns   masks (batch, sources, 2, bins, frames), real, between 0 and 1, which sum to one.
    width     channels before the last layer, where Spleeter has one for its one source.
    Source    Hennequin et al., "Spleeter", JOSS 5(50), 2020, which has a network per source instead.
    """

    def __init__(self, sources: int = 3, width: int = 8) -> None:
        super().__init__()
        self.sources = sources
        self.down = nn.ModuleList(Down(a, b) for a, b in zip((2, *WIDTHS[:-1]), WIDTHS, strict=True))
        self.down[-1].norm.requires_grad_(False)  # nothing reads what it gives
        levels = ((512, 256), (2 * 256, 128), (2 * 128, 64), (2 * 64, 32), (2 * 32, 16), (2 * 16, width))
        self.up = nn.ModuleList(Up(a, b) for a, b in levels)
        self.last = nn.Conv2d(width, 2 * sources, 4, dilation=2, padding=3)

    def forward(self, spectrum: Tensor) -> Tensor:
        below, skips = magnitude(spectrum).transpose(2, 3).contiguous(memory_format=torch.channels_last), []
        for down in self.down:
            skip, below = down(below)
            skips.append(skip)
        level = self.up[0](skips.pop())
        for up in self.up[1:]:
            level = up(torch.cat((skips.pop(), level), 1))
        logits: Tensor = self.last(level).unflatten(1, (self.sources, 2)).float()
        return logits.softmax(1).transpose(3, 4)

    def start_from(self, spleeter: Mapping[str, Tensor], generator: torch.Generator) -> None:
        """Take over a Spleeter network; its last level's one channel becomes `width` that differ a little."""
        state = self.state_dict()
        for key, value in spleeter.items():
            if key.startswith("last."):
                continue
            if value.shape != state[key].shape:
                axis = 1 if key == "up.5.conv.weight" else 0
                value = value.repeat_interleave(state[key].shape[axis], axis)
                if key.endswith("conv.weight"):
                    value = value * (1 + 0.3 * torch.randn(value.shape, generator=generator))
            state[key] = value
        self.load_state_dict(state)
