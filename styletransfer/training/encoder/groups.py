"""One group of a shard: some contents under some styles, every one under each, and what is known of these.

Most groups are excerpts of one stem that went through chains. Some are songs whose stems went through a chain
each, were mixed, and taken apart again: what separation does to a style is heard nowhere else.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Generator, Tensor

from styletransfer.audio import STEMS, Audio
from styletransfer.chains import EFFECTS, GENTLE, VARIED, Chain, Recipe, draw
from styletransfer.chains.parameters import COLUMNS
from styletransfer.corpus.folder import RATE
from styletransfer.corpus.passages import levelled
from styletransfer.encoder import restyling
from styletransfer.encoder.description import describe
from styletransfer.encoder.frontend import Frontend
from styletransfer.separation import Separator, choose, separate

from .contents import contents_of
from .recipe import EncoderRecipe

Kind = Literal["songs", "wet", "separated"]

UNSCHEDULED = 0.6
"""Probability of an effect that no validation has judged."""

_RESTYLED = ("eq", "mid_side_eq", "width", "pan", "gain")
_CODEC = 0.1  # so often as an effect


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to render some groups: of one stem, or of all that are heard where separated."""

    corpus: Path
    recipe: EncoderRecipe
    stems: tuple[str, ...]
    groups: int
    seed: int
    chances: Mapping[str, float]
    kind: Kind


def render(order: Order, device: str = "cpu") -> dict[str, dict[str, Tensor]]:
    """Draw and render: stem → the fields of a batch but `stem` and `style`, each (groups, excerpts, …).

    A group's styles are its chains, then each of them restyled, once and again.
    """
    generator = Generator().manual_seed(order.seed)
    if order.kind == "separated":
        return _separated(generator, order, device)
    recipe, (stem,) = order.recipe, order.stems
    kept = device != "cpu"
    contents = contents_of(order.corpus, "train", recipe.excerpt_s, order.kind, recipe.varied, kept)
    if recipe.shortest < 1:
        spread = torch.rand(recipe.contents, generator=generator)
        shares = (recipe.shortest + (1 - recipe.shortest) * spread).tolist()
        sounds = contents.draw_cropped(generator, stem, order.groups, shares)
    else:
        sounds = [contents.draw(generator, stem, order.groups, recipe.contents)]
    chains = training_chains(generator, order.groups * recipe.chains, stem, recipe, order.chances)
    heard = [_through(chains, cuts.repeat_interleave(recipe.chains, 0).to(device)) for cuts in sounds]
    return {stem: _described(generator, recipe, heard, chains, order.groups)}


def training_chains(
    generator: Generator, count: int, stem: str, recipe: EncoderRecipe, chances: Mapping[str, float]
) -> Chain:
    """Chains as training draws them: from one effect to all, the badly learned ones more often."""
    parts = []
    for _ in range(count):
        likely = 0.15 + 0.85 * float(torch.rand((), generator=generator))
        gentle = float(torch.rand((), generator=generator)) < recipe.gentle_share
        base = replace(GENTLE if gentle else VARIED, foreign=recipe.foreign_share)
        wanted = {effect: chances.get(effect, UNSCHEDULED) for effect in EFFECTS}
        if recipe.by_stem:
            wanted = as_on(stem, wanted, base)
        scaled = {effect: likely * chance for effect, chance in wanted.items()}
        scaled["codec"] = likely * UNSCHEDULED * _CODEC
        parts.append(draw(generator, 1, stem, base, chances=scaled))
    return Chain.join(parts)


def as_on(stem: str, chances: Mapping[str, float], base: Recipe) -> dict[str, float]:
    """As many effects as these chances give, in the proportions that the ranges have on this stem."""
    weighted = {effect: chance * base.chance(effect, stem) for effect, chance in chances.items()}
    more = sum(chances.values()) / sum(weighted.values())
    return {effect: min(1.0, more * chance) for effect, chance in weighted.items()}


def _separated(generator: Generator, order: Order, device: str) -> dict[str, dict[str, Tensor]]:
    """One group for each stem: songs under as many styles as there are chains, each a chain per stem.

    The mix is described as well, as it was before it was taken apart; no chain can be asked of it. Every
    stem is as loud as where it would have been −23 LUFS before its chain.
    """
    recipe = order.recipe
    stems = [stem for stem in STEMS if stem in order.stems]
    contents = contents_of(order.corpus, "train", recipe.excerpt_s, "songs", recipe.varied, device != "cpu")
    songs = contents.draw_songs(generator, stems, recipe.contents)  # (contents, stems, 2, time)
    chains = {stem: training_chains(generator, recipe.chains, stem, recipe, order.chances) for stem in stems}
    mixes = torch.zeros(recipe.chains, *songs[:, 0].shape)
    factors = {}
    for stem, sounds in zip(stems, songs.unbind(1), strict=True):
        cuts, factors[stem] = _levelled(sounds)
        wet = _through(chains[stem], cuts.expand(recipe.chains, *cuts.shape).to(device)).cpu()
        mixes += wet / factors[stem][:, None, None]
    separator = _separator(device)
    apart = [separate(Audio(mix, RATE), separator) for mix in mixes.flatten(0, 1)]
    found = {}
    for stem in stems:
        cuts = torch.stack([parts[stem].samples for parts in apart]).unflatten(0, mixes.shape[:2])
        heard = (cuts * factors[stem][:, None, None]).to(device)
        found[stem] = _described(generator, recipe, [heard], chains[stem], 1)
    if "mix" in order.stems:
        _, factor = _levelled(songs.sum(1))
        heard = (mixes * factor[:, None, None]).to(device)
        parts = _described(generator, recipe, [heard], chains[stems[0]], 1)
        for told in ("active", "present", "known"):
            parts[told] = torch.zeros_like(parts[told])
        found["mix"] = parts
    return found


