"""A temporal convolutional network that makes a stem sound as a style says; non-causal, in two presets.

`paper` is the MixFXcloner of Koo et al. on samples. `small` works on frames of a filter bank, and is a
hundred times cheaper.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor, nn

from .framed import Framed
from .waveform import Waveform

RATE = 44_100
"""The only sample rate that both presets know, in Hz."""


@dataclass(frozen=True, slots=True)
class TCNConfig:
    """The shape of a network.

    preset     `small` or `paper`.
    condition  dimensions of the style that steers it.
    channels   of its convolutions.
    blocks     of them, with dilations 1, 2, 4, …
    kernel     taps of each.
    bands      `small`: how finely it tells frequencies apart.
    hidden     `small`: width of the layers that read the condition.
    dropout    `small`: share of the condition that is left out at random in training.
    """

    preset: Literal["small", "paper"] = "small"
    condition: int = 663
    channels: int = 96
    blocks: int = 6
    kernel: int = 3
    bands: int = 48
    hidden: int = 128
    dropout: float = 0.1

    @classmethod
    def paper(cls) -> TCNConfig:
        """Koo et al., ICASSP 2023: receptive field 5.2 s, 10.5 M parameters and 3,598 running statistics."""
        return cls("paper", condition=2048, channels=128, blocks=14, kernel=15)

    @property
    def reach(self) -> int:
        """Samples, or frames of `small`, before and after that the convolutions look at."""
        return (self.kernel - 1) // 2 * ((1 << self.blocks) - 1)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return asdict(self)


class TCN(nn.Module):
    """Stereo sound to stereo sound under a condition. In evaluation mode one sound doesn't sway another."""

    def __init__(self, config: TCNConfig | None = None) -> None:
        super().__init__()
        self.config = config or TCNConfig()
        self.trunk: Framed | Waveform
        self.trunk = Framed(self.config) if self.config.preset == "small" else Waveform(self.config)

    @property
    def context(self) -> int:
        """Samples before and after that an output sample may depend on, rounded up to whole `step`s."""
        return self.trunk.context

    @property
    def step(self) -> int:
        """Sounds that are shifted by a multiple of so many samples come out shifted alike."""
        return self.trunk.step

    def forward(self, samples: Tensor, condition: Tensor) -> Tensor:
        """The sound (batch, 2, time) at RATE under a condition (batch, dimensions); around it is silence."""
        return self.within(nn.functional.pad(samples, (self.context, self.context)), condition)

    def excerpt(self, samples: Tensor, condition: Tensor) -> Tensor:
        """As `forward`, but sound may go on beyond the ends: cheaper, and inexact near them."""
        changed: Tensor = self.trunk(samples, condition)
        return changed

    def within(self, samples: Tensor, condition: Tensor) -> Tensor:
        """Only what its context is known of: (batch, 2, time) to (batch, 2, time − 2 · context).

        ValueError for another shape, or less than two contexts.
        """
        if samples.ndim != 3 or samples.shape[1] != 2 or samples.shape[2] < 2 * self.context:
            raise ValueError(f"samples must be (batch, 2, ≥ {2 * self.context}), not {tuple(samples.shape)}")
        if condition.shape != (len(samples), self.config.condition):
            raise ValueError(
                f"a condition must be {(len(samples), self.config.condition)}, not {tuple(condition.shape)}"
            )
        whole: Tensor = self.trunk(samples, condition)
        return whole[..., self.context : whole.shape[-1] - self.context]


def parameter_count(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(parameter.numel() for parameter in network.parameters())
