"""Rendered material: groups in which every content meets every style, as descriptions; batches of them.

Effects cost a hundred times what the network does, so what was rendered is met again, in other company.
A shard is drawn from its own seed: rendered again it is the same, so a run can go on after a kill.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Generator, Tensor

from styletransfer import weights
from styletransfer.chains import EFFECTS, GENTLE, VARIED, Chain, draw
from styletransfer.chains.parameters import COLUMNS
from styletransfer.corpus.folder import RATE
from styletransfer.encoder import restyling
from styletransfer.encoder.description import describe
from styletransfer.encoder.frontend import Features, Frontend
from styletransfer.encoder.network import stem_number
from styletransfer.errors import AudioError, CheckpointError, ConfigError
from styletransfer.training.crew import Crew
from styletransfer.training.seeding import seed_of

from .contents import contents_of
from .recipe import EncoderRecipe

_TOGETHER = 48  # excerpts rendered at a time, or a group: more don't fit a cache


class Batch(NamedTuple):
    """Excerpts in groups, on the device that trains: all contents under one style, then under the next.

    described  (excerpts, DESCRIPTION).
    stem       (excerpts,) numbers of stems.
    style      (excerpts,) a number per style; excerpts with the same one match.
    shares, active   (excerpts, parameters) what `Chain.parameters` says.
    present, known   (excerpts, effects) bool: which effects there are, and which of them can be told.
    """

    described: Tensor
    stem: Tensor
    style: Tensor
    shares: Tensor
    active: Tensor
    present: Tensor
    known: Tensor


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to render one chunk of a shard."""

    corpus: Path
    recipe: EncoderRecipe
    stem: str
    groups: int
    seed: int
    chances: Mapping[str, float]
    wet: bool


def render(order: Order, device: str = "cpu") -> dict[str, Tensor]:
    """Draw and render some groups: the fields of `Batch` but `stem` and `style`, each (groups, excerpts, …).

    A group's styles are its chains, then each of them restyled, once and again.
    """
    generator = Generator().manual_seed(order.seed)
    recipe, groups = order.recipe, order.groups
    pool = "wet" if order.wet else "songs"
    contents = contents_of(order.corpus, "train", recipe.excerpt_s, pool, recipe.varied)
    sounds = contents.draw(generator, order.stem, groups, recipe.contents)
    chains = training_chains(generator, groups * recipe.chains, order.stem, recipe, order.chances)
    samples = sounds.repeat_interleave(recipe.chains, 0).flatten(0, 1).to(device)
    chain = chains.repeat(recipe.contents)
    heard: Features = _frontend(device)(chain.apply(samples, RATE))
    shares, active = chain.parameters()
    present = chain.present()
    parts: dict[str, list[Tensor]] = {
        "described": [describe(heard).half().cpu()],
        "shares": [shares.half()] * (1 + recipe.restylings),
        "active": [active],
        "present": [present] * (1 + recipe.restylings),
        "known": [torch.ones_like(present)],
    }
    for _ in range(recipe.restylings):
        change = restyling.draw(generator, len(chains), recipe.restyled)
        change = change.select(torch.arange(len(chains)).repeat_interleave(recipe.contents))
        restyled = restyling.restyle(heard, restyling.Restyling(*(value.to(device) for value in change)))
        known, still = torch.ones_like(present), active.clone()
        for effect, changed in zip(_RESTYLED, _changed(change), strict=True):
            known[:, EFFECTS.index(effect)] &= ~changed
            still[:, COLUMNS[effect]] &= ~changed[:, None]
        parts["described"].append(describe(restyled).half().cpu())
        parts["active"].append(still)
        parts["known"].append(known)
    return {
        key: torch.stack(each).unflatten(1, (groups, -1)).transpose(0, 1).flatten(1, 2)
        for key, each in parts.items()
    }


def training_chains(
    generator: Generator, count: int, stem: str, recipe: EncoderRecipe, chances: Mapping[str, float]
) -> Chain:
    """Chains as training draws them: from one effect to all, the badly learned ones more often."""
    parts = []
    for _ in range(count):
        likely = 0.15 + 0.85 * float(torch.rand((), generator=generator))
        gentle = float(torch.rand((), generator=generator)) < recipe.gentle_share
        base = replace(GENTLE if gentle else VARIED, foreign=recipe.foreign_share)
        scaled = {stage: likely * chances.get(stage, 0.6) for stage in (*EFFECTS, "codec")}
        scaled["codec"] *= 0.1
        parts.append(draw(generator, 1, stem, base, chances=scaled))
    return Chain.join(parts)


