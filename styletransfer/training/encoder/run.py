"""Training an FXencoder: render, draw, forward, loss, backward, step, log, save."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Generator, Tensor

from styletransfer import encoders
from styletransfer.chains import EFFECTS, PARAMETER_NAMES
from styletransfer.chains.scheduling import chances
from styletransfer.corpus.folder import Corpus
from styletransfer.corpus.split import marks
from styletransfer.encoder.loss import Heads, nt_xent
from styletransfer.encoder.network import HEARD, EncoderConfig, FXEncoder
from styletransfer.errors import AudioError, CheckpointError
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
from .contents import Contents
from .groups import UNSCHEDULED
from .half import half_of
from .recipe import EncoderRecipe
from .shards import Batch, Shards, check_material, note_pieces

Progress = Callable[[str, float], None]


@dataclass(slots=True, eq=False)
class _State(State):
    """With the effects' probabilities, effect → probability, as first drawn from that round on."""

    chances: dict[str, dict[str, float]] = field(default_factory=dict)

    def chances_of(self, number: int) -> dict[str, float]:
        """The effects' probabilities for a round: as scheduled last before it."""
        earlier = [int(key) for key in self.chances if int(key) <= number]
        return self.chances[str(max(earlier))] if earlier else dict.fromkeys(EFFECTS, UNSCHEDULED)


