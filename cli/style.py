"""`automix style`: one style as a thing, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    Device,
    Json,
    Overwrite,
    Quiet,
    Repo,
    SeparatorName,
    Threads,
    Verbose,
    guarded,
    numbers,
    progress,
    refuse_overwriting,
    set_up,
    span,
)

app = typer.Typer(
    help="A style as a thing: how a song is mixed, in a file without its sound.", no_args_is_help=True
)

LibraryPath = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="PATH",
        help="The library's file.",
        show_default="one under your data folder",
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option("--encoder", metavar="NAME|FILE", help="The encoder that hears.", show_default="as shipped"),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="A tag; repeatable.")]


@app.command()
@guarded
def save(
    reference: Annotated[Path, typer.Argument(metavar="REF", help="The finished mix that has the style.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A .style.safetensors file.", show_default="REF's name with that"
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", help="What it is called.", show_default="REF's name")
    ] = None,
    tags: Tags = None,
    ref_range: Annotated[
        str | None, typer.Option("--ref-range", help="Measure only this passage, like 1:00-1:45.")
    ] = None,
    ref_stems: Annotated[
        Path | None, typer.Option("--ref-stems", help="Folder with REF's stems; skips separating.")
    ] = None,
    encoder: Encoder = None,
    separator: SeparatorName = "auto",
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Keep the style of a song: what a transfer reads of a reference, without its sound.

    Example: automix style save a-song-i-love.flac -o warm.style.safetensors --tag mine
    """
    from styletransfer import encoders, files
    from styletransfer.library import Listener, style_file
    from styletransfer.stem_cache import StemCache

    files.inspect(reference)
    target = output or Path(f"{reference.stem}{style_file.SUFFIX}")
    style_file.check_target(target)
    refuse_overwriting([target], [reference], overwrite)
    passage = span(ref_range)
    set_up(threads, device)
    with progress(quiet) as show:
        listener = Listener.of(
            encoder or encoders.SHIPPED, separator, repo=repo, device=device, cache=StemCache()
        )
        heard = listener.hear(
            reference, title=title, tags=tags or (), stems_from=ref_stems, range_s=passage, progress=show
        )
    typer.echo(style_file.save_style(target, heard))


@app.command()
@guarded
def show(
    styles: Annotated[list[str], typer.Argument(metavar="STYLE…", help="A file, or a name in the library.")],
    library: LibraryPath = None,
    json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """Say what styles hold: where they come from, and what was measured.

    Example: automix style show warm.style.safetensors
    """
    from styletransfer import analysis
    from styletransfer.library import shown, style_named

    found = [style_named(style, library) for style in styles]
    if json:
        typer.echo(shown.as_json(found))
        return
    for style in found:
        for line in shown.lines(style):
            typer.echo(line)
        for line in list(analysis.table({style.title: shown.figures(style)}))[1:]:
            typer.echo(line)


@app.command()
@guarded
def mix(
    styles: Annotated[list[str], typer.Argument(metavar="STYLE…", help="Files, or names in the library.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .style.safetensors file.")],
    weights: Annotated[
        str | None, typer.Option("--weights", help="One per style, comma-separated.", show_default="equal")
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", help="What it is called.", show_default="A + B")
    ] = None,
    library: LibraryPath = None,
    overwrite: Overwrite = False,
    verbose: Verbose = 0,
) -> None:
    """Make the style that lies between several.

    Example: automix style mix warm bright --weights .7,.3 -o both.style.safetensors
    """
    from styletransfer.library import mixed, style_file, style_named

    weighted = numbers(weights, "--weights") if weights else None
    style_file.check_target(output)
    refuse_overwriting([output], [], overwrite)
    found = [style_named(style, library) for style in styles]
    typer.echo(style_file.save_style(output, mixed(found, weighted, title)))
