"""The FXencoder: an excerpt of one stem, or of the mix, to an embedding of how it was mixed.

Preset `small` hears the front end's band spectra and envelopes and is told the explicit features;
preset `paper` is the network of Koo et al. (ICASSP 2023) on raw samples. Both are told which stem they hear.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .explicit import EXPLICIT_NAMES, explicit
from .frontend import BANDS, FAST_SIGNALS, SIGNALS, Features, Frontend

HEARD = ("drums", "bass", "other", "vocals", "mix")
"""What an encoder can be told it hears, in the order of its stem numbers."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The shape of an encoder.

    preset      `small` or `paper`.
    dimensions  of the embedding; of the paper's, 2048, its pooled channels.
    channels    `small`: of the four spectral stages.
    fast        `small`: of the four envelope stages.
    hidden      `small`: of the layer before the embedding.
    """

    preset: Literal["small", "paper"] = "small"
    dimensions: int = 256
    channels: tuple[int, int, int, int] = (32, 64, 128, 176)
    fast: tuple[int, int, int, int] = (64, 96, 128, 128)
    hidden: int = 384

    @classmethod
    def paper(cls) -> EncoderConfig:
        """Koo et al., ICASSP 2023."""
        return cls("paper", 2048)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EncoderConfig:
        """From `to_dict`. TypeError for unknown keys."""
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**known)


class FXEncoder(nn.Module):
    """Excerpts to embeddings of mixing style. In evaluation mode one excerpt doesn't sway another."""

    explicit_mean: Tensor
    explicit_scale: Tensor

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or EncoderConfig()
        self.frontend = Frontend()
        self.trunk = _Small(self.config) if self.config.preset == "small" else _Paper()
        columns = len(EXPLICIT_NAMES)
        self.register_buffer("explicit_mean", torch.zeros(len(HEARD), columns))
        self.register_buffer("explicit_scale", torch.ones(len(HEARD), columns))

    def embed(self, samples: Tensor, stem: str) -> Tensor:
        """Unit-norm embeddings (batch, dimensions) of excerpts (batch, 2, time) at 44.1 kHz of one stem."""
        number = torch.full((len(samples),), stem_number(stem), device=samples.device)
        if self.config.preset == "paper":
            return functional.normalize(self.trunk(samples, number), dim=-1)
        return functional.normalize(self.hear(self.features(samples), number), dim=-1)

    def explicit(self, samples: Tensor, stem: str) -> Tensor:
        """Explicit features (batch, columns) of excerpts, in units of their spread over the training set."""
        number = torch.full((len(samples),), stem_number(stem), device=samples.device)
        return self.standardized(explicit(self.features(samples)), number)

    def features(self, samples: Tensor) -> Features:
        """The front end's features of excerpts (batch, 2, time) at 44.1 kHz."""
        heard: Features = self.frontend(samples)
        return heard

    def hear(self, features: Features, stem: Tensor) -> Tensor:
        """Embeddings (batch, dimensions), not yet of unit norm; `stem` (batch,) numbers HEARD."""
        with torch.no_grad():
            said = self.standardized(explicit(features), stem)
        embedding: Tensor = self.trunk(features, said, stem)
        return embedding

    def standardized(self, said: Tensor, stem: Tensor) -> Tensor:
        """Explicit features relative to mean and spread of the training set, within ±5."""
        return ((said - self.explicit_mean[stem]) / self.explicit_scale[stem]).clamp(-5, 5)


def stem_number(stem: str) -> int:
    """The place of a stem, or of `mix`, in HEARD. ValueError if there is none."""
    if stem not in HEARD:
        raise ValueError(f"an encoder hears {', '.join(HEARD)}, not {stem!r}")
    return HEARD.index(stem)


class _Small(nn.Module):
    """Strided convolutions over band spectra, beside a fast branch over envelopes; statistics over time."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        first, second, third, fourth = config.channels
        self.spectral_in = nn.Sequential(
            _convolution2d(len(SIGNALS) + 1, first, 2),
            _convolution2d(first, second, 2),
            _convolution2d(second, third, 2),
        )
        self.tell = nn.Embedding(len(HEARD), 2 * third)
        self.spectral_out = nn.Sequential(
            _Residual(third), _convolution2d(third, fourth, 2), _Residual(fourth)
        )
        widths = (FAST_SIGNALS, *config.fast)
        self.fast = nn.Sequential(
            *(
                _convolution1d(wide, wider, kernel)
                for wide, wider, kernel in zip(widths[:-1], widths[1:], (9, 9, 5, 5), strict=True)
            )
        )
        bands = BANDS // 16
        self.attention = nn.Linear(fourth * bands, 4)
        pooled = (2 + 1) * fourth * bands + 2 * config.fast[-1] + len(EXPLICIT_NAMES) + len(HEARD)
        self.pooled = nn.Sequential(
            nn.Linear(pooled, config.hidden), nn.BatchNorm1d(config.hidden), nn.ReLU(inplace=True)
        )
        self.out = nn.Linear(config.hidden, config.dimensions)
        self.register_buffer("place", torch.linspace(-1, 1, BANDS)[:, None], persistent=False)

    place: Tensor

    def forward(self, features: Features, said: Tensor, stem: Tensor) -> Tensor:
        spectrum = (features.spectrum + 60) / 20
        place = self.place.expand(len(spectrum), 1, BANDS, spectrum.shape[-1])
        maps = self.spectral_in(
            torch.cat((spectrum, place.to(spectrum)), 1)
        )  # (batch, third, bands / 8, frames / 8)
        scale, shift = self.tell(stem)[..., None, None].chunk(2, 1)
        maps = self.spectral_out(maps * (1 + scale) + shift).flatten(
            1, 2
        )  # (batch, fourth · bands / 16, frames / 16)
        weight = self.attention(maps.transpose(1, 2)).softmax(1)  # (batch, frames, 4)
        heads = maps.unflatten(1, (4, -1)) * weight.transpose(1, 2).unsqueeze(2)
        fast = self.fast((features.envelope + 60) / 20)
        told = functional.one_hot(stem, len(HEARD)).to(said)
        pooled = (*_statistics(maps), heads.sum(-1).flatten(1), *_statistics(fast), said, told)
        embedding: Tensor = self.out(self.pooled(torch.cat(pooled, 1)))
        return embedding


def _statistics(maps: Tensor) -> tuple[Tensor, Tensor]:
    maps = maps.float()
    return maps.mean(-1), maps.var(-1, unbiased=False).add(1e-5).sqrt()


def _convolution2d(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


def _convolution1d(inside: int, outside: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inside, outside, kernel, 2, kernel // 2, bias=False),
        nn.BatchNorm1d(outside),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            _convolution2d(channels, channels, 1),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(maps + self.inner(maps))


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
