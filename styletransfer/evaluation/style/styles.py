"""Which styles is an encoder judged on? The same for everyone: chains drawn once and frozen in `styles.json`.

    python -m styletransfer.evaluation.style.styles > styles.json

On our console alone, in the published ranges; not the training's schedule:

- for each number of effects k, `COUNT` chains of exactly k distinct effects out of ten;
- "full", ten chains of all ten effects;
- "single EFFECT", ten chains of that effect alone.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch

from styletransfer.chains import PUBLISHED, Chain, draw_exactly
from styletransfer.chains.parameters import EFFECTS, PARAMETERS
from styletransfer.errors import ConfigError

LIST = Path(__file__).with_name("styles.json")

EFFECT_COUNTS = (1, 2, 4, 8)
COUNT = 200
GRID = 10
"""Chains of the grids on which disentanglement is measured."""

FULL = "full"
SINGLE = tuple(f"single {effect}" for effect in ("eq", "compressor", "pan", "width", "reverb", "gain"))
"""One effect varied: those of Koo et al."""

SEED = 20_261_121


@cache
def frozen() -> dict[str, Chain]:
    """Name ("1", "2", "4", "8", FULL, those in SINGLE) → its chains.

    ConfigError where the list doesn't fit this version's effects.
    """
    try:
        kept = json.loads(LIST.read_text(encoding="utf-8"))
        names = kept["parameters"]
        if any(names[effect] != list(PARAMETERS[effect]) for effect in names):
            raise ValueError("other parameters")
        return {
            name: Chain.from_json([_unpacked(chain, names) for chain in chains])
            for name, chains in kept["styles"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{LIST.name} holds no styles that this version can apply; install it again"
        ) from error


def alone(effect: str, count: int, seed: int) -> Chain:
    """So many chains of one effect alone, in the published ranges."""
    generator = torch.Generator().manual_seed(seed)
    drawn: list[Chain] = []
    while sum(map(len, drawn)) < count:
        some = draw_exactly(generator, 10 * count, 1, PUBLISHED)
        drawn.append(some.select(some.present()[:, EFFECTS.index(effect)].nonzero()[:, 0]))
    return Chain.join(drawn).select(range(count))


def freeze(seed: int = SEED) -> str:
    """The text of `styles.json` with chains drawn anew; equal seeds, equal text."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {str(count): draw_exactly(generator, COUNT, count, PUBLISHED) for count in EFFECT_COUNTS}
    drawn[FULL] = draw_exactly(generator, GRID, len(EFFECTS), PUBLISHED)
    drawn |= {name: alone(name.split()[1], GRID, seed + number) for number, name in enumerate(SINGLE)}
    header = {
        "format": 1,
        "seed": seed,
        "recipe": PUBLISHED.name,
        "parameters": {effect: list(PARAMETERS[effect]) for effect in EFFECTS},
    }
    lists = []
    for name, chains in drawn.items():
        rows = ",\n".join(json.dumps(_packed(chain), separators=(",", ":")) for chain in chains.to_json())
        lists.append(f'"{name}": [\n{rows}\n]')
    return f'{json.dumps(header)[:-1]},\n"styles": {{\n' + ",\n".join(lists) + "\n}}\n"


def _packed(chain: list[dict[str, Any]]) -> list[list[Any]]:
    """Per stage: effect, implementation, seed, values to five digits."""
    return [
        [
            stage["effect"],
            stage["implementation"],
            stage["seed"],
            [float(f"{value:.5g}") for value in stage["parameters"].values()],
        ]
        for stage in chain
    ]


def _unpacked(chain: list[list[Any]], names: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [
        {
            "effect": effect,
            "implementation": implementation,
            "seed": seed,
            "parameters": dict(zip(names[effect], values, strict=True)),
        }
        for effect, implementation, seed, values in chain
    ]


if __name__ == "__main__":
    sys.stdout.write(freeze())
