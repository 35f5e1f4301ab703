"""`automix serve`: the page."""

from __future__ import annotations

from typing import Annotated

import typer

from styletransfer.errors import UsageError

from .style import LibraryPath
from .terminal import (
    ConverterName,
    Device,
    Quiet,
    Repo,
    SeparatorName,
    Threads,
    Verbose,
    guarded,
    say,
    set_up,
)


@guarded
def serve(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Of 127.0.0.1; 0 takes a free one.")
    ] = 8420,
    upload_mb: Annotated[
        int, typer.Option("--upload-mb", min=1, help="The largest file that is taken, in megabytes.")
    ] = 500,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.1, help="The longest sound that is taken, in minutes.")
    ] = 15.0,
    styles: Annotated[
        bool,
        typer.Option(
            "--styles",
            help="Offer your library's styles too; all who can open the page can read their titles.",
        ),
    ] = False,
    library: LibraryPath = None,
    converter: ConverterName = "auto",
    separator: SeparatorName = "auto",
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Open the page on this machine: drop songs, transfer, turn knobs, take away. Ctrl-C ends it.

    Example: automix serve --port 8420
    """
    try:
        from styletransfer.web import Limits, Means, serve
    except ImportError as error:
        if not (error.name or "").startswith(("starlette", "uvicorn")):
            raise
        raise UsageError("the page needs the extra `web`: pip install 'automix[web]'") from error

    from styletransfer.library.database import default_path

    set_up(threads, device)

    def ready(address: str) -> None:
        say("the page is open for this machine alone; Ctrl-C ends it", quiet)
        typer.echo(address)

    offered = (library or default_path()) if styles else None
    limits = Limits(upload_mb=upload_mb, minutes=minutes)
    serve(port, limits=limits, means=Means(separator, repo, device, converter, offered), ready=ready)
