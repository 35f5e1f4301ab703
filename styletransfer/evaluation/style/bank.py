"""Excerpts under styles, as every system hears them: rendered once, heard by all, and only embeddings kept.

A *job* is one excerpt to make: (style, piece, take). Embeddings, and the descriptions that networks read,
are kept on disk under the sound's content and the system's fingerprint, so a run that was stopped goes on
where it was, and a new encoder is judged in a minute.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from styletransfer.chains import Chain
from styletransfer.corpus.folder import RATE
from styletransfer.evaluation.code import code_fingerprint

from .excerpts import Dry
from .intervals import Floats, Ints
from .systems import System

_AT_A_TIME = 12  # excerpts rendered together: more don't fit a cache
_KEPT_TOGETHER = 48  # excerpts per kept file


@dataclass(frozen=True, slots=True, eq=False)
class Renderer:
    """How jobs become sound: `render` makes (n, 2, time) of jobs (n, 3); `key` names all that it holds."""

    stem: str
    key: str
    render: Callable[[Ints], Tensor]


def through_chains(dry: Dry, chains: Chain) -> Renderer:
    """Passages through our own effects, style i being chain i."""
    plain = json.dumps(chains.to_json(), sort_keys=True)

    def render(jobs: Ints) -> Tensor:
        return chains.select(jobs[:, 0].tolist()).apply(dry.samples[jobs[:, 1], jobs[:, 2]], RATE)

    return Renderer(dry.stem, f"chains {effects_fingerprint()} {dry.key} {_short(plain)}", render)


def through_chains_per_stem(mixes: Dry, stems: Sequence[Dry], chains: Sequence[Chain]) -> Renderer:
    """Mixes whose stems went each through a chain of its own, style i being the i-th chain of each.

    stems   the same passages as `mixes` of each stem, −23 LUFS, with the factors that brought them there,
            which are taken back after the chain, so that the balance is the song's.
    """
    plain = json.dumps([chain.to_json() for chain in chains], sort_keys=True)

    def render(jobs: Ints) -> Tensor:
        total = torch.zeros_like(mixes.samples[jobs[:, 1], jobs[:, 2]])
        for stem, chain in zip(stems, chains, strict=True):
            dry = stem.samples[jobs[:, 1], jobs[:, 2]]
            there = dry.abs().amax((1, 2)).numpy() > 0
            if not there.any():
                continue
            style, piece, take = jobs[there].T
            wet = chain.select(style.tolist()).apply(dry[there], RATE)
            balance = mixes.gains[piece, take] / stem.gains[piece, take]
            total[there] += wet * balance.to(wet)[:, None, None]
        return total

    keys = " ".join(part.key for part in (mixes, *stems))
    return Renderer("mix", f"chains per stem {effects_fingerprint()} {_short(keys + plain)}", render)


class Embeddings:
    """What systems heard, kept in a folder; nothing is kept without one."""

    def __init__(self, folder: Path | None, workers: int = 1) -> None:
        self._folder = folder
        self.workers = workers

    def hear(
        self,
        renderer: Renderer,
        jobs: Ints,
        systems: Sequence[System],
        progress: Callable[[float], None] = lambda fraction: None,
    ) -> dict[str, Floats]:
        """The embeddings (n, D) of each system, by name, of the excerpts that the jobs (n, 3) make."""
        parts = [jobs[start : start + _KEPT_TOGETHER] for start in range(0, len(jobs), _KEPT_TOGETHER)]
        done = 0
        lock = threading.Lock()

        def work(part: Ints) -> dict[str, Floats]:
            nonlocal done
            heard = self._part(renderer, part, systems)
            with lock:
                done += 1
                progress(done / len(parts))
            return heard

        with ThreadPoolExecutor(self.workers) as pool:
            found = list(pool.map(work, parts))
        return {system.name: np.concatenate([part[system.name] for part in found]) for system in systems}

    @torch.inference_mode()
    def _part(self, renderer: Renderer, jobs: Ints, systems: Sequence[System]) -> dict[str, Floats]:
        raw = {kept.name: kept for kept in (system.reads or system for system in systems)}
        places = {name: self._place(renderer, jobs, system) for name, system in raw.items()}
        heard = {name: np.load(place) for name, place in places.items() if place and place.is_file()}
        missing = [system for name, system in raw.items() if name not in heard]
        if missing:
            parts: dict[str, list[Floats]] = {system.name: [] for system in missing}
            for samples in _rendered(renderer, jobs):
                for system in missing:
                    vectors = system.embed(samples, renderer.stem).half().cpu()
                    parts[system.name].append(vectors.numpy())
            for name, vectors_of in parts.items():
                heard[name] = np.concatenate(vectors_of)
                _keep(places[name], heard[name])
        return {system.name: _answer(system, heard, renderer.stem) for system in systems}

    def _place(self, renderer: Renderer, jobs: Ints, system: System) -> Path | None:
        if self._folder is None:
            return None
        key = hashlib.sha256(f"{renderer.stem} {renderer.key} {jobs.tolist()}".encode()).hexdigest()[:24]
        return self._folder / _short(system.fingerprint) / f"{key}.npy"


def on_slots(pieces: Ints, takes: int, seed: int) -> Ints:
    """The jobs (styles · slots, 3) where style i goes on `pieces` (styles, slots); takes by chance."""
    styles = np.repeat(np.arange(len(pieces)), pieces.shape[1])
    chosen = np.random.default_rng(seed).integers(takes, size=len(styles))
    return np.stack([styles, pieces.reshape(-1), chosen], 1)


def on_grid(styles: int, pieces: int, takes: int, seed: int) -> Ints:
    """The jobs (styles · pieces, 3) of every style on every piece; takes by chance."""
    return on_slots(np.tile(np.arange(pieces), (styles, 1)), takes, seed)


def _answer(system: System, heard: dict[str, Floats], stem: str) -> Floats:
    """A system's vectors, from its own kept ones or from those that it reads."""
    vectors = heard[(system.reads or system).name].astype(np.float64)
    if system.reads is None:
        return vectors
    return system.embed(torch.from_numpy(vectors).float(), stem).cpu().double().numpy()


def effects_fingerprint() -> str:
    """Changes with the effects' code."""
    return code_fingerprint("styletransfer.chains", "styletransfer.converter.fx")


def _rendered(renderer: Renderer, jobs: Ints) -> Iterator[Tensor]:
    for start in range(0, len(jobs), _AT_A_TIME):
        yield renderer.render(jobs[start : start + _AT_A_TIME])


def _keep(place: Path | None, vectors: Floats) -> None:
    if place is None:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_suffix(f".{threading.get_ident()}.part")
    with beside.open("wb") as file:
        np.save(file, vectors)
    beside.replace(place)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
