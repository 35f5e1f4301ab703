"""The splitter that looks at a whole spectrum at once: convolutions, and matrices over frequency."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .split_bands import features, padded_to, summing_to_one

SUB_BANDS = 4
"""The spectrum is cut into so many parts, which enter as channels: a quarter of the places to compute."""


class _Block(nn.Module):
    """Two convolutions with a matrix over frequency between them, beside a straight line."""

    def __init__(self, inside: int, outside: int, bins: int) -> None:
        super().__init__()
        self.straight = nn.Conv2d(inside, outside, 1)
        self.first = nn.Sequential(_conv(inside, outside), nn.GELU())
        squeezed = max(bins // 8, 16)
        self.frequency = nn.Sequential(
            nn.Linear(bins, squeezed), nn.GELU(), nn.Linear(squeezed, bins), nn.GELU()
        )
        self.second = nn.Sequential(_conv(outside, outside), nn.GELU())

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inside, frames, bins) → (batch, outside, frames, bins)."""
        y = self.first(x)
        y = y + self.frequency(y)
        both: Tensor = self.straight(x) + self.second(y)
        return both


class SplitTDF(nn.Module):
    """A complex spectrogram of an accompaniment → complex masks of its sources.

    spectrum  (batch, 2, bins, frames) complex; bins a multiple of 16.
    Returns   masks (batch, sources, 2, bins, frames), complex, which sum to one.
    Source    TFC-TDF, Choi et al., "Investigating U-Nets with various intermediate blocks for
              spectrogram-based singing voice separation", ISMIR 2020; sub-bands as channels after Kong's.
    """

    def __init__(self, sources: int = 3, bins: int = 1024, width: int = 24) -> None:
        super().__init__()
        self.sources = sources
        sub = bins // SUB_BANDS
        widths, sizes = (width, 2 * width, 3 * width), (sub, sub // 2, sub // 4)
        self.enter = nn.Conv2d(6 * SUB_BANDS, width, 1)
        self.down_blocks = nn.ModuleList(_Block(w, w, s) for w, s in zip(widths[:2], sizes[:2], strict=True))
        self.down = nn.ModuleList(nn.Conv2d(widths[i], widths[i + 1], 2, stride=2) for i in range(2))
        self.middle = _Block(widths[2], widths[2], sizes[2])
        self.up = nn.ModuleList(nn.ConvTranspose2d(widths[i + 1], widths[i], 2, stride=2) for i in (1, 0))
        self.up_blocks = nn.ModuleList(_Block(2 * widths[i], widths[i], sizes[i]) for i in (1, 0))
        self.last = nn.Conv2d(width, 4 * sources * SUB_BANDS, 1)
        nn.init.normal_(self.last.weight, std=1e-3)

    def forward(self, spectrum: Tensor) -> Tensor:
        frames = spectrum.shape[-1]
        heard = padded_to(features(spectrum), 4)
        parts = heard.unflatten(2, (SUB_BANDS, -1)).flatten(1, 2).transpose(2, 3)
        x, skips = self.enter(parts.contiguous(memory_format=torch.channels_last)), []
        for block, down in zip(self.down_blocks, self.down, strict=True):
            x = block(x)
            skips.append(x)
            x = down(x)
        x = self.middle(x)
        for up, block in zip(self.up, self.up_blocks, strict=True):
            x = block(torch.cat((skips.pop(), up(x)), 1))
        found = self.last(x).float().unflatten(1, (self.sources, 2, 2, SUB_BANDS))
        # (batch, sources, channels, real and imaginary, part, frames, bins of a part)
        real, imaginary = found.permute(0, 1, 2, 4, 6, 5, 3).flatten(3, 4)[..., :frames, :].unbind(-1)
        return summing_to_one(torch.complex(real, imaginary))


def _conv(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside))