class Shards:
    """The shards of one run, in a folder and in memory; rendered by the crew where they aren't there yet.

    stems  which stems, and `mix`, are heard.
    """

    def __init__(
        self,
        corpus: Path,
        recipe: EncoderRecipe,
        folder: Path,
        crew: Crew,
        stems: Sequence[str],
        *,
        device: str = "cpu",
    ) -> None:
        self._corpus, self._recipe, self._folder, self._device = corpus, recipe, folder, device
        self._crew = crew
        self._kept: dict[int, dict[str, dict[str, Tensor]]] = {}
        self._stems = stems
        self._wet = _wet_stems(corpus, recipe) if recipe.wet_share > 0 else ()
        folder.mkdir(parents=True, exist_ok=True)

    def prepare(
        self,
        number: int,
        chances: Mapping[str, float],
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Have shard `number` in memory, from the folder or rendered; forget those too old."""
        path = self._folder / f"shard-{number:04d}.safetensors"
        if not path.exists():
            self._render(path, number, chances, progress)
        self._load(path, number)
        for old in [other for other in self._kept if other <= number - self._recipe.keep_shards]:
            del self._kept[old]
            (self._folder / f"shard-{old:04d}.safetensors").unlink(missing_ok=True)

    def load_all(self) -> None:
        """Have every shard of the folder in memory. ConfigError where it has none."""
        for path in sorted(self._folder.glob("shard-*.safetensors")):
            self._load(path, int(path.stem.partition("-")[2]))
        if not self._kept:
            raise ConfigError(f"{self._folder} holds no shards; train with as many processes as its run did")

    def batch(self, generator: Generator, groups: int) -> Batch:
        """A batch of so many groups per stem."""
        numbers = sorted(self._kept)
        parts: dict[str, list[Tensor]] = {}
        for stem in self._stems:
            which = torch.randint(len(numbers), (groups,), generator=generator).tolist()
            for number in which:
                shard = self._kept[numbers[number]][stem]
                group = int(torch.randint(len(shard["present"]), (), generator=generator))
                for key, value in shard.items():
                    parts.setdefault(key, []).append(value[group])
        count = len(self._stems) * groups
        styles = (1 + self._recipe.restylings) * self._recipe.chains
        numbers_of_stems = torch.tensor([stem_number(stem) for stem in self._stems])
        heard = numbers_of_stems.repeat_interleave(groups * styles * self._recipe.contents)
        style = torch.arange(count * styles).repeat_interleave(self._recipe.contents)
        found = {key: torch.cat(value) for key, value in parts.items()}
        return Batch(
            found["described"].float(),
            heard,
            style,
            found["shares"].float(),
            found["active"],
            found["present"],
            found["known"],
        )

    def every(self) -> Iterator[tuple[int, Tensor]]:
        """Stem number → the descriptions of all excerpts of the first shard in memory."""
        first = self._kept[min(self._kept)]
        for stem in self._stems:
            yield stem_number(stem), first[stem]["described"].float().flatten(0, 1)

    def _load(self, path: Path, number: int) -> None:
        try:
            flat = safetensors.torch.load_file(path)
        except (OSError, safetensors.SafetensorError) as error:
            raise CheckpointError(f"{path} is damaged; remove it, and it is rendered again") from error
        kept = {
            stem: {key.partition(".")[2]: value for key, value in flat.items() if key.startswith(f"{stem}.")}
            for stem in self._stems
        }
        if missing := [stem for stem, parts in kept.items() if not parts]:
            raise ConfigError(f"{path} has no {missing[0]}; take material of the same corpus")
        self._kept[number] = kept

    def _render(
        self, path: Path, number: int, chances: Mapping[str, float], progress: Callable[[float], None]
    ) -> None:
        orders = list(self._orders(number, chances))
        pieces: dict[str, list[dict[str, Tensor]]] = {stem: [] for stem in self._stems}
        for done, (order, rendered) in enumerate(zip(orders, self._rendered(orders), strict=True), 1):
            pieces[order.stem].append(rendered)
            progress(done / len(orders))
        flat = {
            f"{stem}.{key}": torch.cat([part[key] for part in parts])
            for stem, parts in pieces.items()
            for key in parts[0]
        }
        weights.write(path, flat)

    def _orders(self, number: int, chances: Mapping[str, float]) -> Iterator[Order]:
        for stem in self._stems:
            left, chunk = self._recipe.groups_per_shard, 0
            while left > 0:
                groups = min(left, max(1, _TOGETHER // (self._recipe.contents * self._recipe.chains)))
                seed = seed_of(self._recipe.seed, number, stem, chunk)
                wet = stem in self._wet and (seed >> 8) % 1000 < 1000 * self._recipe.wet_share
                yield Order(self._corpus, self._recipe, stem, groups, seed, chances, wet)
                left, chunk = left - groups, chunk + 1

    def _rendered(self, orders: Sequence[Order]) -> Iterator[dict[str, Tensor]]:
        yield from self._crew.map(functools.partial(render, device=self._device), orders)


def check_material(folder: Path, recipe: EncoderRecipe) -> None:
    """ConfigError where a folder holds no run's shards, or those of a recipe that describes others."""
    try:
        theirs = EncoderRecipe(**json.loads((folder / "recipe.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} is no run of `automix train encoder`") from error
    for field in _MATERIAL:
        if getattr(theirs, field) != getattr(recipe, field):
            raise ConfigError(
                f"the shards in {folder} were made with {field} = {getattr(theirs, field)}, "
                f"not {getattr(recipe, field)}"
            )
    if not any(folder.glob("shards-*/shard-*.safetensors")):
        raise ConfigError(f"{folder} holds no shards")


_MATERIAL = ("half", "excerpt_s", "contents", "chains", "restylings", "varied", "validation_styles")
_RESTYLED = ("eq", "mid_side_eq", "width", "pan", "gain")


def _changed(change: restyling.Restyling) -> tuple[Tensor, ...]:
    """Which excerpts' effects of _RESTYLED can't be told any more, (excerpts,) bool each."""
    both, side = change.both_db.any(1), change.side_db.any(1)
    return both, both | side, side, change.channels_db.any(1), change.gain_db != 0


def _wet_stems(corpus: Path, recipe: EncoderRecipe) -> tuple[str, ...]:
    """The stems that finished music has pieces enough of. Its mix is no stem of ours: it was mastered."""
    try:
        wet = contents_of(corpus, "train", recipe.excerpt_s, "wet", recipe.varied)
    except AudioError:  # none, or too little
        return ()
    return tuple(stem for stem in wet.with_pieces(recipe.contents) if stem != "mix")


@functools.lru_cache(maxsize=2)
def _frontend(device: str) -> Frontend:
    return Frontend().to(device)
