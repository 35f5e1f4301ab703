"""`automix library`: many styles, kept, searched and told apart."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from styletransfer.errors import AudioError, UsageError

from .completion import STEM_NAMES, one_of
from .style import Encoder, LibraryPath, Tags
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
    progress,
    refuse_overwriting,
    say,
    set_up,
)

app = typer.Typer(help="Styles that you keep, to search them and to mix like them.", no_args_is_help=True)

Names = Annotated[list[str], typer.Argument(metavar="NAME…", help="Titles, or numbers like '#3'.")]


@app.command()
@guarded
def add(
    targets: Annotated[list[Path], typer.Argument(metavar="DIR|FILE…", help="Songs and styles.")],
    tags: Tags = None,
    library: LibraryPath = None,
    encoder: Encoder = None,
    separator: SeparatorName = "auto",
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Keep the styles of songs; what is known is skipped, so an interrupted run may be started again.

    Example: automix library add ~/Music/loved --tag loved
    """
    from styletransfer import encoders
    from styletransfer.library import Library, Listener, add_files, files_in
    from styletransfer.texts import plain

    paths = files_in(targets)
    set_up(threads, device)
    left_out = 0
    with Library(library) as kept, progress(quiet) as show:
        listener = Listener.of(encoder or encoders.SHIPPED, separator, repo=repo, device=device)
        for outcome in add_files(kept, paths, listener, tags or (), show):
            typer.echo(f"{outcome.state:8}  {plain(str(outcome.path), 500)}")
            if outcome.state == "left out":
                left_out += 1
                say(f"left out: {plain(outcome.message, 500)}")
    if left_out:
        raise AudioError(f"{left_out} of {len(paths)} files were left out; the others are kept")


@app.command("list")
@guarded
def list_styles(
    tag: Annotated[str | None, typer.Option("--tag", "-t", help="Only what has this tag.")] = None,
    library: LibraryPath = None,
    json: Json = False,
    verbose: Verbose = 0,
) -> None:
    """List what is kept.

    Example: automix library list --tag loved
    """
    from styletransfer.library import Library
    from styletransfer.texts import plain

    with Library(library, must_exist=True) as kept:
        entries = kept.entries(tag)
    if json:
        rows = [
            {
                "number": entry.number,
                "title": entry.title,
                "tags": list(entry.tags),
                "encoder": entry.encoder,
                "path": None if entry.path is None else str(entry.path),
            }
            for entry in entries
        ]
        typer.echo(json_text.dumps(rows, indent=2))
        return
    for entry in entries:
        typer.echo(f"#{entry.number:<5} {entry.title}{''.join(f' [{plain(name)}]' for name in entry.tags)}")


@app.command()
@guarded
def tag(
    names: Names,
    tags: Tags = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="A tag to take; repeatable.")] = None,
    library: LibraryPath = None,
    verbose: Verbose = 0,
) -> None:
    """Give kept styles tags, or take some.

    Example: automix library tag a-song-i-love --tag warm --remove new
    """
    if not tags and not remove:
        raise UsageError("there is no tag to give or to take; add --tag or --remove")
    from styletransfer.library import Library

    with Library(library, must_exist=True) as kept:
        numbers = [kept.find(name).number for name in names]
        kept.tag(numbers, tags or (), remove or ())


@app.command()
@guarded
def rm(names: Names, library: LibraryPath = None, verbose: Verbose = 0) -> None:
    """Forget styles; their songs stay.

    Example: automix library rm a-song-i-love
    """
    from styletransfer.library import Library

    with Library(library, must_exist=True) as kept:
        kept.remove([kept.find(name).number for name in names])


@app.command()
@guarded
def search(
    query: Annotated[str, typer.Argument(metavar="FILE|STYLE", help="A song, a style's file, or a name.")],
    stem: Annotated[
        str,
        typer.Option(
            "--stem",
            help="Search by drums, bass, other or vocals alone.",
            autocompletion=one_of(*STEM_NAMES, "mix"),
        ),
    ] = "mix",
    most: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")] = 10,
    library: LibraryPath = None,
    encoder: Encoder = None,
    separator: SeparatorName = "auto",
    repo: Repo = None,
    device: Device = "cpu",
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Find the kept styles nearest to a song's or a style's, and say what differs.

    Example: automix library search my-song.wav --stem drums -k 5
    """
    from styletransfer import encoders
    from styletransfer.library import Library, Listener, neighbours, style_named
    from styletransfer.library import search as search_styles
    from styletransfer.library.searching import MANY_ROWS
    from styletransfer.stem_cache import StemCache

    set_up(threads, device)
    with Library(library, must_exist=True) as kept, progress(quiet) as show:
        if Path(query).is_file() and not query.lower().endswith(".safetensors"):
            kept.check_filled()
            listener = Listener.of(
                encoder or encoders.SHIPPED, separator, repo=repo, device=device, cache=StemCache()
            )
            asked = listener.hear(Path(query), progress=show)
        else:
            asked = style_named(query, library)
        near = search_styles(kept, asked, stem, most, lambda done: show("indexing", done))
        many = kept.count(stem, asked.song.encoder, most=MANY_ROWS + 1) > MANY_ROWS
        if many and not neighbours.available():
            say("so many styles are searched faster with usearch: pip install 'automix[ann]'", quiet)
    if json:
        rows = [
            {"number": f.entry.number, "title": f.entry.title, "distance": f.distance, "words": f.words}
            for f in near
        ]
        typer.echo(json_text.dumps(rows, indent=2))
        return
    for found in near:
        typer.echo(f"{found.distance:.3f}  #{found.entry.number:<5} {found.entry.title}: {found.words}")


@app.command()
@guarded
def export(
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR|FILE",
            help="A folder for one .style.safetensors each, or one .npz, .json or .safetensors as of "
            "`automix embed`.",
        ),
    ],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="Titles or numbers; all without.")
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", "-t", help="Only what has this tag.")] = None,
    library: LibraryPath = None,
    overwrite: Overwrite = False,
    verbose: Verbose = 0,
) -> None:
    """Write kept styles to files, to share them: `automix library add` takes them in again.

    Example: automix library export --tag loved -o shared-styles
    """
    from styletransfer.library import Library, exporting

    with Library(library, must_exist=True) as kept:
        entries = kept.entries(tag) if not names else [kept.find(name) for name in names]
        targets = exporting.targets(entries, output)
        refuse_overwriting(sorted(set(targets.values())), [], overwrite)
        for path in exporting.export(kept, targets):
            typer.echo(path)
