"""What a page asks for, checked where it comes in: unknown keys and values out of range are refused."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from styletransfer.document import Strip, explained
from styletransfer.errors import ConfigError

Stem = Literal["drums", "bass", "other", "vocals"]
Kind = Literal["mix", "stems", "session", "result", "report"]
"""What can be downloaded."""

_Share = Annotated[float, Field(ge=0, le=1)]


class Wish(BaseModel):
    """Any of these."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Transfer(Wish):
    """A transfer of the input that was dropped. The library checks the rest.

    weights  by reference; `stems` tells which reference a stem follows instead.
    """

    weights: dict[str, _Share]
    stems: dict[Stem, str] = {}
    amount: float = 1.0
    stem_amounts: dict[str, float] = {}
    only: list[str] = []
    lock: list[str] = []
    lufs: str | float = "match-ref"

    def asked(self) -> dict[str, Any]:
        """As `pipeline.transfer` takes it."""
        return self.model_dump(exclude={"weights", "stems"})


class Kept(Wish):
    """A style in the library, by its number, as a reference."""

    number: int


class Turn(Wish):
    """Knobs of a strip: stage → knob → value. Without any, the strip goes back to what the transfer set."""

    strip: Strip
    settings: dict[str, dict[str, float]] = {}


class Between(Wish):
    """A place between the two references."""

    at: _Share


class Download(Wish):
    """One thing to take away."""

    kind: Kind


AnyWish = TypeVar("AnyWish", bound=Wish)


def read(kind: type[AnyWish], text: bytes) -> AnyWish:
    """A wish from JSON. ConfigError says what is wrong with it."""
    try:
        return kind.model_validate(json.loads(text))
    except ValidationError as error:
        raise ConfigError(explained(error)) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ConfigError("the request isn't JSON") from error
