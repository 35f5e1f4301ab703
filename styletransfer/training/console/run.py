"""Training the console network, on settings that are known, then by ear: draw, forward, loss, step, judge."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from styletransfer import encoders
from styletransfer.converter.network import ConsoleConfig, ConsoleNetwork
from styletransfer.converters import console
from styletransfer.corpus.folder import POOLS, Corpus, CorpusSong
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import AudioError, ConfigError
from styletransfer.files import make_folder
from styletransfer.refining.likeness import sounds_apart
from styletransfer.separation import Separator, choose
from styletransfer.tasks import Neutral
from styletransfer.training import pictures, snapshots
from styletransfer.training.crew import Crew
from styletransfer.training.fabric import launch
from styletransfer.training.facts import how_it_went, learned_from
from styletransfer.training.logs import Log
from styletransfer.training.neutral_passages import passages as neutral_passages
from styletransfer.training.run_folder import claim
from styletransfer.training.seeding import seed_of
from styletransfer.training.spectral_loss import SIZES, spectral_losses
from styletransfer.training.state import State, Trained
from styletransfer.training.steps import learning_rate, take_step

from . import lessons, listening, validation
from .lessons import Lessons
from .loss import Prior, known_loss
from .passages import Passage, hear
from .recipe import ConsoleRecipe

Progress = Callable[[str, float], None]


class _Model(nn.Module):
    """The network with its losses: one module, so that several processes train it alike."""

    def __init__(self, config: ConsoleConfig, prior: Prior) -> None:
        super().__init__()
        self.network = ConsoleNetwork(config)
        self.prior = prior

    def forward(self, rows: Lessons, sounds: listening.Sounds | None) -> dict[str, Tensor]:
        residuals = self.network(rows.heard, rows.strip)
        strips = rows.heard.closed_form + residuals
        losses = {**known_loss(strips, rows), "prior": self.prior(strips, rows.strip)}
        if sounds is not None:
            made = listening.answered(sounds.given, strips, rows.strip, sounds.truth)
            moments, tone = spectral_losses(made, sounds.truth, SIZES)
            far = sounds_apart(made, sounds.truth).log1p().mean()
            losses |= {"spectral": moments, "tone": tone, "af": far}
        return losses


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to hear a passage."""

    neutral: Neutral
    folder: Path
    takes: int
    foreign_share: float
    seed: int
    encoder: str
    separator: str


@lru_cache(maxsize=1)
def _ears(encoder: str, separator: str) -> tuple[LoadedEncoder, Separator]:
    """Loaded once in each process."""
    return encoders.load(encoder), choose(separator)


def make(order: Order) -> Passage:
    """The passage, heard."""
    heard = _ears(order.encoder, order.separator)
    return hear(order.neutral, order.folder, order.takes, order.foreign_share, order.seed, *heard)


def make_file(order: Order) -> None:
    """Hear the passage, so that it can be read; what a worker sends back would keep files open."""
    make(order)


