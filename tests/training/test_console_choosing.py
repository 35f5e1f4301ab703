"""What is chosen on held-out strips: the round that is kept, and how much of the network acts where."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from styletransfer.converter.network import STRIPS, ConsoleNetwork
from styletransfer.converter.parameters import knobs_of
from styletransfer.converters import console
from styletransfer.training.console.recipe import ConsoleRecipe
from styletransfer.training.console.run import _score
from styletransfer.training.console.validation import EFFECTS, SCALES, Judge, table_of

ROWS = 12
GOOD, BAD = ("drums", "tone"), ("bass", "compressor")


@pytest.fixture
def network() -> ConsoleNetwork:
    shipped = console.load().network
    shipped.scale.fill_(1)
    return shipped


class Hearing(Judge):
    """A judge to whom more of GOOD is closer, more of BAD further off, and all else chance."""

    def __init__(self) -> None:
        strips = torch.arange(len(STRIPS)).repeat_interleave(ROWS)
        object.__setattr__(self, "audible", SimpleNamespace(strip=strips, rows=len(strips)))

    def _heard(self, network: ConsoleNetwork, rows: Tensor | None = None) -> Tensor:
        assert rows is not None
        name = STRIPS[int(self.audible.strip[rows[0]])]
        shares = {
            effect: float(network.scale[STRIPS.index(name), _places(name, members)].mean())
            for effect, members in EFFECTS.items()
        }
        chance = torch.Generator().manual_seed(round(1000 * sum(shares.values())))
        far = 1 + 0.001 * torch.randn(len(rows), generator=chance)
        far = far - 0.1 * shares["tone"] * (name == GOOD[0]) + 0.1 * shares["compressor"] * (name == BAD[0])
        return torch.stack((far, far), 1)


def _places(name: str, members: tuple[str, ...]) -> list[int]:
    stages = [stage for stage, _, _ in knobs_of(table_of(name))]
    return [index for index, stage in enumerate(stages) if stage in members]


def test_what_is_surely_closer_acts_in_full_and_what_is_further_off_not_at_all(
    network: ConsoleNetwork,
) -> None:
    chosen = Hearing().choose_scales(network, resting=("master",))
    assert chosen[GOOD[0]][GOOD[1]] == 1
    assert chosen[BAD[0]][BAD[1]] == 0
    for (name, effect), share in ((GOOD, 1), (BAD, 0)):
        acting = network.scale[STRIPS.index(name), _places(name, EFFECTS[effect])]
        assert bool((acting == share).all())
    assert bool((network.scale[STRIPS.index("master")] == 0).all())
    assert {share for of_strip in chosen.values() for share in of_strip.values()} <= set(SCALES)


def test_a_master_that_will_not_act_has_no_say_in_which_round_is_kept() -> None:
    start = {"spectral": 0.10, "spectral_stems": 0.11}
    later = {"spectral": 0.09, "spectral_stems": 0.12}  # only the master came closer
    resting, acting = (
        ConsoleRecipe(rounds=0, listening_rounds=1, master_acts=acts) for acts in (False, True)
    )
    assert _score(resting, start) > _score(resting, later)
    assert _score(acting, start) < _score(acting, later)
