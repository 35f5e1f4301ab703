"""`automix analyze`: what is measured of a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Device, Json, Quiet, Repo, SeparatorName, Threads, Verbose, guarded, progress, set_up


@guarded
def analyze(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Sounds to measure.")],
    stems: Annotated[bool, typer.Option("--stems", help="Measure each stem as well.")] = False,
    separator: SeparatorName = "auto",
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Measure loudness, true peak, crest, width and spectrum.

    Example: automix analyze my-song.wav a-song-i-love.flac --stems
    """
    from styletransfer import analysis

    set_up(threads, device)
    with progress(quiet) as show:
        found = {
            str(source): analysis.analyze(
                source, separator if stems else None, repo=repo, device=device, progress=show
            )
            for source in sources
        }
    if json:
        typer.echo(analysis.as_json(found))
        return
    for line in analysis.table(found):
        typer.echo(line)
