"""The splitter that hears in bands: each a token per frame, mixed over time and over bands; complex masks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from styletransfer.encoder.magnitude import magnitude

COMPRESSION = 0.3
"""The power to which magnitudes are taken before the network hears them: about as ears do."""


def band_widths(bins: int) -> list[int]:
    """Bins per band: narrow (86 Hz) where basses and fundamentals lie, wide above; together `bins`."""
    widths: list[int] = []
    for count, width in ((16, 8), (16, 16), (10_000, 64)):
        for _ in range(count):
            width = min(width, bins - sum(widths))
            if width == 0:
                return widths
            widths.append(width)
    return widths


class _Mixer(nn.Module):
    """Mixes a token with its neighbours in time, then with all bands, then within itself; residual."""

    def __init__(self, bands: int, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.time = nn.Conv1d(width, width, 7, padding=3 * dilation, dilation=dilation, groups=width)
        self.bands = nn.Linear(bands, bands)
        self.inner = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        nn.init.zeros_(self.bands.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, bands, frames, width) → the same shape."""
        heard = self.norm(x)
        over_time = self.time(heard.flatten(0, 1).transpose(1, 2)).transpose(1, 2).unflatten(0, x.shape[:2])
        over_bands = self.bands(over_time.transpose(1, 3)).transpose(1, 3)
        x = x + over_time + over_bands
        mixed: Tensor = x + self.inner(x)
        return mixed


class SplitBands(nn.Module):
    """A complex spectrogram of an accompaniment → complex masks of its sources.

    spectrum  (batch, 2, bins, frames) complex.
    Returns   masks (batch, sources, 2, bins, frames), complex, which sum to one.
    Source    band splitting as in Luo & Yu, "Music source separation with band-split RNN", TASLP 31, 2023,
              with convolutions over time and a matrix over bands in place of its two LSTMs.
    """

    def __init__(self, sources: int = 3, bins: int = 1024, width: int = 64, layers: int = 8) -> None:
        super().__init__()
        self.sources = sources
        self._widths = band_widths(bins)
        self.enter = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(6 * size), nn.Linear(6 * size, width)) for size in self._widths
        )
        self.mixers = nn.ModuleList(
            _Mixer(len(self._widths), width, 2 ** (layer % 5)) for layer in range(layers)
        )
        self.leave = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU()) for _ in self._widths
        )
        self.masks = nn.ModuleList(_last(2 * width, 4 * sources * size) for size in self._widths)

    def forward(self, spectrum: Tensor) -> Tensor:
        heard = features(spectrum).permute(0, 3, 2, 1)  # (batch, frames, bins, 6)
        parts = heard.split(self._widths, 2)
        x = torch.stack([enter(part.flatten(2)) for enter, part in zip(self.enter, parts, strict=True)], 1)
        for mixer in self.mixers:
            x = mixer(x)
        found = [
            masks(leave(band)).float().unflatten(2, (-1, self.sources, 2, 2))
            for masks, leave, band in zip(self.masks, self.leave, x.unbind(1), strict=True)
        ]
        # (batch, frames, bins, sources, channels, real and imaginary)
        return summing_to_one(torch.view_as_complex(torch.cat(found, 2).contiguous()).permute(0, 3, 4, 2, 1))


def _last(inside: int, outside: int) -> nn.Linear:
    """A layer whose first masks are all alike."""
    layer = nn.Linear(inside, outside)
    nn.init.normal_(layer.weight, std=1e-3)
    nn.init.zeros_(layer.bias)
    return layer


def features(spectrum: Tensor) -> Tensor:
    """What complex-mask networks hear of (batch, 2, bins, frames): (batch, 6, bins, frames) real.

    Both channels' compressed magnitudes, and their real and imaginary parts, compressed alike.
    """
    level = magnitude(spectrum).clamp(min=1e-8)
    scaled = torch.view_as_real(spectrum * level ** (COMPRESSION - 1))
    return torch.cat((level**COMPRESSION, scaled[..., 0], scaled[..., 1]), 1)


def summing_to_one(masks: Tensor) -> Tensor:
    """Masks (batch, sources, …) moved by what their sum lacks of one, each by the same."""
    return masks + (1 - masks.sum(1, keepdim=True)) / masks.shape[1]


def padded_to(x: Tensor, multiple: int) -> Tensor:
    """The last axis filled up with zeros to a multiple."""
    return functional.pad(x, (0, -x.shape[-1] % multiple))
