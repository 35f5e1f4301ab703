"""How good is the network by now? Held-out pairs, with true and separated stems, against doing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from styletransfer.converter.tcn import RATE, TCN
from styletransfer.evaluation.transfer.spectral import Truth
from styletransfer.tasks import Neutral
from styletransfer.training.crew import Crew
from styletransfer.training.seeding import seed_of

from .material import Shards, orders
from .recipe import TCNRecipe

_SEED = 40_000
_EXCERPT_S = 5.0
KINDS = ("true", "separated")
AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What `choose_amounts` chooses from."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An excerpt of one stem, and how far it is from the truth when nothing is done.

    kind      `true` or `separated` stems.
    given, truth   (2, time); condition (dimensions,).
    factor    by which the network hears both louder.
    """

    kind: str
    stem: str
    given: Tensor
    truth: Tensor
    condition: Tensor
    factor: float
    nothing: float


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """An example and what a network made of it, (2, time), with its distance from the truth."""

    example: Example
    made: Tensor
    distance: float


class Validation:
    """Examples of held-out passages, rendered once per run's folder."""

    def __init__(
        self,
        neutrals: list[Neutral],
        recipe: TCNRecipe,
        folder: Path,
        crew: Crew,
        encoder: str,
        dimensions: int,
    ) -> None:
        self._examples: list[Example] = []
        for kind in KINDS:
            plain = recipe.model_copy(
                update={"separated_share": float(kind == "separated"), "other_share": 0.0}
            )
            count = recipe.validation_pairs
            wanted = orders(neutrals, plain, _SEED, count, encoder, dimensions, _EXCERPT_S)
            shards = Shards(folder / f"validation-{kind}")
            shards.prepare(0, wanted, crew, lambda share: None)
            for place in range(len(shards)):
                generator = Generator().manual_seed(seed_of(_SEED, place))
                heard = shards.example(place, generator, round(_EXCERPT_S * RATE))
                factor = shards.factor(place)
                given, truth = heard.given / factor, heard.truth / factor
                nothing = _distance(Truth(truth), given)
                self._examples.append(
                    Example(kind, shards.stem(place), given, truth, heard.condition, factor, nothing)
                )

    def judge(self, network: TCN, device: str) -> list[Judged]:
        """What a network, in evaluation mode, makes of every example."""
        found = []
        with torch.inference_mode():
            for example in self._examples:
                heard = (example.given * example.factor)[None].to(device)
                made = network(heard, example.condition[None].to(device))[0].cpu() / example.factor
                found.append(Judged(example, made, _distance(Truth(example.truth), made)))
        return found


def ratios(judged: list[Judged]) -> dict[str, float]:
    """Kind and stem → mean distance over that of doing nothing; per kind over all; `worse/…`, shares."""
    found: dict[str, float] = {}
    for kind in KINDS:
        of_kind = [one for one in judged if one.example.kind == kind]
        for stem in dict.fromkeys(one.example.stem for one in of_kind):
            found[f"{kind}/{stem}"] = _ratio([one for one in of_kind if one.example.stem == stem])
        found[kind] = _ratio(of_kind)
        worse = sum(one.distance > one.example.nothing for one in of_kind)
        found[f"worse/{kind}"] = worse / max(1, len(of_kind))
    return found


def choose_amounts(judged: list[Judged]) -> dict[str, float]:
    """Stem → the share of AMOUNTS of what the network changes that is closest to the truth, both kinds alike.

    0 says that the network failed there.
    """
    found = {}
    for stem in dict.fromkeys(one.example.stem for one in judged):
        ratios = []
        for amount in AMOUNTS:
            shared = [_at(one, amount) for one in judged if one.example.stem == stem]
            kinds = [[one for one in shared if one.example.kind == kind] for kind in KINDS]
            ratios.append(sum(_ratio(of_kind) for of_kind in kinds if of_kind))
        found[stem] = AMOUNTS[ratios.index(min(ratios))]
    return found


def _at(judged: Judged, amount: float) -> Judged:
    if amount == 1:
        return judged
    example = judged.example
    if amount == 0:
        return Judged(example, example.given, example.nothing)
    made = torch.lerp(example.given, judged.made, amount)
    return Judged(example, made, _distance(Truth(example.truth), made))


def _ratio(judged: list[Judged]) -> float:
    nothing = sum(one.example.nothing for one in judged)
    return sum(one.distance for one in judged) / nothing if nothing else 1.0


def _distance(truth: Truth, samples: Tensor) -> float:
    found = truth.distance(samples)
    return found.left_right + found.mid_side
