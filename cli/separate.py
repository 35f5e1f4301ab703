"""`automix separate`: a mix into stems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    Device,
    Overwrite,
    Quiet,
    Repo,
    SeparatorName,
    Threads,
    Verbose,
    guarded,
    progress,
    refuse_overwriting,
    say,
    set_up,
)


@guarded
def separate(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="The mix.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the stems.", show_default="INPUT.stems")
    ] = None,
    separator: SeparatorName = "auto",
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Split a mix into drums, bass, other, vocals and the rest; together they are the mix.

    Example: automix separate my-song.wav -o stems
    """
    from styletransfer.audio import STEMS

    folder = output or source.with_name(f"{source.stem}.stems")
    targets = [folder / f"{name}.wav" for name in (*STEMS, "rest")]
    refuse_overwriting(targets, [source], overwrite)

    from styletransfer import files
    from styletransfer.separation import choose, rest_of
    from styletransfer.sources import load
    from styletransfer.stem_cache import StemCache, separate_cached

    set_up(threads, device)
    used = choose(separator, repo=repo, device=device)
    say(f"separator: {used.name}", quiet)
    song = load(source, "the input")
    with progress(quiet) as show:
        stems = separate_cached(song.audio, used, StemCache(), lambda fraction: show("separating", fraction))
    files.make_folder(folder)
    for target, stem in zip(targets, [*stems.values(), rest_of(song.audio, stems)], strict=True):
        files.write(target, stem, subtype="FLOAT")
        typer.echo(target)
