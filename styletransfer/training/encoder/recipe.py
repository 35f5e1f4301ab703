"""What a training run is asked to do: a recipe, from a TOML file or one of those that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from styletransfer.training import toml_file

_PACKAGE = "styletransfer.training.encoder"

Objective = Literal["contrastive", "regression", "both", "presence"]


class EncoderRecipe(BaseModel):
    """How an FXencoder is trained, in rounds: render a shard of excerpts, then take steps on all shards.

    objective        what the loss holds: NT-Xent, regression of the chain's parameters, both; `presence` is
                     the multi-label effect classifier ('MEE') that the paper compares with.
    preset           `small` reads descriptions; `paper` is the network of Koo et al. on samples, for a GPU:
                     its shards hold sound, some 0.9 MB per excerpt, and nothing can be restyled.
    excerpt_s        length of an excerpt.
    shortest         contents are cropped to a random share of it, from this to 1, before their chains.
    rounds           shards to render; `groups_per_shard` groups of `contents` × `chains` per stem in each.
    keep_shards      so many of the last shards serve; older ones are forgotten.
    averaging        how much of the average of weights, which is judged and kept, stays at each step.
    steps_per_round  batches of `groups` groups per stem.
    wet_share        share of the groups with finished music's separated stems, where the corpus has them.
    separated_share  share of the groups whose stems went through a chain each, were mixed and separated by
                     `builtin`: slow, 48 s of processor time for all stems and the mix (otherwise 12).
    foreign_share    share of the effects that another implementation than the console's renders.
    gentle_share     share of the chains in gentle ranges.
    by_stem          whether effects are as likely on a stem as the ranges have it (a reverb on the bass is
                     rare) instead of all alike; there are as many of them.
    half             only half of the training pieces, by a hash of their names.
    ear              what the network hears of a description: `spectra` leaves out fast envelopes and marks.
    varied           whether contents are made unlike themselves before their chains.
    restylings       styles that are made of each rendered chain by changing its features.
    restyled         probability of each of the four changes in them: equalizer, side, pan, gain. Their
                     parameters are then not asked for.
    schedule_every   rounds between two updates of the effects' probabilities; 0 leaves them alone.
    minutes          stop before a round that, if as long as the last, would pass this; 0 for no limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    objective: Objective = "both"
    preset: Literal["small", "paper"] = "small"
    seed: int = 0
    excerpt_s: float = Field(5.0, ge=1, le=30)
    shortest: float = Field(1.0, ge=0.3, le=1)
    rounds: int = Field(40, ge=1)
    groups_per_shard: int = Field(12, ge=1)
    contents: int = Field(6, ge=2)
    chains: int = Field(6, ge=2)
    keep_shards: int = Field(1000, ge=1)
    steps_per_round: int = Field(200, ge=1)
    groups: int = Field(2, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up_steps: int = Field(100, ge=0)
    averaging: float = Field(0.995, ge=0, lt=1)
    temperature: float = Field(0.1, gt=0)
    regression_weight: float = Field(1.0, ge=0)
    presence_weight: float = Field(0.3, ge=0)
    wet_share: float = Field(0.2, ge=0, le=1)
    separated_share: float = Field(0.0, ge=0, le=1)
    foreign_share: float = Field(0.4, ge=0, le=1)
    gentle_share: float = Field(0.25, ge=0, le=1)
    by_stem: bool = False
    half: bool = False
    ear: Literal["whole", "spectra"] = "whole"
    varied: bool = True
    restylings: int = Field(2, ge=0, validate_default=True)
    restyled: float = Field(0.5, ge=0, le=1)
    schedule_every: int = Field(2, ge=0)
    validation_styles: int = Field(60, ge=5)
    minutes: float = Field(0, ge=0)

    @field_validator("restylings")
    @classmethod
    def _only_features_are_restyled(cls, restylings: int, info: ValidationInfo) -> int:
        if restylings and info.data.get("preset") == "paper":
            raise ValueError("the preset paper hears samples, which can't be restyled; set it to 0")
        return restylings


def read(name: str | Path) -> EncoderRecipe:
    """The recipe of that name that ships, or one from a `.toml` file; ConfigError where it won't do."""
    return toml_file.read(EncoderRecipe, name, _PACKAGE)


def shipped() -> list[str]:
    """The names of the recipes that come with the program."""
    return toml_file.shipped(_PACKAGE)
