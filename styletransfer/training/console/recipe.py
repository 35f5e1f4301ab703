"""What a training of the console network is asked to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from styletransfer.training import toml_file

EXCERPT_S = 3.0
"""So long an excerpt of each passage is kept, to be heard."""
_PACKAGE = "styletransfer.training.console"


class ConsoleRecipe(BaseModel):
    """How a console network is trained: first on settings that are known, then through the console by ear.

    passages          neutral passages of training songs, one per piece; validation has a fifth as many.
    wet_passages      more for training, of finished music that was separated, where the corpus has any.
    takes             random settings that each passage goes through; each take serves as a reference.
    foreign_share     share of the takes' stages that another make than the console's renders, set alike.
    inputs            passages that are paired with each take, of other pieces.
    separated_share   share of the pairs whose both sides passed through the separator.
    mixed_share       share of the pairs whose input isn't neutral, but went through a take of its own.
    rounds            of `steps_per_round` steps of `batch` strips on known settings.
    listening_rounds  of `listening_steps` steps of `listening_batch` strips through the console, on
                      `listening_s` seconds each.
    curve_weight      of the error of the equalizers' curves as ears weigh bands, `bins_weight` as spectra do,
                      `knob_weight` of the other knobs', in their reach, `prior_weight` of how far settings
                      are from usual ones.
    known_share       weight of the losses on known settings while listening; `af_weight` of the AF distance,
                      ln(1 + AF).
    scaled            whether the share of the residuals that acts is chosen at the end, per strip and
                      effect; a stage that another one starts from can leave it.
    master_acts       whether that is chosen for the master, too, or nothing of its residuals acts.
    minutes           stop before a round that, if as long as the last, would pass this; 0 for no limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["console"] = "console"
    seed: int = 0
    passages: int = Field(400, ge=4)
    wet_passages: int = Field(0, ge=0)
    takes: int = Field(3, ge=1)
    foreign_share: float = Field(0.4, ge=0, le=1)
    inputs: int = Field(3, ge=1)
    separated_share: float = Field(0.5, ge=0, le=1)
    mixed_share: float = Field(0.4, ge=0, le=1)
    rounds: int = Field(20, ge=0)
    steps_per_round: int = Field(200, ge=1)
    batch: int = Field(256, ge=2)
    listening_rounds: int = Field(4, ge=0)
    listening_steps: int = Field(50, ge=1)
    listening_batch: int = Field(8, ge=1)
    listening_s: float = Field(EXCERPT_S, ge=1, le=EXCERPT_S)
    learning_rate: float = Field(1e-3, gt=0)
    listening_rate: float = Field(1e-4, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warm_up_steps: int = Field(100, ge=0)
    curve_weight: float = Field(0.5, ge=0)
    bins_weight: float = Field(3.0, ge=0)
    knob_weight: float = Field(0.5, ge=0)
    prior_weight: float = Field(0.01, ge=0)
    known_share: float = Field(0.1, ge=0)
    af_weight: float = Field(0.3, ge=0)
    scaled: bool = True
    master_acts: bool = True
    minutes: float = Field(0, ge=0)


def read(name: str | Path) -> ConsoleRecipe:
    """The recipe of that name that ships, or one from a `.toml` file; ConfigError where it won't do."""
    return toml_file.read(ConsoleRecipe, name, _PACKAGE)
