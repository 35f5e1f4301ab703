"""How close do a network's settings come to the true ones on held-out pieces? Where is it better left out?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Generator, Tensor

from styletransfer.converter.network import STRIPS, ConsoleNetwork, residual_reach, table_of
from styletransfer.converter.parameters import knobs_of
from styletransfer.evaluation.statistics import paired
from styletransfer.refining.likeness import sounds_apart
from styletransfer.training.crew import Crew
from styletransfer.training.pictures import Shown
from styletransfer.training.seeding import seed_of
from styletransfer.training.spectral_loss import SIZES, spectral_losses

from . import lessons, listening
from .lessons import Lessons
from .loss import known_loss, missed_db
from .passages import CONDITIONS, Passage
from .recipe import ConsoleRecipe

SCALES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the residuals that are tried, per strip and effect."""

EFFECTS: dict[str, tuple[str, ...]] = {
    "tone": ("eq", "side_eq"),
    "image": ("width", "balance"),
    "compressor": ("compressor",),
    "saturation": ("saturation",),
    "reverb": ("reverb",),
}
"""Stages whose residuals stand or fall together: what one gives, another takes."""

_BATCH = 8


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Held-out lessons; some of them can be heard, `audible` being their rows."""

    rows: Lessons
    audible: Lessons
    sounds: listening.Sounds

    @torch.no_grad()
    def figures(self, network: ConsoleNetwork) -> dict[str, float]:
        """Losses on known settings, the curves' error in dB, and the spectral distance by ear: of all strips,
        of each kind that there is, and of stems without the master."""
        strips = self.rows.heard.closed_form + network(self.rows.heard, self.rows.strip)
        known = known_loss(strips, self.rows)
        missed = missed_db(strips, self.rows).abs() * self.rows.audible
        found = {name: float(value) for name, value in known.items()}
        found["curve_db"] = float(missed[:, 0].sum(-1).mean())
        heard, af = self._heard(network).unbind(1)
        for number, name in enumerate(STRIPS):
            if bool((self.audible.strip == number).any()):
                found[f"spectral_{name}"] = float(heard[self.audible.strip == number].mean())
        of_stems = heard[self.audible.strip != STRIPS.index("master")]
        return found | {
            "spectral": float(heard.mean()),
            "spectral_stems": float(of_stems.mean()),
            "af": float(af.mean()),
        }

    @torch.no_grad()
    def choose_scales(
        self,
        network: ConsoleNetwork,
        progress: Callable[[float], None] = lambda share: None,
        resting: Sequence[str] = (),
    ) -> dict[str, dict[str, float]]:
        """Set the network's scale per strip and effect to what sounds closest to the truth; the shares.

        One effect after the other, the rest as chosen so far. A larger share has to be closer by more than
        its difference's standard error. Nothing acts on strips that are `resting`.
        """
        chosen: dict[str, dict[str, float]] = {name: {} for name in STRIPS}
        for number, name in enumerate(STRIPS):
            if name in resting:
                network.scale[number] = 0
                continue
            stages = [stage for stage, _, _ in knobs_of(table_of(name))]
            of_strip = (self.audible.strip == number).nonzero()[:, 0]
            whole = self._missed(network, of_strip)
            for done, (effect, members) in enumerate(EFFECTS.items(), 1):
                places = [index for index, stage in enumerate(stages) if stage in members]
                progress((number + done / len(EFFECTS)) / len(STRIPS))
                if not places or not any(residual_reach(table_of(name))[places]):
                    continue
                tried = []
                for share in SCALES[:-1]:
                    network.scale[number, places] = share
                    tried.append(self._missed(network, of_strip))
                tried.append(whole)
                best = 0
                for index in range(1, len(SCALES)):
                    if _surely_smaller(tried[index], tried[best]):
                        best = index
                network.scale[number, places] = chosen[name][effect] = SCALES[best]
                whole = tried[best]
        return chosen

    def leads(
        self, network: ConsoleNetwork, baselines: Mapping[str, ConsoleNetwork]
    ) -> dict[str, dict[str, Any]]:
        """How the network stands against others by ear, per kind of strip.

        Kind → `strips`, how many; `distance`, the network's mean; `baselines`, name → its mean `distance`
        and the mean `difference` of the network's to it, below 0 where the network is closer, as an estimate
        whose interval draws strips again (passages recur, so it is somewhat narrow).
        """
        ours = self._heard(network)[:, 0].tolist()
        theirs = {name: self._heard(other)[:, 0].tolist() for name, other in baselines.items()}
        found = {}
        for kind, of_kind in self._kinds().items():
            rows = of_kind.nonzero()[:, 0].tolist()
            if not rows:
                continue
            mine = [ours[row] for row in rows]
            against = {}
            for name, all_of_it in theirs.items():
                its = [all_of_it[row] for row in rows]
                difference = paired(mine, its, Generator().manual_seed(0)).mean_difference
                against[name] = {"distance": fmean(its), "difference": difference.figures()}
            found[kind] = {"strips": len(rows), "distance": fmean(mine), "baselines": against}
        return found

    def _kinds(self) -> dict[str, Tensor]:
        """Kind of strip → which audible rows are of it."""
        of_stem = self.audible.strip != STRIPS.index("master")
        separated, mixed = (self.audible.place[:, column] != 0 for column in (3, 4))
        return {
            "stems": of_stem,
            "stems, true, from neutral": of_stem & ~separated & ~mixed,
            "stems, separated": of_stem & separated,
            "stems, mixed already": of_stem & mixed,
            "master": ~of_stem,
        }

    def _missed(self, network: ConsoleNetwork, rows: Tensor) -> Tensor:
        """(rows,) spectral distances of these audible rows."""
        return self._heard(network, rows)[:, 0]

    @torch.no_grad()
    def shown(self, network: ConsoleNetwork) -> list[Shown]:
        """The first audible example of each strip and condition: before, as it should be, as it became."""
        first: dict[tuple[str, str], int] = {}
        for row, (strip, place) in enumerate(
            zip(self.audible.strip.tolist(), self.audible.place.tolist(), strict=True)
        ):
            first.setdefault((STRIPS[strip], CONDITIONS[place[3]]), row)
        rows = torch.tensor(list(first.values()), dtype=torch.long)
        part, given, truth = self.audible.of(rows), self.sounds.given[rows], self.sounds.truth[rows]
        strips = part.heard.closed_form + network(part.heard, part.strip)
        made = listening.answered(given, strips, part.strip, truth)
        found = []
        for (stem, kind), before, wanted, after in zip(first, given, truth, made, strict=True):
            nothing, left = (sum(spectral_losses(x[None], wanted[None], SIZES)) for x in (before, after))
            said = f"{float(left) / max(float(nothing), 1e-9):.2f} of doing nothing"
            found.append(Shown(stem, kind, before, wanted, after, said))
        return found

    def _heard(self, network: ConsoleNetwork, rows: Tensor | None = None) -> Tensor:
        """(rows, 2) spectral and ln(1 + AF) distances to the truth of these audible rows; of all without."""
        every = torch.arange(self.audible.rows) if rows is None else rows
        found = []
        for some in every.split(_BATCH):
            part = self.audible.of(some)
            strips = part.heard.closed_form + network(part.heard, part.strip)
            made = listening.answered(self.sounds.given[some], strips, part.strip, self.sounds.truth[some])
            far = sounds_apart(made, self.sounds.truth[some]).log1p()
            found += [
                torch.stack((torch.stack(spectral_losses(one[None], truth[None], SIZES)).sum(), af))
                for one, truth, af in zip(made, self.sounds.truth[some], far, strict=True)
            ]
        return torch.stack(found) if found else torch.zeros(0, 2)


def _surely_smaller(one: Tensor, other: Tensor) -> bool:
    """Whether distances (rows,) are smaller than others of the same rows by more than chance has it."""
    gain = other - one
    return len(gain) > 1 and float(gain.mean()) > float(gain.std()) / math.sqrt(len(gain))


def prepare(
    folder: Path,
    passages: Sequence[Passage],
    recipe: ConsoleRecipe,
    crew: Crew,
    purpose: str,
    per_strip: int = 16,
) -> Judge:
    """A judge on held-out passages, the same for every run with this seed; another one for each purpose."""
    chance = Generator().manual_seed(seed_of(recipe.seed, purpose, "rows"))
    rows = lessons.kept(folder, passages, recipe, purpose, crew)
    chosen = []
    for number in range(len(STRIPS)):
        of_strip = (rows.strip == number).nonzero()[:, 0]
        chosen.append(of_strip[torch.randperm(len(of_strip), generator=chance)[:per_strip]])
    audible = rows.of(torch.cat(chosen))
    parts = [
        listening.sounds(audible.of(some), passages, recipe.listening_s, chance)
        for some in torch.arange(audible.rows).split(_BATCH)
    ]
    sounds = listening.Sounds(*(torch.cat([getattr(p, n) for p in parts]) for n in ("given", "truth")))
    return Judge(rows, audible, sounds)
