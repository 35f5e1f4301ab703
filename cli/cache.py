"""`automix cache`: the stems that are kept."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import Verbose, guarded

app = typer.Typer(help="Stems that are kept, so that a song is separated once.", no_args_is_help=True)


@app.command("list")
@guarded
def list_entries(verbose: Verbose = 0) -> None:
    """List what is kept, and its size.

    Example: automix cache list
    """
    from styletransfer.stem_cache import StemCache

    cache = StemCache()
    for entry in cache.entries():
        typer.echo(f"{entry.size_bytes / 1e6:8.1f} MB  {entry.key}")
    typer.echo(f"{cache.size_bytes / 1e6:8.1f} MB of {cache.limit_bytes / 1e6:.0f} MB in {cache.root}")


@app.command()
@guarded
def clear(
    verbose: Verbose = 0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Remove all that is kept; it is made again when needed.

    Example: automix cache clear --yes
    """
    from styletransfer.stem_cache import StemCache

    cache = StemCache()
    if not yes:
        typer.confirm(f"Remove {cache.size_bytes / 1e6:.0f} MB of stems from {cache.root}?", abort=True)
    cache.clear()
    typer.echo(f"{cache.root} is empty")
