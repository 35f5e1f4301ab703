"""How good is the encoder by now? Styles on pieces that training never hears, rendered once per corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Generator, Tensor
from torch.nn import functional

from styletransfer import weights
from styletransfer.chains import EFFECTS, PUBLISHED, STAGES, draw, draw_exactly
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.description import describe
from styletransfer.encoder.frontend import Frontend
from styletransfer.encoder.loss import nt_xent
from styletransfer.encoder.network import FXEncoder, stem_number
from styletransfer.training.crew import Crew
from styletransfer.training.seeding import seed_of

from .contents import contents_of
from .recipe import EncoderRecipe

_EFFECTS_PER_STYLE = 4
_CHUNK = 4
_TOGETHER = 100
_SEED = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Rendered styles, each on two pieces (rows 2i and 2i + 1), by name: a stem, or `effect/NAME/STEM`.

    heard  what the network is given of them; `stem` which stem they are of.
    """

    heard: dict[str, Tensor]
    stem: dict[str, str]

    @torch.no_grad()
    def retrieval(self, network: FXEncoder, device: str) -> dict[str, float]:
        """Stem → share of styles whose other excerpt is the nearest among all styles'."""
        found = {}
        for stem in [name for name, heard in self.stem.items() if name == heard]:
            unit = functional.normalize(self._heard(network, stem, device), dim=-1)
            hits = (unit[0::2] @ unit[1::2].T).argmax(-1) == torch.arange(len(unit) // 2, device=unit.device)
            found[stem] = float(hits.float().mean())
        return found

    @torch.no_grad()
    def loss_by_effect(self, network: FXEncoder, temperature: float, device: str) -> dict[str, float]:
        """Effect → NT-Xent over styles of that effect alone, each stem's among its own: how badly it is
        learned."""
        losses = {}
        for effect in EFFECTS:
            names = [name for name in self.stem if name.startswith(f"effect/{effect}/")]
            heard = [self._heard(network, name, device) for name in names]
            numbers = [
                torch.full((len(part),), stem_number(self.stem[n]))
                for n, part in zip(names, heard, strict=True)
            ]
            together, stem = torch.cat(heard), torch.cat(numbers)
            style = torch.arange(len(together) // 2).repeat_interleave(2)
            losses[effect] = float(nt_xent(together, style.to(device), stem.to(device), temperature))
        return losses

    def _heard(self, network: FXEncoder, name: str, device: str) -> Tensor:
        parts = []
        for part in self.heard[name].split(_TOGETHER):
            stem = torch.full((len(part),), stem_number(self.stem[name]), device=device)
            parts.append(network.hear(part.float().to(device), stem).float())
        return torch.cat(parts)


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to render some styles of one set: of one effect, or of several."""

    corpus: Path
    name: str
    stem: str
    effect: str | None
    styles: int
    duration_s: float
    preset: str
    seed: int


def prepare(
    corpus: Path, recipe: EncoderRecipe, folder: Path, crew: Crew, stems: Sequence[str]
) -> Validation:
    """The validation set of a corpus, rendered by the crew, or from the folder of an earlier run.

    `recipe.validation_styles` of 4 effects per stem on excerpts twice as long as training's; two fifths as
    many of each effect alone, over all stems (two of each stem at least), on training's length.
    """
    styles = recipe.validation_styles
    sets: list[tuple[str, str, str | None, int]] = [(stem, stem, None, styles) for stem in stems]
    single = max(2, 2 * styles // 5 // len(stems))
    for effect in EFFECTS:
        sets += [(f"effect/{effect}/{stem}", stem, effect, single) for stem in stems]
    path = folder / f"validation-{styles}-by-stem.safetensors"
    if not path.exists():
        orders = [
            Order(
                corpus,
                name,
                stem,
                effect,
                min(_CHUNK, count - first),
                recipe.excerpt_s * (2 if effect is None else 1),
                recipe.preset,
                seed_of(_SEED, name, first),
            )
            for name, stem, effect, count in sets
            for first in range(0, count, _CHUNK)
        ]
        parts: dict[str, list[Tensor]] = {}
        for order, heard in zip(orders, crew.map(render, orders), strict=True):
            parts.setdefault(order.name, []).append(heard)
        weights.write(path, {name: torch.cat(found) for name, found in parts.items()})
    return Validation(safetensors.torch.load_file(path), {name: stem for name, stem, *_ in sets})


def render(order: Order) -> Tensor:
    """Draw and render the styles of one order, each on two pieces: what the network is given of them."""
    generator = Generator().manual_seed(order.seed)
    contents = contents_of(order.corpus, "validation", order.duration_s, "songs")
    sounds = contents.draw(generator, order.stem, order.styles, 2)
    if order.effect is None:
        chains = draw_exactly(generator, order.styles, _EFFECTS_PER_STYLE, PUBLISHED, order.stem)
    else:
        chances = {stage: float(stage == order.effect) for stage in STAGES}
        chains = draw(generator, order.styles, order.stem, PUBLISHED, chances=chances)
    heard = chains.repeat(2).apply(sounds.flatten(0, 1), RATE)
    return heard.half() if order.preset == "paper" else describe(Frontend()(heard))
