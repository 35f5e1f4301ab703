"""The U-Net that estimates one source's spectrogram from the mix's (Spleeter)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (16, 32, 64, 128, 256, 512)
"""Channels after each halving of time and frequency."""


class Down(nn.Module):
    """A strided convolution, once raw (for the skip) and once normalized and rectified (for the way down)."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 5, stride=2)
        self.norm = nn.BatchNorm2d(outside, eps=1e-3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        skip = self.conv(F.pad(x, (1, 2, 1, 2)))  # TensorFlow's "same": the odd column goes last
        return skip, F.leaky_relu(self.norm(skip), 0.2)


class Up(nn.Module):
    """A transposed convolution that doubles time and frequency, rectified, then normalized."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inside, outside, 5, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(outside, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        up: Tensor = self.norm(F.relu(self.conv(x)[..., :-1, :-1]))
        return up


class UNet(nn.Module):
    """Magnitudes of a stereo mix → magnitudes of one of its sources.

    x        (batch, 2, frames, bins), linear; frames and bins are multiples of 64, trained on 512 and 1024.
    Returns  the same shape, between 0 and x.
    Source   Hennequin et al., "Spleeter", JOSS 5(50), 2020; after Jansson et al., ISMIR 2017.
    """

    def __init__(self) -> None:
        super().__init__()
        inputs = (2, *WIDTHS[:-1])
        self.down = nn.ModuleList(Down(a, b) for a, b in zip(inputs, WIDTHS, strict=True))
        # On the way up each level sees the level below and the skip beside it.
        self.up = nn.ModuleList(
            Up(a, b)
            for a, b in ((512, 256), (2 * 256, 128), (2 * 128, 64), (2 * 64, 32), (2 * 32, 16), (2 * 16, 1))
        )
        self.last = nn.Conv2d(1, 2, 4, dilation=2, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        below, skips = x, []
        for down in self.down:
            skip, below = down(below)
            skips.append(skip)
        level = self.up[0](skips.pop())
        for up in self.up[1:]:
            level = up(torch.cat((skips.pop(), level), 1))
        return torch.sigmoid(self.last(level)) * x
