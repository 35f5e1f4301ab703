"""Random chains: which effects, in which order, with which settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Generator, Tensor

from .chain import Chain, empty
from .effects import IMPLEMENTATIONS
from .parameters import COLUMNS, EFFECTS, PARAMETERS, STAGES, from_share
from .ranges import Recipe

ORDER = (
    ("eq", "mid_side_eq", "compressor", "expander"),
    ("pan", "width"),
    ("saturation",),
    ("reverb",),
    ("limiter",),
    ("gain",),
    ("codec",),
)
"""The groups of a chain in order; engineers vary the order within a group, and so do we."""

_AROUND = {"eq": "_gain_db", "mid_side_eq": "_gain_db", "gain": "gain_db", "pan": "position"}


def draw(
    generator: Generator,
    batch: int,
    stem: str | Sequence[str],
    recipe: Recipe,
    *,
    chances: Mapping[str, float] | None = None,
) -> Chain:
    """Draw a chain for each example, with at least one effect in each.

    generator  on the CPU; the same state draws the same chains.
    stem       "drums", "bass", "other", "vocals" or "mix": one for all, or one per example.
    chances    stage → probability, in place of the recipe's (for probability scheduling).
    """
    stems = [stem] * batch if isinstance(stem, str) else list(stem)
    if len(stems) != batch:
        raise ValueError(f"stem must be one name or {batch} of them, not {len(stems)}")
    wanted = torch.tensor(
        [[(chances or {}).get(stage, recipe.chance(stage, each)) for stage in STAGES] for each in stems]
    )
    present = torch.rand(batch, len(STAGES), generator=generator) < wanted
    # a chain without any effect gets the one that lay nearest, so that no two are alike by being empty
    likely = torch.rand(batch, len(EFFECTS), generator=generator) * wanted[:, : len(EFFECTS)]
    bare = ~present[:, : len(EFFECTS)].any(1)
    present[bare, likely[bare].argmax(1)] = True
    return _settle(generator, present, stems, recipe)


def draw_only(
    generator: Generator,
    batch: int,
    effects: Sequence[str],
    recipe: Recipe,
    stem: str | Sequence[str] = "mix",
) -> Chain:
    """Draw chains of just these effects, as validation of each effect by itself needs them."""
    return draw(generator, batch, stem, recipe, chances={stage: float(stage in effects) for stage in STAGES})


def draw_exactly(
    generator: Generator, batch: int, k: int, recipe: Recipe, stem: str | Sequence[str] = "mix"
) -> Chain:
    """Draw chains of exactly `k` distinct effects out of the ten, all equally likely; no codec."""
    if not 1 <= k <= len(EFFECTS):
        raise ValueError(f"k must be 1 to {len(EFFECTS)}, not {k}")
    stems = [stem] * batch if isinstance(stem, str) else list(stem)
    chosen = torch.rand(batch, len(EFFECTS), generator=generator).argsort(1)[:, :k]
    present = torch.zeros(batch, len(STAGES), dtype=torch.bool).scatter_(1, chosen, True)
    return _settle(generator, present, stems, recipe)


def _settle(generator: Generator, present: Tensor, stems: Sequence[str], recipe: Recipe) -> Chain:
    """Order and set what is present. Everything is drawn for all, so that a draw shifts no other."""
    batch = len(present)
    chain = empty(batch)
    low, high = recipe.strength
    strength = low + (high - low) * torch.rand(batch, generator=generator)
    shuffle = torch.rand(batch, len(STAGES), generator=generator)
    foreign = torch.rand(batch, len(STAGES), 2, generator=generator, dtype=torch.float64)
    chain.seeds.copy_(torch.randint(0, 2**31 - 1, (batch, len(STAGES)), generator=generator))
    drums = torch.tensor([stem == "drums" for stem in stems], dtype=torch.bool)
    for group, names in enumerate(ORDER):
        for name in names:
            position = STAGES.index(name)
            chain.places[:, position] = group + shuffle[:, position]
            here = present[:, position] & bool(IMPLEMENTATIONS[name])
            others = len(IMPLEMENTATIONS[name]) - 1
            other = 1 + (foreign[:, position, 1] * max(others, 1)).long()
            ours = (foreign[:, position, 0] >= recipe.foreign) | (others < 1)
            kind = torch.where(ours, 0, other) if name != "codec" else other - 1
            chain.implementations[:, position] = torch.where(here, kind, -1)
    for name in STAGES:
        for column, (knob, limits) in enumerate(PARAMETERS[name].items(), COLUMNS[name].start):
            bottom, top = recipe.ranges[name][knob]
            share = torch.rand(batch, generator=generator)
            if name in _AROUND and knob.endswith(_AROUND[name]):
                neutral = 0.5 if name == "pan" else -bottom / (top - bottom)
                share = neutral + strength * (share - neutral)
            drawn = (
                from_share(share, bottom, top, limits.scale)
                if top > bottom
                else torch.full_like(share, bottom)
            )
            if knob == "low_cut_hz":
                drawn = torch.where(drums, from_share(share, *recipe.drums_low_cut_hz, limits.scale), drawn)
            chain.values[:, column] = torch.where(
                chain.implementations[:, STAGES.index(name)] >= 0, drawn, 0.0
            )
    return chain
