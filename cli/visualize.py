"""`automix visualize`: the space of mixing styles as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from styletransfer.errors import UsageError

from .evaluate import CORPUS
from .terminal import (
    Device,
    Overwrite,
    Quiet,
    Threads,
    Verbose,
    guarded,
    progress,
    refuse_overwriting,
    set_up,
)


@guarded
def visualize(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A folder with sounds; sub-folders count.")
    ] = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="25 held-out pieces × 10 chains instead, beside baselines.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A .png or .svg.")
    ] = None,
    color: Annotated[str, typer.Option("--color", help="folder or stem.")] = "folder",
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME|FILE", help="The shipped one without.")
    ] = None,
    mee: Annotated[
        str | None, typer.Option("--mee", metavar="NAME|FILE", help="With --paper: the effect classifier.")
    ] = None,
    corpus: Annotated[
        Path, typer.Option("--corpus", metavar="DIR", help="With --paper: what `automix corpus build` wrote.")
    ] = CORPUS,
    split: Annotated[str, typer.Option("--split", help="With --paper: test or validation.")] = "test",
    seed: Annotated[int, typer.Option("--seed", help="For passages and the map.")] = 0,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Draw a t-SNE picture of sounds by mixing style: what lies together is mixed alike.

    Example: automix visualize my-mixes -o styles.png --color folder
    """
    from styletransfer import encoders
    from styletransfer.evaluation.style import evaluate, outputs, pictures
    from styletransfer.evaluation.style.folder import COLOURS, embed_folder

    if paper == (folder is not None):
        raise UsageError("give either a folder with sounds, or --paper for held-out pieces of the corpus")
    if color not in COLOURS:
        raise UsageError(f"a picture is coloured by {' or '.join(COLOURS)}, not by {color!r}")
    target = output or Path("styles-paper.png" if paper else "styles.png")
    pictures.check_target(target)
    refuse_overwriting([target], [], overwrite)
    set_up(threads, device)
    with progress(quiet) as show:
        if folder is not None:
            sounds = embed_folder(
                folder, encoder or encoders.SHIPPED, device, lambda fraction: show("embedding", fraction)
            )
            figure = pictures.folder_figure(
                sounds.vectors, sounds.labels(color), seed, [path.stem for path in sounds.paths]
            )
        else:
            config = evaluate.StyleConfig(corpus=corpus, split=split, encoder=encoder, mee=mee, seed=seed)
            figure = outputs.picture_of_corpus(config, show)
    typer.echo(str(pictures.write(figure, target)))
