"""`automix corpus`: songs as stems to learn from, made of material that anyone can install."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Quiet, Verbose, guarded, progress, say

app = typer.Typer(help="Songs as stems to learn from, in three splits.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DEST", help="The corpus' folder.")]


@app.command()
@guarded
def build(
    destination: Folder,
    hours: Annotated[
        float | None, typer.Option("--hours", help="Build a part: a fair sample of so many hours.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of all that is drawn.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that work at once.")] = 2,
    voices: Annotated[
        bool, typer.Option(help="Let half of the songs be sung; --no-voices leaves that for later.")
    ] = True,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Render songs from Debian's scores, modules, sound banks and voices. What is finished is kept.

    Needs libfluidsynth3 and libopenmpt0; downloads about 0.7 GB of packages, installs none, and fills
    about 0.8 GB per hour.

    Example: automix corpus build ~/corpus --hours 6
    """
    from styletransfer.corpus import build as building
    from styletransfer.corpus import check as checking

    with progress(quiet) as show:
        built = building.build(destination, hours=hours, seed=seed, jobs=jobs, voices=voices, progress=show)
    for why in built.skipped:
        say(f"no song: {why}", quiet or not verbose)
    for line in checking.table(built.songs):
        typer.echo(line)


@app.command()
@guarded
def check(destination: Folder, quiet: Quiet = False, verbose: Verbose = 0) -> None:
    """Hold a corpus against what it promises: files, lengths, silence, clipping, splits, licences.

    Example: automix corpus check ~/corpus
    """
    from styletransfer.corpus import check as checking
    from styletransfer.corpus.folder import Corpus

    corpus = Corpus(destination)
    with progress(quiet) as show:
        faults = checking.faults(corpus, progress=lambda share: show("checking", share))
    for line in checking.table(corpus.songs()):
        typer.echo(line)
    for fault in faults:
        typer.echo(f"fault: {fault}")
    if faults:
        raise typer.Exit(3)
