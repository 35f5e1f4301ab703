"""What is played to the systems: every condition of the plan, rendered and heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from styletransfer.chains import Chain
from styletransfer.corpus.folder import RATE, CorpusSong
from styletransfer.normalization import normalize
from styletransfer.separation import choose

from . import bank, foreign, named, separated, styles
from .excerpts import Dry, gather, stems_of
from .intervals import Floats, Ints
from .plan import Plan
from .retrieval import assign, prepared
from .split import refuse_seen
from .systems import System

Progress = Callable[[str, float], None]

_NEUTRAL = -1  # in place of a number of pieces: all of the grid, effect-normalized


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Excerpts as all systems hear them.

    styles, pieces  (n,) of each excerpt.
    vectors         system → (n, D).
    names           of the pieces that numbers stand for.
    """

    styles: Ints
    pieces: Ints
    vectors: dict[str, Floats]
    names: tuple[str, ...]


class Listening:
    """Renders conditions on held-out songs and lets every system hear them.

    CheckpointError as soon as a system would hear a piece that it was trained on.
    """

    def __init__(
        self,
        plan: Plan,
        songs: Sequence[CorpusSong],
        systems: Sequence[System],
        embeddings: bank.Embeddings,
        seed: int,
        progress: Progress,
    ) -> None:
        refuse_seen(systems, (song.piece for song in songs))
        self.plan, self.systems, self.seed = plan, systems, seed
        self._songs, self._embeddings, self._progress = songs, embeddings, progress
        self.workers = embeddings.workers
        self._dry: dict[tuple[str, int], Dry] = {}

    def dry(self, kind: str, most: int) -> Dry:
        """Passages of up to `most` pieces, gathered once."""
        if (kind, most) not in self._dry:
            self._dry.clear()  # one at a time in memory
            self._dry[kind, most] = gather(self._songs, kind, most, self.plan.takes, self.seed)
        return self._dry[kind, most]

    def _neutral(self, kind: str) -> Dry:
        dry = self.dry(kind, self.plan.grid_pieces)
        if (kind, _NEUTRAL) not in self._dry:
            self._dry[kind, _NEUTRAL] = dry.changed(lambda cut: normalize(cut[None], RATE, kind)[0])
        return self._dry[kind, _NEUTRAL]

    def own(self, kind: str, count: int) -> Heard:
        """The frozen styles of `count` effects, each on a few pieces."""
        dry = self.dry(kind, self.plan.pieces)
        return self._slots(
            f"{kind}, {count} effects", bank.through_chains(dry, self._frozen(count)), dry, count
        )

    def per_stem(self, count: int) -> Heard:
        """Mixes whose stems went each through a chain of its own."""
        mixes, stems, chains = self._chain_per_stem(count)
        renderer = bank.through_chains_per_stem(mixes, stems, chains)
        return self._slots(f"mix, {count} effects per stem", renderer, mixes, slots=2)

    def stems_apart(self, count: int) -> Heard:
        """The same stems through the same chains, heard one by one, their embeddings side by side.

        So does a style that knows the stems. One that is silent in a passage says nothing there.
        """
        mixes, stems, chains = self._chain_per_stem(count)
        jobs = self._jobs(mixes, slots=2)
        beside: dict[str, list[Floats]] = {system.name: [] for system in self.systems}
        for stem, chain in zip(stems, chains, strict=True):
            there = (stem.samples.abs().amax((2, 3)).numpy() > 0)[jobs[:, 1], jobs[:, 2]]
            if not there.any():
                continue
            label = f"{stem.stem} apart, {count} effects per stem"
            heard = self._hear(label, bank.through_chains(stem, chain), jobs[there], stem)
            for system in self.systems:
                vectors = prepared(heard.vectors[system.name], system.scaled)
                if system.scaled:
                    vectors -= vectors.mean(0)  # so that what isn't there is as usual
                all_of_it = np.zeros((len(jobs), vectors.shape[1]))
                all_of_it[there] = vectors
                beside[system.name].append(all_of_it)
        vectors_of = {name: np.concatenate(parts, 1) for name, parts in beside.items()}
        return Heard(jobs[:, 0], jobs[:, 1], vectors_of, mixes.pieces)

    def _chain_per_stem(self, count: int) -> tuple[Dry, list[Dry], list[Chain]]:
        """Mixes, their stems, and four different chains each: the frozen list, begun at four places."""
        mixes = self.dry("mix", self.plan.pieces)
        chains = self._frozen(count)
        turned = [chains.select(np.roll(np.arange(len(chains)), 50 * number).tolist()) for number in range(4)]
        return mixes, stems_of(mixes), turned

    def foreign(self, kind: str, count: int) -> Heard:
        """Styles made of sox's effects."""
        dry = self.dry(kind, self.plan.pieces)
        renderer = foreign.through_sox(dry, foreign.chains(self.plan.styles, count, styles.SEED))
        return self._slots(f"{kind}, {count} foreign effects", renderer, dry, slots=2)

    def separated(self, kind: str) -> Heard:
        """The frozen styles on a stem that is then mixed and separated."""
        dry, count = self.dry(kind, self.plan.pieces), self.plan.separated_count
        renderer = separated.through_separation(dry, self._frozen(count), choose("builtin"))
        return self._slots(f"{kind}, separated", renderer, dry, slots=2)

    def grid(self, kind: str, name: str) -> Heard:
        """Ten frozen chains by name, each on one passage of every piece."""
        dry = self.dry(kind, self.plan.grid_pieces)
        chains = styles.frozen()[name]
        jobs = bank.on_grid(len(chains), len(dry.pieces), 1, self.seed)
        return self._hear(f"{kind}, {name}", bank.through_chains(dry, chains), jobs, dry)

    def alone(self, kind: str, effect: str, excerpts: int, normalized: bool) -> tuple[Heard, Chain]:
        """One effect alone, every excerpt with settings of its own, and these settings.

        normalized   the passages go through effect normalization before.
        """
        dry = self._neutral(kind) if normalized else self.dry(kind, self.plan.grid_pieces)
        chains = styles.alone(effect, excerpts, self.seed + 1)
        where = np.arange(excerpts) % len(dry.pieces)
        label = f"{kind}, {effect} alone{', normalized' if normalized else ''}"
        jobs = bank.on_slots(where[:, None], self.plan.takes, self.seed)
        return self._hear(label, bank.through_chains(dry, chains), jobs, dry), chains

    def named(self, kind: str) -> Heard:
        """The five named styles, several excerpts of each on every piece; styles count through names."""
        dry = self.dry(kind, self.plan.grid_pieces)
        each = -(-self.plan.named // (len(dry.pieces) // 2)) * len(dry.pieces)
        pieces = np.tile(np.arange(each) % len(dry.pieces), len(named.NAMES))[:, None]
        renderer = bank.through_chains(dry, named.chains(each, self.seed))
        heard = self._hear(
            f"{kind}, named styles", renderer, bank.on_slots(pieces, self.plan.takes, self.seed), dry
        )
        return Heard(heard.styles // each, heard.pieces, heard.vectors, heard.names)

    def _frozen(self, count: int) -> Chain:
        return styles.frozen()[str(count)].select(range(self.plan.styles))

    def _slots(
        self,
        label: str,
        renderer: bank.Renderer,
        dry: Dry,
        count: int | None = None,
        slots: int | None = None,
    ) -> Heard:
        return self._hear(label, renderer, self._jobs(dry, slots or self.plan.slots[count or 0]), dry)

    def _jobs(self, dry: Dry, slots: int) -> Ints:
        """Every style on `slots` pieces, or on all where there are fewer."""
        pieces = assign(self.plan.styles, min(slots, len(dry.pieces)), len(dry.pieces), self.seed)
        return bank.on_slots(pieces, self.plan.takes, self.seed)

    def _hear(self, label: str, renderer: bank.Renderer, jobs: Ints, dry: Dry) -> Heard:
        self._progress(label, 0.0)
        vectors = self._embeddings.hear(
            renderer, jobs, self.systems, lambda fraction: self._progress(label, fraction)
        )
        return Heard(jobs[:, 0], jobs[:, 1], vectors, dry.pieces)
