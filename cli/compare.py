"""`automix compare`: any sounds beside each other on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from styletransfer.errors import UsageError

from .pages import Page, Plots, ReportAudio
from .terminal import Overwrite, Quiet, Threads, Verbose, guarded, progress, refuse_overwriting, set_up


@guarded
def compare(
    sounds: Annotated[list[Path], typer.Argument(metavar="A B [C…]", help="Two to nine sounds.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page, a .html.")] = Path(
        "compare.html"
    ),
    report_audio: ReportAudio = "excerpt",
    plots: Plots = None,
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Hear and see sounds beside each other on one page, at equal loudness.

    Example: automix compare first-mix.wav second-mix.wav a-song-i-love.flac -o compare.html
    """
    if output.suffix.lower() != ".html":
        raise UsageError(f"{output.name} is no page; name a .html")
    page = Page.at(output, report_audio, plots)
    refuse_overwriting(page.files(), sounds, overwrite)
    from styletransfer import report

    set_up(threads, "cpu")
    with progress(quiet) as show:
        found = report.compare(sounds, page.audio, show)
        show("writing", 0.0)
        paths = page.write(found)
        show("writing", 1.0)
    for path in paths:
        typer.echo(path)
