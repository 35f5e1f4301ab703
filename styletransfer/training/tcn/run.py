"""Training a direct transformation network: render, draw, forward, loss, backward, step, log, judge, save."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Generator, Tensor

from styletransfer import encoders
from styletransfer.converter.tcn import RATE, TCN
from styletransfer.converters import tcn
from styletransfer.corpus.folder import CorpusSong
from styletransfer.errors import ConfigError
from styletransfer.files import make_folder
from styletransfer.tasks import Neutral
from styletransfer.tasks.neutral import PASSAGE_S
from styletransfer.training import snapshots
from styletransfer.training.averaging import Averaged
from styletransfer.training.crew import Crew
from styletransfer.training.fabric import launch
from styletransfer.training.facts import how_it_went, learned_from
from styletransfer.training.logs import Log
from styletransfer.training.neutral_passages import passages
from styletransfer.training.run_folder import claim
from styletransfer.training.seeding import seed_of
from styletransfer.training.spectral_loss import SIZES, spectral_losses
from styletransfer.training.state import State, Trained
from styletransfer.training.steps import learning_rate, take_step

from . import pictures, validation
from .material import Batch, Shards, orders
from .recipe import TCNRecipe
from .validation import KINDS

Progress = Callable[[str, float], None]
_ROOM = 1.5
"""What is kept of a passage, over the excerpt that a step takes of it."""


class _Model(Averaged[TCN]):
    """The network with its losses."""

    def forward(self, batch: Batch, sizes: Sequence[int]) -> dict[str, Tensor]:
        made = self.network.excerpt(batch.given, batch.condition)
        moments, tone = spectral_losses(made.float(), batch.truth, sizes)
        return {"spectral": moments, "tone": tone}


def train(
    recipe: TCNRecipe,
    corpus: Path,
    folder: Path,
    *,
    name: str = tcn.SHIPPED,
    start: str | Path | None = None,
    material: Path | None = None,
    encoder: str = encoders.SHIPPED,
    device: str = "cpu",
    workers: int = 2,
    progress: Progress = lambda stage, share: None,
) -> Trained:
    """Train a network on a corpus; going on where an earlier call in the same folder was cut off.

    folder    shards, snapshots, logs (`log.csv`, `rounds.csv`, TensorBoard), pictures and, at the end, the
              weights.
    name      of the weights' file.
    start     weights to start from: a shipped name, or a `.safetensors` file.
    material  folder for neutral passages, to share them with other runs; in the run's folder without.
    encoder   whose styles the network is told: a shipped name, or a `.safetensors` file, which is put beside
              the weights, where transfers look for it.
    workers   processes that make the material; with 0 it is made between the steps.
    ConfigError where the folder holds a run with another recipe, or `start` another network; AudioError where
    the corpus has too few pieces; CheckpointError for weights that can't be used.
    """
    began = time.monotonic()
    heard = encoders.load(encoder)
    config = recipe.config(heard.network.config.dimensions)
    first = None if start is None else tcn.load(start)
    if first is not None and (first.network.config, first.encoder) != (config, heard.fingerprint):
        raise ConfigError(
            f"{start} is a network of another kind, or of another encoder, than this run's; take another"
        )
    claim(folder, recipe, name)
    make_folder(folder / "pictures")
    fabric = launch(device)
    rank = fabric.global_rank
    torch.manual_seed(recipe.seed)  # the first weights
    network = TCN(config)
    if first is not None:
        network.load_state_dict(first.network.state_dict())
    model = _Model(network)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    state = State()
    snapshots.restore(folder, model, optimizer, state)
    crew = Crew(workers)
    neutral = material or folder / "neutral"
    with fabric.rank_zero_first():  # what one process made, the others find
        neutrals, songs = _passages(corpus, "train", recipe.passages, neutral, crew, progress)
    judge = None
    if rank == 0:
        held_out, _ = _passages(corpus, "validation", 2 * recipe.validation_pairs, neutral, crew, progress)
        progress("validation pairs", 0.0)
        judge = validation.Validation(held_out, recipe, folder, crew, encoder, config.condition)
    own_seed = seed_of(recipe.seed, rank) if fabric.world_size > 1 else recipe.seed
    shards = Shards(folder / f"shards-{rank}")
    device_model, device_optimizer = fabric.setup(model, optimizer)
    log = Log(folder, state.step) if rank == 0 else None
    total = recipe.rounds * recipe.steps_per_round
    began = state.count(began, a_round=False)
    state.minutes = fabric.broadcast(state.minutes)
    for number in range(recipe.rounds):
        if state.out_of_time(recipe.minutes):
            break
        seed = seed_of(own_seed, "shard", number)
        kept_s = min(PASSAGE_S, _ROOM * recipe.excerpt_s)
        wanted = orders(neutrals, recipe, seed, recipe.pairs, encoder, config.condition, kept_s)
        shards.prepare(number, wanted, crew, partial(progress, f"render {number + 1}"))
        if number < state.round:
            continue  # trained on before the cut; its shard serves on
        device_model.train()
        for _ in range(recipe.steps_per_round):
            generator = Generator().manual_seed(seed_of(own_seed, "step", state.step))
            batch = fabric.to_device(shards.batch(generator, recipe.batch, round(recipe.excerpt_s * RATE)))
            sizes = [SIZES[i] for i in torch.randperm(len(SIZES), generator=generator)[: recipe.scales]]
            rate = learning_rate(recipe.learning_rate, recipe.warm_up_steps, state.step, total)
            torch.manual_seed(seed_of(own_seed, "dropout", state.step))
            losses = device_model(batch, sizes)
            take_step(fabric, device_model, device_optimizer, total_loss(recipe, losses), rate)
            model.take_in(recipe.averaging, state.step)
            state.step += 1
            if log is not None:
                log.step(state.step, {key: float(value.detach()) for key, value in losses.items()}, rate)
            progress(f"train {number + 1}", state.step / recipe.steps_per_round - number)
        state.round = number + 1
        if log is not None and judge is not None:
            judged = judge.judge(model.average.eval(), str(fabric.device))
            found = validation.ratios(judged)
            mean = sum(found[kind] for kind in KINDS) / len(KINDS)
            state.judge({"mean": mean, **found}, -mean)
            log.validation(state.step, state.round, found)
            pictures.draw(judged, folder / "pictures" / f"round-{state.round:03d}.png")
            began = state.count(began)
            snapshots.write(folder, model, optimizer, state)
        state.minutes, state.round_minutes = fabric.broadcast((state.minutes, state.round_minutes))
    crew.close()
    facts = {
        **how_it_went("converter", recipe, state, device, fabric.world_size),
        **learned_from(corpus, songs, start),
    }
    if rank != 0:
        return Trained(folder, facts)
    snapshots.restore_best(folder, model.average, "average")
    assert judge is not None  # rank 0 has one
    amounts = validation.choose_amounts(judge.judge(model.average.eval(), str(fabric.device)))
    encoders.put_beside(encoder, folder)
    path, _ = tcn.save(folder, name, model.average, heard.fingerprint, facts, amounts)
    return Trained(path, facts)


def total_loss(recipe: TCNRecipe, losses: dict[str, Tensor]) -> Tensor:
    """What is minimized: distances moment by moment, and of long-term spectra with the recipe's weight."""
    return losses["spectral"] + recipe.tone_weight * losses["tone"]


def _passages(
    corpus: Path, split: str, count: int, folder: Path, crew: Crew, progress: Progress
) -> tuple[list[Neutral], list[CorpusSong]]:
    return passages(corpus, split, count, folder, crew, partial(progress, f"neutral passages, {split}"))


__all__ = ["total_loss", "train"]
