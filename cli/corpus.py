"""`automix corpus`: songs as stems to learn from, made of material that anyone can install."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import Quiet, Threads, Verbose, guarded, progress, say, set_up

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
        bool, typer.Option(help="Let three songs in five be sung; --no-voices leaves that for later.")
    ] = True,
    stems: Annotated[
        Path | None,
        typer.Option(
            "--stems", help="Add your own stems instead: MUSDB18, MoisesDB, Slakh, or a folder per song."
        ),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Render songs from Debian's scores, modules, sound banks and voices. What is finished is kept.

    Needs libfluidsynth3 and libopenmpt0; downloads about 0.7 GB of packages, installs none, and fills
    about 0.6 GB per hour.

    Example: automix corpus build ~/corpus --hours 6
    """
    if stems is not None:
        _add_stems(destination, stems, quiet)
        return
    from styletransfer.corpus import build as building
    from styletransfer.corpus import check as checking

    with progress(quiet) as show:
        built = building.build(destination, hours=hours, seed=seed, jobs=jobs, voices=voices, progress=show)
    for why in built.skipped:
        say(f"no song: {why}", quiet or not verbose)
    for line in checking.table(built.songs):
        typer.echo(line)


def _add_stems(destination: Path, stems: Path, quiet: bool) -> None:
    from styletransfer.corpus import people

    with progress(quiet) as show:
        added = people.add_stems(destination, stems, progress=show)
    for sentence in added.left_out:
        say(sentence, quiet)
    for song in added.songs:
        typer.echo(song)


@app.command()
@guarded
def finished(
    destination: Folder,
    songs: Annotated[
        int, typer.Option("--songs", min=1, max=200, help="At most so many songs, 30 s of each.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Of the choice of songs.")] = 0,
    megabytes: Annotated[int, typer.Option("--megabytes", min=1, help="How much to download at most.")] = 700,
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Add finished music, separated by `builtin`: what an encoder hears at work. What is there is kept.

    The songs come in Debian packages, none of which is installed, and are by nobody whose songs this
    project is judged on. Each song's licence stands in its meta.json.

    Example: automix corpus finished ~/corpus --songs 100
    """
    from styletransfer.corpus import check as checking
    from styletransfer.corpus import finished as wet
    from styletransfer.corpus.folder import read_song

    set_up(threads, "cpu")
    with progress(quiet) as show:
        pool = wet.build_finished(destination, songs, seed, megabytes=megabytes, progress=show)
    for sentence in pool.left_out:
        say(sentence, quiet)
    for line in checking.table([read_song(path) for path in pool.songs]):
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
