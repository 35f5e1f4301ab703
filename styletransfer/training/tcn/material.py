"""What a network learns from: pairs of passages under the same settings, as examples in shards on disk.

Each of a pair is the other's reference. Rendering costs more than training, so what was rendered is met
again; a shard is drawn from its own seed, and rendered again it is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Generator, Tensor

from styletransfer import encoders, weights
from styletransfer.audio import STEMS, Audio
from styletransfer.converters import tcn
from styletransfer.corpus.folder import RATE
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import CheckpointError
from styletransfer.separation import Separator, choose
from styletransfer.style import Style, part_styles
from styletransfer.tasks import Neutral, apply_settings, draw_pairs, draw_settings
from styletransfer.tasks.separating import taken_apart
from styletransfer.tasks.task import shared
from styletransfer.training.crew import Crew
from styletransfer.training.seeding import seed_of

from .recipe import TCNRecipe

_STEPS = 32767
_TENSORS = ("given", "given.step", "truth", "truth.step", "condition", "factor", "stem")


class Batch(NamedTuple):
    """Excerpts before and as they should be, (batch, 2, time), as loud as networks hear them; and conditions.

    condition   (batch, dimensions).
    """

    given: Tensor
    truth: Tensor
    condition: Tensor


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to render one pair.

    separated   stems are taken from their mixes by the separator that users get.
    other       the inputs went through settings of their own, and aren't neutral.
    dimensions  of the condition.
    kept_s      length of the excerpt that is kept; styles are of the whole passages.
    """

    first: Neutral
    second: Neutral
    seed: int
    separated: bool
    other: bool
    encoder: str
    dimensions: int
    kept_s: float


@torch.no_grad()
def render(order: Order) -> dict[str, Tensor]:
    """The examples of a pair, one per stem that both have and direction; samples as 16-bit integers.

    `given`, `truth` (examples, 2, time), their `….step` (examples,), `condition` (examples, dimensions),
    `factor` (examples,) by which networks hear both louder, and `stem` (examples,), its place in STEMS.
    """
    generator = Generator().manual_seed(order.seed)
    names = shared(order.first, order.second)
    settings = {name: draw_settings(generator, name) for name in names}
    encoder = _encoder(order.encoder)
    given: list[Mapping[str, Tensor]] = []
    truth: list[Mapping[str, Tensor]] = []
    ours: list[dict[str, Style]] = []
    theirs: list[dict[str, Style]] = []
    for passage in (order.first, order.second):
        stems = {name: samples for name, samples in passage.stems().items() if name in names}
        wet = apply_settings(stems, settings)
        if order.other:
            stems = apply_settings(stems, {name: draw_settings(generator, name) for name in names})
        heard = wet
        if order.separated:
            stems, heard = (_taken_apart(sounds) for sounds in (stems, wet))
        given.append(stems)
        truth.append(wet)
        for sounds, found in ((stems, ours), (heard, theirs)):
            found.append(part_styles({name: Audio(sounds[name], RATE) for name in names}, encoder))
    frames = round(order.kept_s * RATE)
    room = given[0][names[0]].shape[1] - frames
    starts = (torch.rand(2, generator=generator) * max(0, room)).long().tolist()
    rows: dict[str, list[Tensor]] = {key: [] for key in _TENSORS}
    for name in names:
        for index in range(2):
            before, after = ours[index][name], theirs[1 - index][name]
            level_db = after.loudness_lufs - before.loudness_lufs
            rows["stem"].append(torch.tensor(STEMS.index(name)))
            rows["factor"].append(torch.tensor(10 ** (tcn.heard_db(before) / 20)))
            rows["condition"].append(tcn.condition(name, before, after, level_db, order.dimensions).half())
            for key, side in (("given", given[index]), ("truth", truth[index])):
                samples = side[name][:, starts[index] : starts[index] + frames]
                step = samples.abs().amax().clamp(min=1e-6) / _STEPS
                rows[key].append((samples / step).round().to(torch.int16))
                rows[f"{key}.step"].append(step)
    return {key: torch.stack(values) for key, values in rows.items()}


class Shards:
    """The shards of one run in a folder, mapped into memory; rendered by the crew where they aren't there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[dict[str, Tensor]] = []
        self._places: list[tuple[int, int]] = []

    def prepare(
        self, number: int, orders: Sequence[Order], crew: Crew, progress: Callable[[float], None]
    ) -> None:
        """Have one more shard, of these orders. CheckpointError where its file is damaged."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"shard-{number:04d}.safetensors"
        if not path.exists():
            parts = []
            for done, part in enumerate(crew.map(render, orders), 1):
                parts.append(part)
                progress(done / len(orders))
            weights.write(path, {key: torch.cat([part[key] for part in parts]) for key in _TENSORS})
        try:
            tensors = safetensors.torch.load_file(path)
            count = len(tensors["given"])
        except (OSError, KeyError, safetensors.SafetensorError) as error:
            raise CheckpointError(f"{path} is damaged; remove it, and it is rendered again") from error
        self._places += [(len(self._files), row) for row in range(count)]
        self._files.append(tensors)

    def __len__(self) -> int:
        return len(self._places)

    def batch(self, generator: Generator, count: int, frames: int) -> Batch:
        """So many random excerpts of so many samples, of random examples."""
        rows = []
        for place in torch.randint(len(self), (count,), generator=generator).tolist():
            rows.append(self.example(place, generator, frames))
        return Batch(*(torch.stack(part) for part in zip(*rows, strict=True)))

    def example(self, place: int, generator: Generator, frames: int) -> Batch:
        """An excerpt of one example, not yet in a batch."""
        number, row = self._places[place]
        tensors = self._files[number]
        room = tensors["given"].shape[-1] - frames
        start = int(torch.randint(room + 1, (), generator=generator)) if room > 0 else 0
        given, truth = (
            tensors[key][row, :, start : start + frames].float()
            * (tensors[f"{key}.step"][row] * tensors["factor"][row])
            for key in ("given", "truth")
        )
        return Batch(given, truth, tensors["condition"][row].float())

    def factor(self, place: int) -> float:
        """By how much networks hear an example louder than it is."""
        number, row = self._places[place]
        return float(self._files[number]["factor"][row])

    def stem(self, place: int) -> str:
        """Which stem an example is."""
        number, row = self._places[place]
        return STEMS[int(self._files[number]["stem"][row])]


def orders(
    neutrals: Sequence[Neutral],
    recipe: TCNRecipe,
    seed: int,
    count: int,
    encoder: str,
    dimensions: int,
    kept_s: float,
) -> list[Order]:
    """A shard's pairs, and whether they are separated and neutral."""
    generator = Generator().manual_seed(seed)
    pairs = draw_pairs(neutrals, count, generator)
    chances = torch.tensor([recipe.separated_share, recipe.other_share])
    drawn = (torch.rand(count, 2, generator=generator) < chances).tolist()
    return [
        Order(first, second, seed_of(seed, index), separated, other, encoder, dimensions, kept_s)
        for index, ((first, second), (separated, other)) in enumerate(zip(pairs, drawn, strict=True))
    ]


def _taken_apart(stems: Mapping[str, Tensor]) -> dict[str, Tensor]:
    mix = torch.stack(list(stems.values())).sum(0)
    return taken_apart(mix, _separator())[0]


@functools.lru_cache(maxsize=1)
def _separator() -> Separator:
    return choose("builtin")


@functools.lru_cache(maxsize=1)
def _encoder(name: str) -> LoadedEncoder:
    return encoders.load(name)
