"""What the training of a direct transformation network is asked to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from styletransfer.converter.tcn import TCNConfig
from styletransfer.converters.tcn import condition_size
from styletransfer.training import toml_file

PACKAGE = "styletransfer.training.tcn"


class TCNRecipe(BaseModel):
    """How a direct transformation network is trained: render some pairs, take steps on all of them, judge.

    preset           of the network; `paper` is Koo et al.'s, for a GPU.
    channels, blocks, kernel, bands, hidden, dropout   see `TCNConfig`; `small` only.
    passages         neutral passages to draw from, one per piece of music.
    rounds           each renders `pairs` pairs of passages, and takes `steps_per_round` steps.
    batch, excerpt_s excerpts per step, and their length.
    scales           FFT sizes that the loss looks at in each step, drawn from four.
    tone_weight      of the distance of long-term spectra, in bands of four signals.
    separated_share  share of the pairs whose stems were taken from their mixes by the separator.
    other_share      share of the pairs whose inputs went through settings of their own, and aren't neutral.
    averaging        what of the averaged weights is kept from step to step; the average is judged and kept.
    validation_pairs held-out pairs, each judged with true and with separated stems.
    minutes          stop before a round that, if as long as the last, would pass this; 0 for no limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["tcn"] = "tcn"
    preset: Literal["small", "paper"] = "small"
    channels: int = Field(96, ge=1)
    blocks: int = Field(6, ge=1, le=10)
    kernel: int = Field(3, ge=3)
    bands: int = Field(48, ge=4)
    hidden: int = Field(128, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    seed: int = 0
    passages: int = Field(160, ge=2)
    rounds: int = Field(8, ge=1)
    pairs: int = Field(40, ge=1)
    steps_per_round: int = Field(150, ge=1)
    batch: int = Field(8, ge=1)
    excerpt_s: float = Field(4.0, ge=1, le=10)
    scales: int = Field(1, ge=1, le=4)
    tone_weight: float = Field(0.05, ge=0)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up_steps: int = Field(50, ge=0)
    averaging: float = Field(0.99, ge=0, lt=1)
    separated_share: float = Field(0.5, ge=0, le=1)
    other_share: float = Field(0.3, ge=0, le=1)
    validation_pairs: int = Field(8, ge=1)
    minutes: float = Field(0, ge=0)

    def config(self, learned: int) -> TCNConfig:
        """The network that this recipe trains, for an encoder of so many dimensions."""
        if self.preset == "paper":
            return TCNConfig.paper()
        return TCNConfig(
            condition=condition_size(learned),
            channels=self.channels,
            blocks=self.blocks,
            kernel=self.kernel,
            bands=self.bands,
            hidden=self.hidden,
            dropout=self.dropout,
        )


def read(name: str | Path) -> TCNRecipe:
    """The recipe of that name that ships, or one from a `.toml` file; ConfigError where it won't do."""
    return toml_file.read(TCNRecipe, name, PACKAGE)


def shipped() -> list[str]:
    """The names of the recipes that come with the program."""
    return toml_file.shipped(PACKAGE)
