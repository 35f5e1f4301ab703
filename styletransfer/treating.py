"""Stems behind a network that has no knobs: what it made of them, and how it was asked, to do it again.

A network works once, on whole stems. How much of its change is heard is decided afterwards, as often as
anyone likes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from torch import Tensor

from styletransfer import scratch
from styletransfer.audio import Audio


def _numbers(text: str) -> str:
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), "<f4")
    except (binascii.Error, ValueError) as error:
        raise ValueError("a condition is float32 numbers in base64, as a transfer wrote them") from error
    if not len(found) or not np.isfinite(found).all():
        raise ValueError("a condition has numbers, all of them finite")
    return text


class Treatment(BaseModel):
    """What a network was told of one stem, before its strip.

    amount     share of the network's change that is heard, 0 to 1.
    gain_db    by which the network hears the stem louder; taken back from what it makes.
    condition  what steers it, both sides' styles among it: little-endian float32 numbers in base64.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    amount: float = Field(ge=0, le=1)
    gain_db: float = Field(ge=-60, le=60)
    condition: Annotated[str, AfterValidator(_numbers)]

    @classmethod
    def of(cls, condition: Tensor, gain_db: float, amount: float) -> Treatment:
        """From a condition (dimensions,)."""
        numbers = condition.detach().cpu().float().numpy().astype("<f4")
        return cls(amount=amount, gain_db=gain_db, condition=base64.b64encode(numbers.tobytes()).decode())

    @property
    def vector(self) -> Tensor:
        """The condition (dimensions,), to the bit."""
        return torch.from_numpy(
            np.frombuffer(base64.b64decode(self.condition), "<f4").astype(np.float32, copy=True)
        )

    def scaled(self, share: float) -> Treatment:
        """The same, with so much of its amount."""
        return self.model_copy(update={"amount": share * self.amount})

    @property
    def words(self) -> str:
        """On a line, for people."""
        return f"a network's rendering, {100 * self.amount:.0f} % of its change"


@dataclass(frozen=True, slots=True, eq=False)
class Treated:
    """A stem as a network made it: all of the change, as long as the stem and at its rate, in stereo."""

    whole: Audio
    told: Treatment

    def scaled(self, share: float) -> Treated:
        """The same sound, of which less is heard."""
        return Treated(self.whole, self.told.scaled(share))

    def excerpt(self, start_s: float, end_s: float) -> Treated:
        """A passage, clipped to the sound."""
        return Treated(self.whole.excerpt(start_s, end_s), self.told)

    def blocks(self, stem: Audio, frames: int) -> Iterator[Tensor]:
        """What is heard instead of a stem (stereo), in blocks (2, ≤ frames)."""
        for before, after in zip(stem.blocks(frames), self.whole.blocks(frames), strict=True):
            yield torch.lerp(before, after, self.told.amount)
            scratch.release(self.whole.samples)


TreatedStems = dict[str, Treated]
"""Those stems that went through a network."""


def scaled(treated: TreatedStems, amounts: dict[str, float]) -> TreatedStems:
    """Treated stems at an amount each; those of which nothing is heard are left out."""
    heard = {name: one.scaled(amounts[name]) for name, one in treated.items()}
    return {name: one for name, one in heard.items() if one.told.amount}
