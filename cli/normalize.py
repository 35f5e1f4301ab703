"""`automix normalize`: stems brought to the average sound of their class; or the averages measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from styletransfer.errors import UsageError

from .completion import STEM_NAMES, one_of
from .terminal import Overwrite, Quiet, Threads, Verbose, guarded, progress, refuse_overwriting, say, set_up


@guarded
def normalize(
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE|DIR", help="A stem, or a folder with stems; a corpus for --measure."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File or folder.", show_default="FILE.normalized.wav, DIR.normalized"
        ),
    ] = None,
    stem: Annotated[
        str | None,
        typer.Option(
            "--stem",
            help="drums, bass, other, vocals or mix.",
            show_default="what file names say",
            autocompletion=one_of(*STEM_NAMES, "mix"),
        ),
    ] = None,
    mix: Annotated[bool, typer.Option("--mix", help="Also write the sum of each folder's stems.")] = False,
    rooms: Annotated[bool, typer.Option("--rooms", help="Add a random room to stems that are dry.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of what --rooms or --measure draws.")] = 0,
    averages: Annotated[
        Path | None, typer.Option("--averages", help="Averages of your own, as JSON from --measure.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure the averages of a corpus's training songs instead.")
    ] = False,
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Bring stems to the average loudness, tone, punch and width of their class.

    Example: automix normalize drums.wav
    """
    if measure:
        if stem is not None or mix or rooms or averages is not None:
            raise UsageError("--measure takes a corpus, --output and --seed only; leave out the rest")
        _measure(source, output or Path("fx-averages.json"), seed, threads, overwrite, quiet)
        return
    import torch

    from styletransfer import files
    from styletransfer.normalization import load_averages, sound_files

    jobs = sound_files.jobs_for(source, stem, output)
    targets = [job.target for job in jobs] + (sound_files.mixes_of(jobs) if mix else [])
    refuse_overwriting(targets, [job.source for job in jobs], overwrite)
    for job in jobs:
        files.output_format(job.target, files.inspect(job.source).rate)
    set_up(threads, "cpu")
    generator = torch.Generator().manual_seed(seed) if rooms else None
    known = load_averages(averages)
    with progress(quiet) as show:
        done = sound_files.normalize_files(
            jobs, known, generator, mix=mix, progress=lambda fraction: show("normalizing", fraction)
        )
    for written in done:
        if written.clipped:
            say(f"{written.path}: {written.clipped} samples were clipped; write to .wav to keep them", quiet)
        typer.echo(written.path)


def _measure(
    corpus: Path, output: Path, seed: int, threads: int | None, overwrite: bool, quiet: bool
) -> None:
    refuse_overwriting([output], [], overwrite)

    from styletransfer.corpus.folder import Corpus
    from styletransfer.normalization.measuring import measure_averages

    set_up(threads, "cpu")
    with progress(quiet) as show:
        found = measure_averages(Corpus(corpus), seed, progress=lambda fraction: show("measuring", fraction))
    typer.echo(found.save(output))
