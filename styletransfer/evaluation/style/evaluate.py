"""How good is the encoder? Every style figure on held-out pieces, all baselines in the same run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from styletransfer import encoders
from styletransfer.chains import EFFECTS, PARAMETER_NAMES
from styletransfer.corpus.folder import Corpus, CorpusSong
from styletransfer.errors import AudioError, ConfigError, UsageError

from . import styles
from .bank import Embeddings
from .cost import embedding_s
from .disentanglement import Explicitness, Gaps, explicitness, gaps
from .findings import APART, AS_IS, FOREIGN, NORMALIZED, OWN, PER_STEM, SEPARATED, Findings
from .foreign import sox_version
from .intervals import Floats
from .leak import content_leak
from .line_up import systems_for
from .listening import Heard, Listening, Progress
from .plan import FULL, Plan
from .probes import Probe, linear_r2, naming_accuracy
from .retrieval import answer, draws
from .systems import ENCODER, System

SPLITS = ("test", "validation")
EXAMPLES = (5, 10, 100)


@dataclass(frozen=True, slots=True)
class StyleConfig:
    """What is judged, on what.

    encoder, mee  a shipped name or a `.safetensors` file; the shipped ones, where there are any, without.
    systems       names of those to compare; all without.
    cache         where embeddings are kept.
    """

    corpus: Path
    split: str = "test"
    encoder: str | None = None
    mee: str | None = None
    systems: tuple[str, ...] | None = None
    plan: Plan = FULL
    foreign: bool = True
    seed: int = 0
    cache: Path | None = field(default_factory=lambda: default_cache())


def default_cache() -> Path:
    """Where embeddings are kept unless said otherwise: $STYLE_CACHE, else a folder in the user's cache."""
    return Path(os.environ.get("STYLE_CACHE") or Path.home() / ".cache" / "automix-style")


def evaluate(
    config: StyleConfig, progress: Progress = lambda stage, fraction: None, systems: Sequence[System] = ()
) -> Findings:
    """Measure all that the plan asks for.

    systems   in place of those that `config` names.
    CheckpointError where a system was trained on a piece of the split; AudioError without a corpus;
    ResourceError without sox, where foreign effects are asked for.
    """
    if config.split not in SPLITS:
        raise UsageError(f"figures come from {' or '.join(SPLITS)}, not from {config.split!r}")
    songs = Corpus(config.corpus).songs(config.split)
    if not songs:
        raise AudioError(f"{config.corpus} has no {config.split} songs; build more of the corpus")
    if config.foreign and config.plan.foreign_kinds:
        sox_version()
    compared, notes = (
        (list(systems), []) if systems else systems_for(config.encoder, config.mee, config.systems)
    )
    timed = config.plan.timed and ENCODER in [system.name for system in compared] and not systems
    song_s = embedding_s(songs, encoders.load(config.encoder or encoders.SHIPPED)) if timed else None
    workers = torch.get_num_threads()
    torch.set_num_threads(1)  # excerpts are what is spread over threads
    try:
        hall = Listening(
            config.plan, songs, compared, Embeddings(config.cache, workers), config.seed, progress
        )
        found = Findings(
            styles=config.plan.styles,
            systems=tuple(system.name for system in compared),
            fingerprints={system.name: system.fingerprint for system in compared},
            notes=notes,
        )
        found.notes.append(_material(config.split, songs))
        found.song_s = song_s
        for section in (_retrieval, _other_retrieval, _grids, _probes, _named):
            section(hall, config, compared, found, progress)
    finally:
        torch.set_num_threads(workers)
    return found


Section = Callable[[Listening, StyleConfig, Sequence[System], Findings, Progress], None]


def _retrieval(
    hall: Listening, config: StyleConfig, compared: Sequence[System], found: Findings, progress: Progress
) -> None:
    for kind in config.plan.kinds:
        for count in config.plan.slots:
            heard = _tried(found, kind, OWN, partial(hall.own, kind, count))
            if heard is None:
                break
            _ask(heard, (OWN, kind, count), config, compared, found)
            found.leaks[kind, count] = {
                system.name: content_leak(
                    heard.vectors[system.name], heard.styles, heard.pieces, system.scaled
                )
                for system in compared
            }


def _other_retrieval(
    hall: Listening, config: StyleConfig, compared: Sequence[System], found: Findings, progress: Progress
) -> None:
    plan = config.plan
    for count in plan.per_stem_counts:
        _ask(hall.per_stem(count), (PER_STEM, "mix", count), config, compared, found)
        _ask(hall.stems_apart(count), (APART, "mix", count), config, compared, found)
    for kind in plan.foreign_kinds if config.foreign else ():
        for count in plan.foreign_counts:
            heard = _tried(found, kind, FOREIGN, partial(hall.foreign, kind, count))
            if heard is not None:
                _ask(heard, (FOREIGN, kind, count), config, compared, found)
    for kind in plan.separated_kinds:
        heard = _tried(found, kind, SEPARATED, partial(hall.separated, kind))
        if heard is not None:
            _ask(heard, (SEPARATED, kind, plan.separated_count), config, compared, found)


