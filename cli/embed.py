"""`automix embed`: the style of songs, as numbers."""

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
    set_up,
)


@guarded
def embed(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Songs.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .safetensors, .npz or .json file for the styles.")
    ] = Path("style.safetensors"),
    stems: Annotated[
        bool, typer.Option("--stems", help="Also separate each song and embed its stems.")
    ] = False,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="A .safetensors file of your own.", show_default="as shipped"),
    ] = None,
    separator: SeparatorName = "auto",
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Hear how songs were mixed: an embedding of each song's style, and of each stem's.

    Example: automix embed my-song.wav a-song-i-love.flac -o styles.npz
    """
    refuse_overwriting([output], sources, overwrite)

    from styletransfer import encoders, style, style_files

    style_files.check_target(output)
    set_up(threads, device)
    with progress(quiet) as show:
        found = style.styles_of(
            sources,
            encoder or encoders.SHIPPED,
            separator if stems else None,
            repo=repo,
            device=device,
            progress=show,
        )
    typer.echo(style_files.save_styles(output, found))
