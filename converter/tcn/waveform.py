"""Preset `paper`: dilated convolutions on samples, each block told the style, as Koo et al. published it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from .film import film

if TYPE_CHECKING:
    from .network import TCNConfig


class Waveform(nn.Module):
    """Fourteen blocks on samples, and a mix of their channels within ±1.

    Source   Koo et al., ICASSP 2023; Steinmetz and Reiss, AES 152, 2022. 15 + Σ 14 · 2ⁿ for n = 1 … 13 is
             229,363 samples, or 5.2 s. Of its 10,547,970 parameters 7.3 M read the condition.
    """

    context: int
    step = 1

    def __init__(self, config: TCNConfig) -> None:
        super().__init__()
        self.context = config.reach
        inside = (2, *[config.channels] * (config.blocks - 1))
        self.blocks = nn.ModuleList(
            _Block(channels, config.channels, config.kernel, 2**number, config.condition)
            for number, channels in enumerate(inside)
        )
        self.output = nn.Conv1d(config.channels, 2, 1)

    def forward(self, samples: Tensor, condition: Tensor) -> Tensor:
        """(batch, 2, time) to the same; within `context` of the ends silence is heard where sound may be."""
        for block in self.blocks:
            samples = block(samples, condition)
        output: Tensor = self.output(samples)
        return output.clamp(-1, 1)


class _Block(nn.Module):
    """Convolve, norm, bend, then scale and shift as the condition says; beside it each channel's share."""

    def __init__(self, inside: int, outside: int, kernel: int, dilation: int, condition: int) -> None:
        super().__init__()
        around = (kernel - 1) // 2 * dilation
        self.convolve = nn.Conv1d(inside, outside, kernel, dilation=dilation, padding=around, bias=False)
        self.norm = nn.BatchNorm1d(outside)
        self.bend = nn.LeakyReLU()
        self.film = nn.Linear(condition, 2 * outside)
        self.straight = nn.Conv1d(inside, outside, 1, groups=inside, bias=False)

    def forward(self, samples: Tensor, condition: Tensor) -> Tensor:
        heard = film(self.bend(self.norm(self.convolve(samples))), self.film(condition))
        straight: Tensor = self.straight(samples)
        return heard + straight