def _ask(
    heard: Heard,
    key: tuple[str, str, int],
    config: StyleConfig,
    compared: Sequence[System],
    found: Findings,
) -> None:
    pieces = heard.pieces.reshape(heard.styles.max() + 1, -1)
    condition, kind, _ = key
    found.pieces[condition, kind] = len(np.unique(pieces))
    chosen_draws = draws(pieces, config.plan.draws, config.seed)
    found.answers[key] = {
        system.name: answer(
            heard.vectors[system.name].reshape(*pieces.shape, -1), pieces, chosen_draws, system.scaled
        )
        for system in compared
    }


def _grids(
    hall: Listening, config: StyleConfig, compared: Sequence[System], found: Findings, progress: Progress
) -> None:
    for kind in config.plan.grid_kinds:
        heard = _tried(found, kind, "grid", partial(hall.grid, kind, styles.FULL))
        if heard is None:
            continue
        found.grids[kind] = heard
        found.pieces["grid", kind] = len(heard.names)
        if len(heard.names) < config.plan.grid_pieces:
            found.notes.append(
                f"{kind}: the split has {len(heard.names)} pieces with it, not {config.plan.grid_pieces}."
            )
        if config.plan.kinds:  # a picture needs no figures
            _disentangle({styles.FULL: heard}, "full", kind, config, compared, found, hall.workers, progress)
    for kind in config.plan.single_kinds:
        singles = {name: _tried(found, kind, name, partial(hall.grid, kind, name)) for name in styles.SINGLE}
        heard_of = {name: heard for name, heard in singles.items() if heard is not None}
        if heard_of:
            _disentangle(heard_of, "single", kind, config, compared, found, hall.workers, progress)


def _disentangle(
    heard_of: dict[str, Heard],
    label: str,
    kind: str,
    config: StyleConfig,
    compared: Sequence[System],
    found: Findings,
    workers: int,
    progress: Progress,
) -> None:
    """The mean over the grids of one kind of stem: one of all effects, or one per single effect."""

    def measure(system: System) -> tuple[Gaps, Explicitness]:
        each = [(heard.vectors[system.name], heard.styles, heard.pieces) for heard in heard_of.values()]
        told = [explicitness(*one, seed=config.seed) for one in each]
        return Gaps.mean([gaps(*one) for one in each]), Explicitness.mean(told)

    progress(f"{kind}, {label}: forests", 0.0)
    with ThreadPoolExecutor(workers) as pool:
        measured = dict(zip([system.name for system in compared], pool.map(measure, compared), strict=True))
    progress(f"{kind}, {label}: forests", 1.0)
    found.gaps[label, kind] = {name: gap for name, (gap, _) in measured.items()}
    found.explicitness[label, kind] = {name: told for name, (_, told) in measured.items()}


def _probes(
    hall: Listening, config: StyleConfig, compared: Sequence[System], found: Findings, progress: Progress
) -> None:
    for kind in config.plan.probe_kinds:
        for condition in (AS_IS, NORMALIZED):
            try:
                found.probes[condition, kind] = _probed(hall, config, compared, kind, condition == NORMALIZED)
            except (AudioError, ConfigError) as error:
                found.notes.append(f"{kind}, probes on pieces {condition}: left out, since {error}.")


def _probed(
    hall: Listening, config: StyleConfig, compared: Sequence[System], kind: str, normalized: bool
) -> dict[str, dict[str, Probe]]:
    """System → parameter → its probe."""
    table: dict[str, dict[str, Probe]] = {system.name: {} for system in compared}
    for effect in EFFECTS:
        excerpts = config.plan.probes * (2 if effect.endswith("eq") else 1)
        heard, chains = hall.alone(kind, effect, excerpts, normalized)
        shares, active = (part.numpy() for part in chains.parameters())
        columns = np.flatnonzero(active.all(0))
        values: Floats = shares[heard.styles][:, columns].astype(np.float64)
        for system in compared:
            probes = linear_r2(heard.vectors[system.name], values, heard.pieces)
            for column, probe in zip(columns, probes, strict=True):
                if probe is not None:
                    table[system.name][PARAMETER_NAMES[column]] = probe
    return table


def _named(
    hall: Listening, config: StyleConfig, compared: Sequence[System], found: Findings, progress: Progress
) -> None:
    for kind in config.plan.named_kinds:
        heard = hall.named(kind)
        found.naming[kind] = {
            system.name: naming_accuracy(
                heard.vectors[system.name], heard.styles, heard.pieces, EXAMPLES, config.seed
            )
            for system in compared
        }


def _material(split: str, songs: Sequence[CorpusSong]) -> str:
    """What the split holds; pieces that share sounds are easier to compare than pieces that don't."""
    pieces = len({song.piece for song in songs})
    sources = len({source for song in songs for source in song.sources})
    hours = sum(song.duration_s for song in songs) / 3600
    return (
        f"The {split} split holds {len(songs)} songs of {pieces} pieces, {hours:.1f} h, "
        f"made from {sources} sound banks, kits, voices and modules."
    )


def _tried(found: Findings, kind: str, condition: str, hear: Callable[[], Heard]) -> Heard | None:
    """What was heard; none, and a note, where the split's pieces don't suffice."""
    try:
        return hear()
    except AudioError as error:
        found.notes.append(f"{kind}, {condition}: left out, since {error}.")
        return None
