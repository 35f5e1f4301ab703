"""The FXencoder: an excerpt of one stem, or of the mix, to an embedding of how it was mixed.

Preset `small` reads the description of what the front end hears; preset `paper` is the network of Koo et
al. (ICASSP 2023) on raw samples. Both are told which stem they hear.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .description import DESCRIPTION, MARKS, SPECTRAL, describe, marks
from .explicit import EXPLICIT_NAMES
from .frontend import Frontend

HEARD = ("drums", "bass", "other", "vocals", "mix")
"""What an encoder can be told it hears, in the order of its stem numbers."""


EXPLICIT_WEIGHT = 0.15
"""Norm of an embedding's explicit part where the learned one's is 1; chosen on validation pieces."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The shape of an encoder.

    preset      `small` or `paper`.
    dimensions  of the embedding; of the paper's, 2048, its pooled channels.
    hidden      `small`: width of its two layers.
    dropout     `small`: share of the description that is left out at random in training.
    ear         `small`: `spectra` hears no fast envelopes and no marks, for an encoder that judges others.
    """

    preset: Literal["small", "paper"] = "small"
    dimensions: int = 256
    hidden: int = 768
    dropout: float = 0.2
    ear: Literal["whole", "spectra"] = "whole"

    @classmethod
    def paper(cls) -> EncoderConfig:
        """Koo et al., ICASSP 2023."""
        return cls("paper", 2048)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return asdict(self)


class FXEncoder(nn.Module):
    """Excerpts to embeddings of mixing style. In evaluation mode one excerpt doesn't sway another."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or EncoderConfig()
        self.frontend = Frontend()
        self.trunk = _Small(self.config) if self.config.preset == "small" else _Paper()
        self.register_buffer("mean", torch.zeros(len(HEARD), DESCRIPTION))
        self.register_buffer("scale", torch.ones(len(HEARD), DESCRIPTION))

    def embed(self, samples: Tensor, stem: str) -> Tensor:
        """Unit-norm embeddings (batch, dimensions) of excerpts (batch, 2, time) at 44.1 kHz of one stem."""
        number = torch.full((len(samples),), stem_number(stem), device=samples.device)
        heard = samples if self.config.preset == "paper" else self.describe(samples)
        return functional.normalize(self.hear(heard, number), dim=-1)

    def explicit(self, samples: Tensor, stem: str) -> Tensor:
        """Explicit features (batch, columns) of excerpts, in units of their spread over the training set."""
        number = torch.full((len(samples),), stem_number(stem), device=samples.device)
        return self.explicit_part(self.describe(samples), number)

    def explicit_part(self, described: Tensor, stem: Tensor) -> Tensor:
        """The same of descriptions (batch, DESCRIPTION) and numbers of HEARD (batch,)."""
        return self.standardized(described, stem)[:, : len(EXPLICIT_NAMES)]

    def describe(self, samples: Tensor) -> Tensor:
        """The description (batch, DESCRIPTION) of excerpts (batch, 2, time) at 44.1 kHz."""
        return describe(self.frontend(samples))

    def hear(self, heard: Tensor, stem: Tensor) -> Tensor:
        """Embeddings (batch, dimensions) before they are brought to unit norm.

        heard  descriptions (batch, DESCRIPTION); samples for the preset `paper`.
        stem   (batch,) numbers of HEARD.
        """
        if self.config.preset == "small":
            told, rulers = self.standardized(heard, stem), marks(heard)
            if self.config.ear == "spectra":
                told, rulers = told * SPECTRAL.to(told), torch.zeros_like(rulers)
            heard = torch.cat((told, rulers), 1)
        embedding: Tensor = self.trunk(heard, stem)
        return embedding

    def standardized(self, described: Tensor, stem: Tensor) -> Tensor:
        """Descriptions relative to mean and spread of the training set, within ±5."""
        return ((described - self.mean[stem]) / self.scale[stem]).clamp(-5, 5)


def joined(learned: Tensor, explicit: Tensor) -> Tensor:
    """Embeddings (..., D + F) of unit norm from learned parts (..., D) and explicit features (..., F), each
    normalized by itself, the explicit part weighing EXPLICIT_WEIGHT. Zeros stay zeros."""
    parts = functional.normalize(learned, dim=-1), EXPLICIT_WEIGHT * functional.normalize(explicit, dim=-1)
    return torch.cat(parts, -1) / math.hypot(1, EXPLICIT_WEIGHT)


def stem_number(stem: str) -> int:
    """The place of a stem, or of `mix`, in HEARD. ValueError if there is none."""
    if stem not in HEARD:
        raise ValueError(f"an encoder hears {', '.join(HEARD)}, not {stem!r}")
    return HEARD.index(stem)


class _Small(nn.Module):
    """Two layers on a standardized description and marks, beside a straight line from them to the
    embedding."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        inside = DESCRIPTION + MARKS + len(HEARD)
        self.leave_out = nn.Dropout(config.dropout)
        self.first = nn.Sequential(nn.Linear(inside, config.hidden), nn.BatchNorm1d(config.hidden), nn.ReLU())
        self.second = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden),
            nn.BatchNorm1d(config.hidden),
            nn.ReLU(),
        )
        self.out = nn.Linear(config.hidden, config.dimensions)
        self.straight = nn.Linear(inside, config.dimensions)

    def forward(self, described: Tensor, stem: Tensor) -> Tensor:
        told = functional.one_hot(stem, len(HEARD)).to(described)
        heard = torch.cat((self.leave_out(described), told), 1)
        embedding: Tensor = self.out(self.second(self.first(heard))) + self.straight(heard)
        return embedding


PAPER_CHANNELS = (16, 32, 64, 128, 256, 256, 512, 512, 1024, 1024, 2048, 2048)
PAPER_KERNELS = (25, 25, 15, 15, 10, 10, 10, 10, 5, 5, 5, 5)
PAPER_STRIDES = (4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1)


class _Paper(nn.Module):
    """Twelve residual convolution blocks on samples, 4096 to a frame, and their mean over time."""

    def __init__(self) -> None:
        super().__init__()
        inside = (2, *PAPER_CHANNELS[:-1])
        self.blocks = nn.Sequential(
            *(
                _PaperBlock(*shape)
                for shape in zip(inside, PAPER_CHANNELS, PAPER_KERNELS, PAPER_STRIDES, strict=True)
            )
        )
        self.tell = nn.Embedding(len(HEARD), PAPER_CHANNELS[-1])
        nn.init.zeros_(self.tell.weight)

    def forward(self, samples: Tensor, stem: Tensor) -> Tensor:
        pooled: Tensor = self.blocks(samples).mean(-1) + self.tell(stem)
        return pooled


class _PaperBlock(nn.Module):
    """x + conv(x), then a strided convolution to more channels; batch norm and ReLU after each."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.around = ((kernel - 1) // 2, kernel // 2)  # the paper's even kernels reach further ahead
        self.stay = nn.Conv1d(inside, inside, kernel)
        self.stay_norm = nn.BatchNorm1d(inside)
        self.go = nn.Conv1d(inside, outside, kernel, stride, padding=kernel // 2)
        self.go_norm = nn.BatchNorm1d(outside)

    def forward(self, samples: Tensor) -> Tensor:
        around = functional.pad(samples, self.around)
        stayed = functional.relu(self.stay_norm(samples + self.stay(around)))
        return functional.relu(self.go_norm(self.go(stayed)))
