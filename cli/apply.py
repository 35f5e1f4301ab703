"""`automix apply`: render saved settings again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .pages import Page, Plots, ReportAudio, ReportWish
from .sessions import Daw, Sessions
from .terminal import (
    Device,
    Json,
    Overwrite,
    Quiet,
    Repo,
    Threads,
    Verbose,
    check_outputs,
    guarded,
    inside,
    progress,
    refuse_overwriting,
    saved_files,
    set_up,
)
from .transfer import report


@guarded
def apply(
    settings: Annotated[
        Path,
        typer.Argument(metavar="RESULT.JSON", help="What `automix transfer --save` wrote, edited or not."),
    ],
    source: Annotated[
        Path | None, typer.Argument(metavar="[INPUT]", help="The mix (not with --stems-in alone).")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The finished mix.", show_default="INPUT.automix.wav"),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Folder for stems, result.json and A/B excerpts.")
    ] = None,
    report_wish: ReportWish = None,
    report_audio: ReportAudio = "excerpt",
    plots: Plots = None,
    daw: Daw = None,
    amount: Annotated[
        float, typer.Option("--amount", min=0, max=1, help="Scales every strength once more.")
    ] = 1.0,
    stems_in: Annotated[
        Path | None, typer.Option("--stems-in", help="Folder with the input's stems.")
    ] = None,
    converter: Annotated[
        Path | None,
        typer.Option(
            "--converter",
            metavar="FILE",
            help="The network that stems went through, where it is not the shipped one.",
        ),
    ] = None,
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Render an edited result.json again, without separating again; another input takes it as a preset.

    Example: automix apply result/result.json my-song.wav -o again.wav
    """
    from .transfer import default_output

    target = output or default_output(source or stems_in)
    sources = [settings, *([source] if source else []), *inside(stems_in)]
    page = Page.asked(report_wish, report_audio, plots, target, save)
    sessions = Sessions.asked(daw, target, save)
    targets = [target, *saved_files(save), *page.files(), *sessions.files()]
    refuse_overwriting(targets, sources, overwrite)

    import styletransfer
    from styletransfer import files
    from styletransfer.save import save_all

    set_up(threads, device)
    check_outputs(target, 48000 if source is None else files.inspect(source).rate, save)
    with progress(quiet) as show:
        result = styletransfer.apply(
            settings,
            source,
            stems_in=stems_in,
            amount=amount,
            converter=None if converter is None else str(converter),
            repo=repo,
            device=device,
            progress=show,
        )
        show("writing", 0.0)
        paths = [result.write(target), *(save_all(result, save) if save else [])]
        paths += [*page.write_result(result), *sessions.write(result)]
        show("writing", 1.0)
    report(result, paths, json, quiet, verbose)