def train(
    recipe: ConsoleRecipe,
    corpus: Path,
    folder: Path,
    *,
    name: str = console.SHIPPED,
    start: str | Path | None = None,
    material: Path | None = None,
    encoder: str = encoders.SHIPPED,
    separator: str = "builtin",
    device: str = "cpu",
    workers: int = 2,
    progress: Progress = lambda stage, share: None,
) -> Trained:
    """Train a console network on a corpus; going on where an earlier call in the same folder was cut off.

    folder     snapshots, logs, pictures and, at the end, the weights; passages, too, without another folder
               for `material`.
    name       of the weights' file.
    start      weights to start from, of the same encoder: a shipped name, or a `.safetensors` file.
    encoder, separator   whose styles and stems the network hears; an encoder of one's own is put beside the
               weights, where transfers look for it.
    workers    processes that make the material.
    ConfigError where the folder holds a run with another recipe, `start` heard through another encoder, or a
    recipe without rounds has nothing to start from; AudioError where the corpus has too few
    pieces; CheckpointError for weights that can't be used.
    """
    began = time.monotonic()
    heard, by_ear = _ears(encoder, separator)
    first = None if start is None else console.load(start)
    if first is not None and first.encoder != heard.fingerprint:
        raise ConfigError(
            f"{start} heard through encoder {first.encoder}, this run through {heard.fingerprint}; give the "
            "same encoder, or other weights to start from"
        )
    if first is None and not recipe.rounds:
        raise ConfigError("this recipe goes on from weights that another trained; name them with --from")
    claim(folder, recipe, name)
    make_folder(folder / "pictures")
    fabric = launch(device, precision="32-true")
    rank = fabric.global_rank
    crew = Crew(workers)
    kept = material or folder / "passages"
    kept.mkdir(parents=True, exist_ok=True)

    def heard_passages(split: str, count: int, pool: str = "songs") -> list[Passage]:
        made = partial(progress, f"{split} passages")
        found, _ = neutral_passages(corpus, split, count, kept, crew, made, pool)
        drawn = recipe.takes, recipe.foreign_share, recipe.seed
        orders = [Order(one, kept, *drawn, encoder, separator) for one in found]
        passages = []
        for done, _ in enumerate(crew.map(make_file, orders, ahead=8), 1):
            passages.append(make(orders[done - 1]))
            progress(f"{split} settings", done / len(orders))
        return passages

    with fabric.rank_zero_first():  # what one process made, the others find
        passages = heard_passages("train", recipe.passages)
        if recipe.wet_passages and Corpus(corpus).songs("train", "wet"):
            passages += heard_passages("train", recipe.wet_passages, "wet")
        held_out = heard_passages("validation", max(4, recipe.passages // 5))
    with fabric.rank_zero_first():
        material_rows = lessons.kept(kept, passages, recipe, "pairs", crew, partial(progress, "pairs"))
    if not material_rows.rows:
        raise AudioError(f"no two pieces in {corpus} share a stem that plays; build more of it")
    prepare = partial(validation.prepare, kept, held_out, recipe, crew)
    judge = prepare("validation")
    chooser = prepare("scales") if recipe.scaled else None  # not the pairs that choose the round
    crew.close()
    torch.manual_seed(recipe.seed)  # the first weights
    model = _Model(ConsoleConfig(heard.network.config.dimensions, len(EXPLICIT_NAMES)), Prior(material_rows))
    if first is not None:
        model.network.load_state_dict(first.network.state_dict())
        model.network.scale.fill_(1)  # where it is 0 nothing could be learned; it is chosen anew at the end
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    state = State()
    snapshots.restore(folder, model, optimizer, state)
    device_model, device_optimizer = fabric.setup(model, optimizer)
    log = Log(folder, state.step) if rank == 0 else None
    if not state.best:  # the closed form's own, or the start's: what has to be beaten
        untrained = judge.figures(_at_rest(model.network))
        state.judge(untrained, _score(recipe, untrained))
        snapshots.write(folder, model, optimizer, state)
    began = state.count(began, a_round=False)
    state.minutes = fabric.broadcast(state.minutes)
    for number in range(state.round, recipe.rounds + recipe.listening_rounds):
        if state.out_of_time(recipe.minutes):
            break
        ears = number >= recipe.rounds
        steps = recipe.listening_steps if ears else recipe.steps_per_round
        device_model.train()
        for _ in range(steps):
            seed = seed_of(recipe.seed, rank, "step", state.step)
            generator = Generator().manual_seed(seed)
            count = recipe.listening_batch if ears else recipe.batch
            rows = material_rows.of(torch.randint(material_rows.rows, (count,), generator=generator))
            sounds = listening.sounds(rows, passages, recipe.listening_s, generator) if ears else None
            rate = _rate(recipe, state.step, ears)
            torch.manual_seed(seed)  # dropout
            losses = device_model(
                fabric.to_device(rows), None if sounds is None else fabric.to_device(sounds)
            )
            take_step(fabric, device_model, device_optimizer, total_loss(recipe, losses), rate)
            state.step += 1
            if log is not None:
                log.step(state.step, {key: float(value.detach()) for key, value in losses.items()}, rate)
        state.round = number + 1
        progress("training", state.round / (recipe.rounds + recipe.listening_rounds))
        if log is not None:
            judged = _at_rest(model.network)
            found = judge.figures(judged)
            state.judge(found, _score(recipe, found))
            log.validation(state.step, state.round, found)
            pictures.draw(judge.shown(judged), folder / "pictures" / f"round-{state.round:03d}.png")
            began = state.count(began)
            snapshots.write(folder, model, optimizer, state)
        state.minutes, state.round_minutes = fabric.broadcast((state.minutes, state.round_minutes))
    facts = {
        **how_it_went("converter", recipe, state, device, fabric.world_size),
        "separator": by_ear.fingerprint,
        **learned_from(corpus, _songs(corpus, passages), start),
    }
    if rank != 0:
        return Trained(folder, facts)
    network = _at_rest(model.network)
    snapshots.restore_best(folder, network)
    if chooser is not None:
        resting = () if recipe.master_acts else ("master",)
        facts["scales"] = chooser.choose_scales(network, partial(progress, "scales"), resting)
        facts["validation_scaled"] = judge.figures(network)
        closed_form = copy.deepcopy(network)
        closed_form.scale.zero_()
        before = {} if first is None else {"start": first.network}
        facts["by_ear"] = judge.leads(network, {"closed form": closed_form, **before})
    encoders.put_beside(encoder, folder)
    path, _ = console.save(folder, name, network, heard.fingerprint, facts)
    return Trained(path, facts)


def _at_rest(network: ConsoleNetwork) -> ConsoleNetwork:
    """A copy that is judged and written: on the processor, as held-out passages are, dropout off."""
    return copy.deepcopy(network).cpu().eval()


def _score(recipe: ConsoleRecipe, figures: dict[str, float]) -> float:
    """What the best round has most of: by ear, on the strips that will act, or by known settings where
    nothing is learned by ear."""
    if recipe.listening_rounds:
        return -figures["spectral" if recipe.master_acts else "spectral_stems"]
    weights = {"curve": recipe.curve_weight, "bins": recipe.bins_weight, "knob": recipe.knob_weight}
    return -sum(weight * figures[name] for name, weight in weights.items())


def total_loss(recipe: ConsoleRecipe, losses: dict[str, Tensor]) -> Tensor:
    """What is minimized."""
    total = recipe.prior_weight * losses["prior"]
    total = total + recipe.curve_weight * losses["curve"] + recipe.bins_weight * losses["bins"]
    total = total + recipe.knob_weight * losses["knob"]
    if "spectral" not in losses:
        return total
    by_ear = losses["spectral"] + losses["tone"] + recipe.af_weight * losses["af"]
    return by_ear + recipe.known_share * total


def _rate(recipe: ConsoleRecipe, step: int, ears: bool) -> float:
    before = recipe.rounds * recipe.steps_per_round
    if not ears:
        return learning_rate(recipe.learning_rate, recipe.warm_up_steps, step, before)
    total = recipe.listening_rounds * recipe.listening_steps
    return learning_rate(recipe.listening_rate, 0, step - before, total)


def _songs(corpus: Path, passages: Sequence[Passage]) -> list[CorpusSong]:
    used = {passage.neutral.song for passage in passages}
    return [song for pool in POOLS for song in Corpus(corpus).songs("train", pool) if song.id in used]
