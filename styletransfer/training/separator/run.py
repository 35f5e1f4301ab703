"""Training a splitter: render, forward, loss, backward, step, average, log, judge, save."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from styletransfer.corpus.folder import Corpus
from styletransfer.errors import ConfigError
from styletransfer.separation import splitters
from styletransfer.training import snapshots
from styletransfer.training.averaging import Averaged
from styletransfer.training.crew import Crew
from styletransfer.training.fabric import launch
from styletransfer.training.facts import how_it_went, learned_from
from styletransfer.training.logs import Log
from styletransfer.training.run_folder import claim
from styletransfer.training.seeding import seed_of
from styletransfer.training.state import State, Trained
from styletransfer.training.steps import learning_rate, take_step

from . import validation
from .loss import negative_sdr_db, relative_l1
from .material import Order, render, songs_of
from .recipe import SeparatorRecipe

Progress = Callable[[str, float], None]
_AHEAD = 2
"""Batches per worker that are begun before they are needed."""

_LARGEST_STEP = 5.0
"""Norm of the gradient, a loss in decibels, that is still taken as it is."""


class _Model(Averaged[nn.Module]):
    """The splitter with its losses."""

    def forward(self, heard: Tensor, sources: Tensor, recipe: SeparatorRecipe) -> dict[str, Tensor]:
        mix, truth = (torch.view_as_complex(part.float()) for part in (heard, sources))
        masks = self.network(mix)
        losses = {"sdr": negative_sdr_db(masks, mix, truth)}
        if recipe.l1_weight:
            losses["l1"] = relative_l1(masks, mix, truth)
        return losses


def train(
    recipe: SeparatorRecipe,
    corpus: Path,
    folder: Path,
    *,
    name: str = splitters.SHIPPED,
    start: str | Path | None = None,
    device: str = "cpu",
    workers: int = 1,
    progress: Progress = lambda stage, share: None,
) -> Trained:
    """Train a splitter on a corpus; going on where an earlier call in the same folder was cut off.

    folder    snapshots, logs (`log.csv`, TensorBoard) and, at the end, the weights.
    name      of the weights' file.
    start     weights to start from: a shipped splitter, or a `.safetensors` file; without, a U-Net starts
              from Spleeter's accompaniment network, other architectures from chance.
    workers   processes that make the material; with 0 it is made between the steps.
    ConfigError where the folder holds a run with another recipe, or `start` another network.
    """
    began = time.monotonic()
    songs_of(corpus, "train"), songs_of(corpus, "validation")
    claim(folder, recipe, name)
    fabric = launch(device)
    rank = fabric.global_rank
    torch.manual_seed(recipe.seed)  # the first weights
    network = splitters.build(recipe.config)
    came = _started(network, recipe, start)
    model = _Model(network)
    optimizer = torch.optim.AdamW(_groups(network, recipe, came), weight_decay=recipe.weight_decay)
    state = State()
    snapshots.restore(folder, model, optimizer, state)
    crew = Crew(workers)
    if rank == 0:
        progress("validation songs", 0.0)
        judge = validation.prepare(corpus, recipe, folder, crew)
        log = Log(folder, state.step)
    device_model, device_optimizer = fabric.setup(model, optimizer)
    own_seed = seed_of(recipe.seed, rank) if fabric.world_size > 1 else recipe.seed
    total = recipe.rounds * recipe.steps_per_round
    began = state.count(began, a_round=False)
    state.minutes = fabric.broadcast(state.minutes)
    for number in range(state.round, recipe.rounds):
        if state.out_of_time(recipe.minutes):
            break
        _set_learning(network, recipe, frozen=number < recipe.frozen_rounds, came=came)
        steps = range(state.step, state.step + recipe.steps_per_round)
        orders = [Order(corpus, recipe, seed_of(own_seed, "step", step)) for step in steps]
        for batch in crew.map(render, orders, ahead=max(1, _AHEAD * workers)):
            heard, sources = fabric.to_device(batch)
            rate = learning_rate(recipe.learning_rate, recipe.warm_up_steps, state.step, total)
            losses = device_model(heard, sources, recipe)
            take_step(fabric, device_model, device_optimizer, total_loss(recipe, losses), rate, _LARGEST_STEP)
            model.take_in(recipe.averaging, state.step)
            state.step += 1
            if rank == 0:
                log.step(state.step, {key: float(value.detach()) for key, value in losses.items()}, rate)
            progress(f"train {number + 1}", state.step / recipe.steps_per_round - number)
        state.round = number + 1
        if rank == 0:
            found = judge.sdr_db(model.average.eval(), crew, str(fabric.device))
            mean = sum(found.values()) / len(found)
            state.judge({"mean": mean, **found}, mean)
            log.validation(state.step, state.round, {f"sdr/{key}": value for key, value in found.items()})
            began = state.count(began)
            snapshots.write(folder, model, optimizer, state)
        state.minutes, state.round_minutes = fabric.broadcast((state.minutes, state.round_minutes))
    crew.close()
    facts = {
        **how_it_went("separator", recipe, state, device, fabric.world_size),
        **learned_from(corpus, Corpus(corpus).songs("train"), start),
    }
    if recipe.architecture == "unet":
        facts["licence"] += "; started from Spleeter's weights, MIT, (c) 2019-present Deezer SA"
    if rank != 0:
        return Trained(folder, facts)
    snapshots.restore_best(folder, model.average, "average")
    path, _ = splitters.save(folder, name, model.average, recipe.config, facts)
    return Trained(path, facts)


def total_loss(recipe: SeparatorRecipe, losses: dict[str, Tensor]) -> Tensor:
    """What is minimized: the SDR, and the errors' mean magnitude with the recipe's weight."""
    return losses["sdr"] + recipe.l1_weight * losses["l1"] if "l1" in losses else losses["sdr"]


def _started(network: nn.Module, recipe: SeparatorRecipe, start: str | Path | None) -> frozenset[str]:
    """Bring the network to where it starts; the names of the parameters that came from elsewhere."""
    if start is not None:
        loaded = splitters.load(start)
        if loaded.config != recipe.config:
            raise ConfigError(
                f"{start} is a network of another kind than the recipe's; give another recipe or --from"
            )
        network.load_state_dict(loaded.network.state_dict())
        return splitters.learnable(network)
    return splitters.start(network, recipe.seed)


def _groups(network: nn.Module, recipe: SeparatorRecipe, came: frozenset[str]) -> list[dict[str, Any]]:
    """What came from elsewhere with `warm_share` of the learning rate, the rest with all of it."""
    parts = {key: value for key, value in network.named_parameters() if value.requires_grad}
    groups = [
        {"params": [value for key, value in parts.items() if key not in came], "share": 1.0},
        {"params": [parts[key] for key in parts if key in came], "share": recipe.warm_share},
    ]
    return [group for group in groups if group["params"]]


def _set_learning(network: nn.Module, recipe: SeparatorRecipe, *, frozen: bool, came: frozenset[str]) -> None:
    network.train()
    for key, parameter in network.named_parameters():
        if key in came:
            parameter.requires_grad_(not frozen)
    if recipe.frozen_norm:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


__all__ = ["total_loss", "train"]