class _Model(Averaged[FXEncoder]):
    """The encoder with what only training needs: one module, so that several processes train it alike."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(FXEncoder(config))
        self.heads = Heads(config.dimensions, len(PARAMETER_NAMES), len(EFFECTS))

    def forward(self, batch: Batch, recipe: EncoderRecipe) -> dict[str, Tensor]:
        heard = self.network.hear(batch.heard, batch.stem)
        regression, presence = self.heads.losses(
            heard, batch.shares, batch.active, batch.present, batch.known
        )
        losses = {"regression": regression, "presence": presence}
        if recipe.objective in ("contrastive", "both"):
            losses["contrastive"] = nt_xent(heard, batch.style, batch.stem, recipe.temperature)
        return losses


def train(
    recipe: EncoderRecipe,
    corpus: Path,
    folder: Path,
    *,
    name: str | None = None,
    start: str | Path | None = None,
    material: Path | None = None,
    device: str = "cpu",
    workers: int = 2,
    progress: Progress = lambda stage, share: None,
) -> Trained:
    """Train an encoder on a corpus; going on where an earlier call in the same folder was cut off.

    folder    shards, snapshots, logs (`log.csv`, TensorBoard) and, at the end, the weights.
    name      of the weights' file, `fxencoder-` and the preset without.
    start     weights to start from: a shipped name, or a `.safetensors` file.
    material  the folder of another run, whose shards then all serve from the first round; none is rendered.
    workers   processes that render; 0 renders on `device`.
    ConfigError where the folder holds a run with another recipe, or the material was made by another;
    AudioError where the corpus has too few pieces; CheckpointError for weights that can't be started from.
    """
    began = time.monotonic()
    if recipe.half:
        corpus = half_of(corpus, folder / "corpus")
    heard = _heard(corpus, recipe)
    name = name or f"fxencoder-{recipe.preset}"
    songs = [song for pool in ("songs", "wet") for song in Corpus(corpus).songs("train", pool)]
    made_by = None if material is None else check_material(material, recipe)
    if material is not None:
        note_pieces(material, marks(songs), rendering=False)
    config = EncoderConfig.paper() if recipe.preset == "paper" else EncoderConfig(ear=recipe.ear)
    first = None if start is None else _started(start, config)
    claim(folder, recipe, name)
    fabric = launch(device)
    rank = fabric.global_rank
    if rank == 0 and material is None:
        note_pieces(folder, marks(songs), rendering=True)
    torch.manual_seed(recipe.seed)  # the first weights
    model = _Model(config)
    if first is not None:
        model.network.load_state_dict(first)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    state = _State()
    snapshots.restore(folder, model, optimizer, state)
    crew = Crew(workers)
    if rank == 0:
        progress("validation set", 0.0)
        judge = validation.prepare(corpus, recipe, material or folder, crew, heard)
    own = recipe.model_copy(update={"seed": seed_of(recipe.seed, rank)}) if fabric.world_size > 1 else recipe
    shards = Shards(
        corpus,
        own,
        (material or folder) / f"shards-{rank}",
        crew,
        heard,
        device=device if workers == 0 else "cpu",
    )
    if material is not None:
        shards.load_all()
    device_model, device_optimizer = fabric.setup(model, optimizer)
    log = Log(folder, state.step) if rank == 0 else None
    total = recipe.rounds * recipe.steps_per_round
    began = state.count(began, a_round=False)
    state.minutes = fabric.broadcast(state.minutes)
    for number in range(max(0, min(state.round, recipe.rounds) - recipe.keep_shards), recipe.rounds):
        if state.out_of_time(recipe.minutes):
            break
        if material is None:
            shards.prepare(number, state.chances_of(number), partial(progress, f"render {number + 1}"))
        if number < state.round:
            continue  # trained on before the cut; its shard serves on
        if number == 0:
            if start is None:
                _standardize(model.network, shards)
            model.average.load_state_dict(model.network.state_dict())
        device_model.train()
        for _ in range(recipe.steps_per_round):
            generator = Generator().manual_seed(seed_of(own.seed, "step", state.step))
            batch = fabric.to_device(shards.batch(generator, recipe.groups))
            rate = learning_rate(recipe.learning_rate, recipe.warm_up_steps, state.step, total)
            torch.manual_seed(seed_of(own.seed, "dropout", state.step))
            losses = device_model(batch, recipe)
            take_step(fabric, device_model, device_optimizer, total_loss(recipe, losses), rate)
            model.take_in(recipe.averaging, state.step)
            state.step += 1
            if log is not None:
                plain = {key: float(value.detach()) for key, value in losses.items()}
                log.step(state.step, plain, rate)
            progress(f"train {number + 1}", state.step / recipe.steps_per_round - number)
        state.round = number + 1
        if log is not None:
            model.eval()
            found = judge.retrieval(model.average, str(fabric.device))
            singles = judge.loss_by_effect(model.average, recipe.temperature, str(fabric.device))
            mean = sum(found.values()) / len(found)
            state.judge({"mean": mean, **found}, mean)
            if recipe.schedule_every and state.round % recipe.schedule_every == 0:
                state.chances[str(state.round)] = chances(singles)
            row = {f"first/{key}": value for key, value in found.items()}
            row |= {f"effect/{key}": value for key, value in singles.items()}
            log.validation(state.step, state.round, row)
            began = state.count(began)
            snapshots.write(folder, model, optimizer, state)
        # what only the first process knows and all must act upon
        shared = state.chances, state.minutes, state.round_minutes
        state.chances, state.minutes, state.round_minutes = fabric.broadcast(shared)
    crew.close()
    facts = {
        **how_it_went("encoder", recipe, state, device, fabric.world_size),
        "material": made_by,
        **learned_from(corpus, songs, start),
    }
    if rank != 0:
        return Trained(folder, facts)
    # a corpus that changed between two calls left shards of pieces that it hasn't any more
    heard_of = note_pieces(material or folder, marks(songs), rendering=material is None)
    facts["trained_on"] = sorted({*facts["trained_on"], *heard_of})
    snapshots.restore_best(folder, model.average, "average")
    path, _ = encoders.save(folder, name, model.average, facts)
    return Trained(path, facts)


def _heard(corpus: Path, recipe: EncoderRecipe) -> list[str]:
    """The stems, and `mix`, that training has pieces enough of, and validation two.

    AudioError where there are none, or too few songs with all of them where some are to be separated.
    """
    training = Contents(Corpus(corpus), "train", recipe.excerpt_s, vary=recipe.varied)
    validated = Contents(Corpus(corpus), "validation", 2 * recipe.excerpt_s)
    enough = training.with_pieces(recipe.contents)
    heard = [stem for stem in HEARD if stem in enough and stem in validated.stems]
    if not heard:
        raise AudioError(
            f"no stem in {corpus} is in {recipe.contents} pieces of training and 2 of validation; "
            "build more of it, or set fewer contents in a recipe"
        )
    stems = [stem for stem in heard if stem != "mix"]
    if recipe.separated_share and len(training.together(stems)) < recipe.contents:
        raise AudioError(
            f"fewer than {recipe.contents} pieces of training in {corpus} have all stems at once; "
            "build more of it, or set separated_share to 0 in a recipe"
        )
    return heard


def _started(start: str | Path, config: EncoderConfig) -> dict[str, Tensor]:
    """The weights to start from. CheckpointError where they are of a network of another shape."""
    network = encoders.load(start).network
    if network.config != config:
        raise CheckpointError(f"{start} is no encoder as the recipe has it; give another recipe or --from")
    return network.state_dict()


def total_loss(recipe: EncoderRecipe, losses: dict[str, Tensor]) -> Tensor:
    """What is minimized: the objective's parts with the recipe's weights.

    What an objective leaves out stays in it with a weight of 0: several processes wait for the gradient of
    every weight.
    """
    predicted = {"regression": recipe.regression_weight, "presence": recipe.presence_weight}
    weights: dict[str, float] = {
        "contrastive": {"contrastive": 1.0},
        "presence": {"presence": 1.0},
        "regression": predicted,
        "both": {"contrastive": 1.0, **predicted},
    }[recipe.objective]
    return torch.stack([weights.get(name, 0.0) * loss for name, loss in losses.items()]).sum()


@torch.no_grad()
def _standardize(network: FXEncoder, shards: Shards) -> None:
    """Mean and spread of the descriptions over the first shard, per stem."""
    for number, heard in shards.every():
        described = heard if heard.ndim == 2 else network.describe(heard.to(network.mean.device))
        network.mean[number] = described.mean(0)
        network.scale[number] = described.std(0).clamp(min=0.02)


__all__ = ["total_loss", "train"]
