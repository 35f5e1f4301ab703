"""Rendered material: groups in which every content meets every style, kept on disk; batches of them.

Effects cost a hundred times what the network does, so what was rendered is met again, in other company.
A shard is drawn from its own seed: rendered again it is the same, so a run can go on after a kill.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Generator, Tensor

from styletransfer import weights
from styletransfer.encoder.network import stem_number
from styletransfer.errors import AudioError, CheckpointError, ConfigError
from styletransfer.files import beside
from styletransfer.training.crew import Crew
from styletransfer.training.seeding import seed_of

from .contents import contents_of
from .groups import Order, render
from .recipe import EncoderRecipe

_TOGETHER = 48  # excerpts rendered at a time, or a group: more don't fit a cache


class Batch(NamedTuple):
    """Excerpts in groups, on the device that trains: all contents under one style, then under the next.

    heard      (excerpts, DESCRIPTION), or samples (excerpts, 2, time): what the network is given.
    stem       (excerpts,) numbers of stems.
    style      (excerpts,) a number per style; excerpts with the same one match.
    shares, active   (excerpts, parameters) what `Chain.parameters` says.
    present, known   (excerpts, effects) bool: which effects there are, and which of them can be told.
    """

    heard: Tensor
    stem: Tensor
    style: Tensor
    shares: Tensor
    active: Tensor
    present: Tensor
    known: Tensor


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
        stem_numbers = numbers_of_stems.repeat_interleave(groups * styles * self._recipe.contents)
        style = torch.arange(count * styles).repeat_interleave(self._recipe.contents)
        found = {key: torch.cat(value) for key, value in parts.items()}
        return Batch(
            found["described"].float(),
            stem_numbers,
            style,
            found["shares"].float(),
            found["active"],
            found["present"],
            found["known"],
        )

    def every(self) -> Iterator[tuple[int, Tensor]]:
        """Stem number → what the network is given of all excerpts of the first shard in memory."""
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
        kept: dict[str, list[dict[str, Tensor]]] = {stem: [] for stem in self._stems}
        work = functools.partial(render, device=self._device)
        for done, rendered in enumerate(self._crew.map(work, orders), 1):
            for stem, parts in rendered.items():
                kept[stem].append(parts)
            progress(done / len(orders))
        flat = {
            f"{stem}.{key}": torch.cat([part[key] for part in parts])
            for stem, parts in kept.items()
            for key in parts[0]
        }
        weights.write(path, flat)

    def _orders(self, number: int, chances: Mapping[str, float]) -> Iterator[Order]:
        recipe = self._recipe
        separated = round(recipe.separated_share * recipe.groups_per_shard)
        for chunk in range(separated):
            seed = seed_of(recipe.seed, number, "separated", chunk)
            yield Order(self._corpus, recipe, tuple(self._stems), 1, seed, chances, "separated")
        for stem in self._stems:
            left, chunk = recipe.groups_per_shard - separated, 0
            while left > 0:
                count = min(left, max(1, _TOGETHER // (recipe.contents * recipe.chains)))
                seed = seed_of(recipe.seed, number, stem, chunk)
                wet = stem in self._wet and (seed >> 8) % 1000 < 1000 * recipe.wet_share
                yield Order(self._corpus, recipe, (stem,), count, seed, chances, "wet" if wet else "songs")
                left, chunk = left - count, chunk + 1


def check_material(folder: Path, recipe: EncoderRecipe) -> dict[str, Any]:
    """Which run made a folder's shards, for the header of weights: its name, and where its recipe differs.

    ConfigError where there are no shards, or those of a recipe that describes others.
    """
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
    ours = recipe.model_dump()
    return {
        "run": folder.resolve().name,
        **{field: value for field, value in theirs.model_dump().items() if value != ours[field]},
    }


def note_pieces(folder: Path, ours: Iterable[str], *, rendering: bool) -> list[str]:
    """Marks of all pieces that a folder's shards were rendered from, kept there as `pieces.json`.

    ours  those that this corpus has for training. Where nothing is rendered, ConfigError if the shards are of
          others: a piece that is held out of this corpus may be among them.
    """
    path = folder / "pieces.json"
    kept = set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()
    whole = kept | set(ours)
    if not rendering and kept and whole != set(ours):
        raise ConfigError(
            f"the shards in {folder} were rendered from pieces that this corpus hasn't for training; give "
            "the corpus that they came from"
        )
    if rendering and whole != kept:
        with beside(path) as partial:
            partial.write_text(json.dumps(sorted(whole)), encoding="utf-8")
    return sorted(whole)


_MATERIAL = ("preset", "half", "excerpt_s", "contents", "chains", "restylings", "varied", "validation_styles")


def _wet_stems(corpus: Path, recipe: EncoderRecipe) -> tuple[str, ...]:
    """The stems that finished music has pieces enough of. Its mix is no stem of ours: it was mastered."""
    try:
        wet = contents_of(corpus, "train", recipe.excerpt_s, "wet", recipe.varied)
    except AudioError:  # none, or too little
        return ()
    return tuple(stem for stem in wet.with_pieces(recipe.contents) if stem != "mix")
