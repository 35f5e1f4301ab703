"""What a splitter's training is asked to do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from styletransfer.separation.splitters import Architecture, SplitterConfig
from styletransfer.training import toml_file

_PACKAGE = "styletransfer.training.separator"


class SeparatorRecipe(BaseModel):
    """How a splitter of the accompaniment is trained: rounds of steps, each followed by a validation.

    architecture, bins, width   see `SplitterConfig`.
    frames           spectra per excerpt, a multiple of 64; 256 are 5.9 s.
    batch            excerpts per step.
    warm_share       of the learning rate, for what came from Spleeter's network or from --from.
    frozen_rounds    rounds in which only what is new is trained, not what came from Spleeter.
    frozen_norm      leave the batch norms' statistics as they came.
    averaging        what of the averaged weights is kept from step to step; the average is what is judged.
    l1_weight        of the errors' mean magnitude, beside the SDR's 1.
    remix_share      share of excerpts whose stems come from different songs.
    voice_share      share of excerpts that have passed a voice stage that errs.
    effect_share     chance of a compressor, reverb, saturation or limiter, per stem.
    overdrive_share  chance that `other` is overdriven as guitars are; a third of it for the bass.
    minutes          stop before a round that, if as long as the last, would pass this; 0 for no limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: Architecture = "unet"
    bins: int = Field(1024, ge=64, le=2048, multiple_of=64)
    width: int = Field(8, ge=1)
    seed: int = 0
    rounds: int = Field(20, ge=1)
    steps_per_round: int = Field(100, ge=1)
    batch: int = Field(4, ge=1)
    frames: int = Field(256, ge=64, multiple_of=64)
    frozen_rounds: int = Field(0, ge=0)
    frozen_norm: bool = False
    averaging: float = Field(0.99, ge=0, lt=1)
    learning_rate: float = Field(5e-3, gt=0)
    warm_share: float = Field(0.1, ge=0, le=1)
    weight_decay: float = Field(1e-4, ge=0)
    warm_up_steps: int = Field(50, ge=0)
    l1_weight: float = Field(0.0, ge=0)
    remix_share: float = Field(0.6, ge=0, le=1)
    voice_share: float = Field(0.5, ge=0, le=1)
    effect_share: float = Field(0.25, ge=0, le=1)
    overdrive_share: float = Field(0.25, ge=0, le=1)
    validation_excerpts: int = Field(60, ge=2)
    minutes: float = Field(0, ge=0)

    @property
    def config(self) -> SplitterConfig:
        """The network that this recipe trains."""
        return SplitterConfig(self.architecture, self.bins, self.width)


def read(name: str | Path) -> SeparatorRecipe:
    """The recipe of that name that ships, or one from a `.toml` file; ConfigError where it won't do."""
    return toml_file.read(SeparatorRecipe, name, _PACKAGE)


def shipped() -> list[str]:
    """The names of the recipes that come with the program."""
    return toml_file.shipped(_PACKAGE)
