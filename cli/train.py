"""`automix train`: networks from a corpus, by recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .completion import recipes
from .terminal import Device, Quiet, Threads, Verbose, guarded, progress, say, set_up

if TYPE_CHECKING:
    from styletransfer.training.state import Trained

app = typer.Typer(no_args_is_help=True, help="Train a network on a corpus that `automix corpus` built.")

Corpus = Annotated[Path, typer.Argument(metavar="CORPUS", help="The corpus's folder.")]
Start = Annotated[str | None, typer.Option("--from", help="Weights to start from: a shipped name or a file.")]
Minutes = Annotated[
    float | None,
    typer.Option(
        "--minutes",
        min=0,
        help="Stop before a round that, if as long as the last, would pass this; one is always trained.",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Instead of the recipe's.")]
Workers = Annotated[int | None, typer.Option("--workers", min=0, help="Processes that make the material.")]


@app.callback()
def _root() -> None:
    pass


@app.command()
@guarded
def encoder(
    corpus: Corpus,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder of the run: shards, logs, weights."),
    ],
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            help="cpu, separated, classifier, second, gpu or paper, or a .toml file.",
            autocompletion=recipes("encoder"),
        ),
    ] = "cpu",
    start: Start = None,
    material: Annotated[
        Path | None, typer.Option("--material", help="Folder of a run whose shards serve; none is rendered.")
    ] = None,
    minutes: Minutes = None,
    seed: Seed = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Of the weights' file.", show_default="fxencoder-small, or -paper"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="Processes that render; 0 renders on the device.")
    ] = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Train an FXencoder. Run again with the same folder, it goes on where it was cut off.

    Example: automix train encoder my-corpus --recipe cpu -o run
    """
    import os

    from styletransfer.training.encoder import run as training
    from styletransfer.training.encoder.recipe import read

    set_up(threads, device)
    asked = {"minutes": minutes, "seed": seed}
    chosen = read(recipe).model_copy(update={key: value for key, value in asked.items() if value is not None})
    if workers is None:
        workers = 0 if device != "cpu" else threads or os.cpu_count() or 1
    with progress(quiet) as show:
        trained = training.train(
            chosen,
            corpus,
            output,
            name=name,
            start=start,
            material=material,
            device=device,
            workers=workers,
            progress=show,
        )
    _told(trained, quiet)


@app.command()
@guarded
def separator(
    corpus: Corpus,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder of the run: snapshots, logs, weights."),
    ],
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            help="cpu, cpu-again, gpu, bands or unet, or a .toml file.",
            autocompletion=recipes("separator"),
        ),
    ] = "cpu",
    start: Start = None,
    minutes: Minutes = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, help="Instead of the recipe's; the schedule fits them.")
    ] = None,
    seed: Seed = None,
    name: Annotated[str, typer.Option("--name", help="Of the weights' file.")] = "splitter-small",
    workers: Workers = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Train the separator's splitter of drums, bass and other. Run again, it goes on where it was cut off.

    Example: automix train separator my-corpus --recipe cpu -o run
    """
    import os

    from styletransfer.training.separator import run
    from styletransfer.training.separator.recipe import read

    set_up(threads, device)
    asked = {"minutes": minutes, "seed": seed, "rounds": rounds}
    chosen = read(recipe).model_copy(update={key: value for key, value in asked.items() if value is not None})
    if workers is None:
        workers = 1 if device == "cpu" else os.cpu_count() or 1
    with progress(quiet) as show:
        trained = run.train(
            chosen, corpus, output, name=name, start=start, device=device, workers=workers, progress=show
        )
    _told(trained, quiet)


@app.command()
@guarded
def converter(
    corpus: Corpus,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder of the run: shards, snapshots, logs, pictures, weights."),
    ],
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            help="console, console-by-ear, tcn, tcn-gpu, paper, or a .toml file that names its kind.",
            autocompletion=recipes("console", "tcn"),
        ),
    ],
    start: Start = None,
    material: Annotated[
        Path | None, typer.Option("--material", help="Folder of neutral passages, shared with other runs.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="Whose styles it is told: a shipped name or a file.")
    ] = None,
    minutes: Minutes = None,
    seed: Seed = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the weights' file.")] = None,
    workers: Workers = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Train a converter: what decides how stems come to sound like a reference's. Run again, it goes on.

    Example: automix train converter my-corpus --recipe console -o run
    """
    import os

    from styletransfer.training.converters import training_of

    set_up(threads, device)
    recipes, run = training_of(recipe)
    asked = {"minutes": minutes, "seed": seed}
    chosen = recipes.read(recipe).model_copy(update={k: v for k, v in asked.items() if v is not None})
    named = {"name": name, "encoder": encoder}
    with progress(quiet) as show:
        trained = run.train(
            chosen,
            corpus,
            output,
            **{key: value for key, value in named.items() if value is not None},
            start=start,
            material=material,
            device=device,
            workers=(threads or os.cpu_count() or 1) if workers is None else workers,
            progress=show,
        )
    _told(trained, quiet)


def _told(trained: Trained, quiet: bool) -> None:
    """Say the best round's figures, what they chose, and where the weights are; one process says it."""
    import os

    if os.environ.get("RANK", "0") != "0":
        return
    say(f"best round: {trained.facts['validation']}", quiet)
    for name, by_effect in trained.facts.get("scales", {}).items():
        chosen = ", ".join(f"{effect} {share:g}" for effect, share in by_effect.items())
        say(f"share of the network's residuals in {name}: {chosen or 'none'}", quiet)
    for kind, told in trained.facts.get("by_ear", {}).items():
        against = "".join(
            "; {} {:.3f}, {:+.3f} [{:+.3f}, {:+.3f}]".format(
                name, one["distance"], *one["difference"].values()
            )
            for name, one in told["baselines"].items()
        )
        say(f"distance by ear, {told['strips']} strips ({kind}): {told['distance']:.3f}{against}", quiet)
    typer.echo(trained.path)
