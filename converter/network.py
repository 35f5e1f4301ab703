"""The console converter: from the styles of both sides to what the closed-form match should have set.

It answers with bounded residuals on the console's positions (`parameters`), one strip at a time: it holds
back or goes on in the direction that the closed form took, and turns knobs of its own accord. Its last layer
starts at zero, so that an untrained network leaves the closed form as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .console import MASTER, STRIP, Stage
from .parameters import knobs_of, limits, position

STRIPS = ("drums", "bass", "other", "vocals", "master")
"""What a network can be told it sets, in the order of its strip numbers."""

_REACH: dict[str, float] = {
    "eq.gain_db": 6.0,
    "side_eq.gain_db": 6.0,
    "compressor.threshold_db": 15.0,
    "compressor.ratio": 1.6,
    "compressor.attack_ms": 1.6,
    "compressor.release_ms": 1.2,
    "compressor.makeup_db": 9.0,
    "saturation.drive_db": 15.0,
    "width.width": 0.8,
    "balance.balance": 0.3,
    "reverb.decay_s": 1.2,
    "reverb.damping": 0.5,
    "reverb.predelay_ms": 40.0,
    "reverb.wet": 0.6,
    "gain.gain_db": 8.0,
}
"""How far a knob may be moved of its own accord, in steps of its perceptual scale; what isn't listed stays
put."""


_FAR = 5.0


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """The shape of a console network.

    embedding  dimensions of the style embedding; explicit: number of explicit features.
    hidden     width of its layers.
    dropout    share of what it hears that is left out at random in training.
    """

    embedding: int = 256
    explicit: int = 73
    hidden: int = 128
    dropout: float = 0.4

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return asdict(self)


class ConsoleNetwork(nn.Module):
    """[reference, reference − input, explicit features of both, closed form, strip] → residuals.

    Source  parameter network: Steinmetz et al., ICASSP 2021; embedding: Koo et al., ICASSP 2023.
    """

    scale: Tensor

    def __init__(self, config: ConsoleConfig | None = None) -> None:
        super().__init__()
        self.config = config or ConsoleConfig()
        inside = 2 * (self.config.embedding + self.config.explicit) + _WIDTH + len(STRIPS)
        self.layers = nn.Sequential(
            nn.Dropout(self.config.dropout),
            nn.Linear(inside, self.config.hidden),
            nn.LayerNorm(self.config.hidden),
            nn.GELU(),
            nn.Dropout(self.config.dropout),
            nn.Linear(self.config.hidden, self.config.hidden),
            nn.LayerNorm(self.config.hidden),
            nn.GELU(),
        )
        self.out = nn.Linear(self.config.hidden, 2 * _WIDTH)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.register_buffer("scale", torch.ones(len(STRIPS), _WIDTH))

    def forward(self, heard: Heard, strip: Tensor) -> Tensor:
        """Residuals (batch, knobs) on the positions of each example's strip, shorter ones filled with 0.

        strip   (batch,) numbers of STRIPS.
        Each is at most what the closed form moved its knob by, to and fro, and the knob's reach.
        """
        size = math.sqrt(self.config.embedding) / 2  # unit norm to the size of the other features
        told = nn.functional.one_hot(strip, len(STRIPS)).to(heard.closed_form)
        inside = torch.cat(
            (
                heard.reference * size,
                (heard.reference - heard.input) * size,
                heard.explicit_reference.clamp(-_FAR, _FAR),
                (heard.explicit_reference - heard.explicit_input).clamp(-_FAR, _FAR),
                _standard(heard.closed_form, strip),
            ),
            1,
        )
        inside = torch.cat((self.layers[0](inside), told), 1)  # which strip it sets is never left out
        reach = _table(_REACHES, strip)
        further, own = torch.tanh(self.out(self.layers[1:](inside))).chunk(2, 1)
        taken = torch.where(reach > 0, heard.closed_form - _table(_RESTING, strip), 0)
        bounded: Tensor = (further * taken + own * reach) * self.scale[strip]
        return bounded


class Heard(NamedTuple):
    """What the network is told of a batch of strips.

    input, reference                    (batch, embedding), unit norm.
    explicit_input, explicit_reference  (batch, explicit), in deviations.
    closed_form                         (batch, knobs) positions that the closed form set, padded with 0.
    """

    input: Tensor
    reference: Tensor
    explicit_input: Tensor
    explicit_reference: Tensor
    closed_form: Tensor


def table_of(strip: str) -> dict[str, Stage]:
    """The console's table of one of STRIPS."""
    return MASTER if strip == "master" else STRIP


def by_table(strip: Tensor) -> Iterator[tuple[dict[str, Stage], Tensor]]:
    """The console's tables that some of (batch,) numbers of STRIPS are of, each with the rows of these."""
    master = strip == STRIPS.index("master")
    for table, here in ((STRIP, ~master), (MASTER, master)):
        if bool(here.any()):
            yield table, here.nonzero()[:, 0]


def reach_of(strip: dict[str, Stage]) -> Tensor:
    """(knobs,) how far each knob's position may be moved; 0 for knobs that stay put."""
    found = []
    for stage, name, _ in knobs_of(strip):
        kind = f"{stage}.gain_db" if name.endswith("_gain_db") else f"{stage}.{name}"
        found.append(_REACH.get(kind, 0.0))
    return torch.tensor(found)


def residual_reach(strip: dict[str, Stage]) -> Tensor:
    """(knobs,) the same of a network's residuals: they leave gains alone, which are measured."""
    rests = [stage == "gain" for stage, _, _ in knobs_of(strip)]
    return reach_of(strip).masked_fill(torch.tensor(rests), 0.0)


def padded(positions: Tensor) -> Tensor:
    """Positions (batch, knobs) of a strip, filled with 0 to the number of knobs of the longest strip."""
    return nn.functional.pad(positions, (0, _WIDTH - positions.shape[1]))


def _padded(vectors: list[Tensor]) -> Tensor:
    return nn.utils.rnn.pad_sequence(vectors, batch_first=True)


_TABLES = [table_of(strip) for strip in STRIPS]
_WIDTH = max(len(knobs_of(table)) for table in _TABLES)
_REACHES = _padded([residual_reach(table) for table in _TABLES])
_RESTING = _padded([torch.tensor([position(k, k.neutral) for _, _, k in knobs_of(t)]) for t in _TABLES])
_MIDDLES, _HALVES = (
    _padded(list(ends))
    for ends in zip(
        *(((low + high) / 2, (high - low) / 2) for low, high in map(limits, _TABLES)), strict=True
    )
)


def _table(rows: Tensor, strip: Tensor) -> Tensor:
    return rows.to(strip.device)[strip]


def _standard(closed_form: Tensor, strip: Tensor) -> Tensor:
    """Positions brought to ±1 over each knob's range."""
    return (closed_form - _table(_MIDDLES, strip)) / _table(_HALVES, strip).clamp(min=1e-6)