def _levelled(sounds: Tensor) -> tuple[Tensor, Tensor]:
    """Excerpts (n, 2, time) at −23 LUFS, and the factors (n,) that brought them there."""
    cuts, factors = zip(*map(levelled, sounds), strict=True)
    return torch.stack(cuts), torch.tensor(factors)


def _through(chains: Chain, sounds: Tensor) -> Tensor:
    """Every chain on its own contents, (chains, contents, 2, time)."""
    each = sounds.shape[1]
    wet: Tensor = chains.repeat(each).apply(sounds.flatten(0, 1), RATE).unflatten(0, (-1, each))
    return wet


def _described(
    generator: Generator, recipe: EncoderRecipe, heard: Sequence[Tensor], chains: Chain, groups: int
) -> dict[str, Tensor]:
    """What the network is given of excerpts, and what it may be asked, each (groups, styles · contents, …).

    heard  (chains, contents, 2, time) each; together they have all contents, maybe of several lengths.
    """
    shares, active = (value.repeat_interleave(recipe.contents, 0) for value in chains.parameters())
    present = chains.present().repeat_interleave(recipe.contents, 0)
    parts: dict[str, list[Tensor]] = {
        "described": [],
        "shares": [shares.half()] * (1 + recipe.restylings),
        "active": [active],
        "present": [present] * (1 + recipe.restylings),
        "known": [torch.ones_like(present)],
    }
    if recipe.preset == "paper":
        parts["described"].append(_flat([_repeated(cuts, recipe) for cuts in heard]))
    else:
        device = str(heard[0].device)
        features = [_frontend(device)(cuts.flatten(0, 1)) for cuts in heard]
        counts = [cuts.shape[1] for cuts in heard]
        parts["described"].append(_flat([describe(one).unflatten(0, (len(chains), -1)) for one in features]))
        for _ in range(recipe.restylings):
            change = restyling.draw(generator, len(chains), recipe.restyled)
            restyled = []
            for one, count in zip(features, counts, strict=True):
                some = change.select(torch.arange(len(chains)).repeat_interleave(count))
                some = restyling.Restyling(*(value.to(device) for value in some))
                restyled.append(describe(restyling.restyle(one, some)).unflatten(0, (len(chains), -1)))
            parts["described"].append(_flat(restyled))
            whole = change.select(torch.arange(len(chains)).repeat_interleave(recipe.contents))
            known, still = torch.ones_like(present), active.clone()
            for effect, changed in zip(_RESTYLED, _changed(whole), strict=True):
                known[:, EFFECTS.index(effect)] &= ~changed
                still[:, COLUMNS[effect]] &= ~changed[:, None]
            parts["active"].append(still)
            parts["known"].append(known)
    return {
        key: torch.stack(each).unflatten(1, (groups, -1)).transpose(0, 1).flatten(1, 2)
        for key, each in parts.items()
    }


def _flat(heard: Sequence[Tensor]) -> Tensor:
    """(chains, contents, …) each to (chains · all contents, …) in half precision, on the CPU."""
    return torch.cat(list(heard), 1).flatten(0, 1).half().cpu()


def _repeated(cuts: Tensor, recipe: EncoderRecipe) -> Tensor:
    """Excerpts (…, time) that begin again where they end before a whole excerpt would."""
    frames = round(recipe.excerpt_s * RATE)
    times = -(-frames // cuts.shape[-1])
    return cuts.repeat(*[1] * (cuts.ndim - 1), times)[..., :frames]


def _changed(change: restyling.Restyling) -> tuple[Tensor, ...]:
    """Which excerpts' effects of _RESTYLED can't be told any more, (excerpts,) bool each."""
    both, side = change.both_db.any(1), change.side_db.any(1)
    return both, both | side, side, change.channels_db.any(1), change.gain_db != 0


@functools.lru_cache(maxsize=2)
def _frontend(device: str) -> Frontend:
    return Frontend().to(device)


@functools.lru_cache(maxsize=2)
def _separator(device: str) -> Separator:
    return choose("builtin", device=device)
