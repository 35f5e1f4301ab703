"""`automix evaluate`: how good are the networks, on songs that they never heard?"""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .completion import converters as known_converters
from .completion import one_of
from .terminal import (
    Device,
    Json,
    Quiet,
    Repo,
    SeparatorName,
    Threads,
    Verbose,
    guarded,
    progress,
    say,
    set_up,
)

app = typer.Typer(help="Measure what the networks are worth, beside baselines.", no_args_is_help=True)

CORPUS = Path.home() / ".cache" / "automix-corpus"


@contextmanager
def _results(folder: Path) -> Iterator[None]:
    """Where results go can be written before the work; what fails leaves no empty folder behind."""
    from styletransfer.files import make_folder

    new = not folder.exists()
    make_folder(folder)
    try:
        yield
    except BaseException:
        if new and not any(folder.iterdir()):
            folder.rmdir()
        raise


@app.command()
@guarded
def encoder(
    corpus: Annotated[
        Path, typer.Option("--corpus", metavar="DIR", help="What `automix corpus build` wrote.")
    ] = CORPUS,
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME|FILE", help="The shipped one without.")
    ] = None,
    mee: Annotated[
        str | None, typer.Option("--mee", metavar="NAME|FILE", help="The effect classifier to compare with.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small part, for development.")] = False,
    split: Annotated[
        str,
        typer.Option(
            "--split",
            help="test, or validation while developing.",
            autocompletion=one_of("test", "validation"),
        ),
    ] = "test",
    foreign: Annotated[bool, typer.Option(help="Also effects of sox, a program that must be here.")] = True,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where JSON, Markdown, pictures go.")
    ] = Path("encoder-output"),
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Where embeddings are kept between runs.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="For passages, draws and probes.")] = 0,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Print the style tables: retrieval, disentanglement, leak, probes, beside all baselines.

    Example: automix evaluate encoder --corpus ~/.cache/automix-corpus --quick
    """
    from styletransfer.evaluation.style import evaluate, outputs, plan, report

    set_up(threads, "cpu")
    config = evaluate.StyleConfig(
        corpus=corpus,
        split=split,
        encoder=encoder,
        mee=mee,
        plan=plan.QUICK if quick else plan.FULL,
        foreign=foreign,
        seed=seed,
        cache=cache or evaluate.default_cache(),
    )
    with _results(output), progress(quiet) as show:
        found = evaluate.evaluate(config, show)
    if json:
        typer.echo(json_format.dumps(report.figures(found, config), indent=1, ensure_ascii=False))
    else:
        typer.echo(report.markdown(found, config))
    for path in outputs.write(found, config, output):
        say(str(path), quiet)


@app.command()
@guarded
def separator(
    corpus: Annotated[
        Path, typer.Option("--corpus", metavar="DIR", help="What `automix corpus build` wrote.")
    ] = CORPUS,
    real: Annotated[
        Path | None,
        typer.Option("--real", metavar="DIR", help="Real recordings: a folder of tracks per song."),
    ] = None,
    separator: SeparatorName = "builtin",
    repo: Repo = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few rendered songs, for development.")] = False,
    songs: Annotated[int | None, typer.Option("--songs", min=1, help="Rendered songs, at most.")] = None,
    split: Annotated[
        str,
        typer.Option(
            "--split",
            help="test, or validation while developing.",
            autocompletion=one_of("test", "validation"),
        ),
    ] = "test",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where JSON, Markdown, picture go.")
    ] = Path("separator-output"),
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Also the weights with which confidence would tell best.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="For the intervals.")] = 0,
    device: Device = "cpu",
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Print how well stems are separated: rendered songs and real recordings, beside baselines and an oracle.

    Example: automix evaluate separator --real my-multitracks --quick
    """
    from styletransfer.evaluation.separation import calibration, evaluate, goals, report

    set_up(threads, device)
    config = evaluate.SeparationConfig(
        corpus=corpus,
        real=real,
        split=split,
        separator=separator,
        repo=repo,
        songs=songs or (evaluate.QUICK_SONGS if quick else None),
        seed=seed,
        device=device,
    )
    with _results(output), progress(quiet) as show:
        found = evaluate.evaluate(config, show)
    if json:
        typer.echo(json_format.dumps(report.figures(found, config), indent=1, ensure_ascii=False))
    else:
        typer.echo(report.markdown(found, config))
    if calibrate:
        say(str(calibration.weights(found, goals.asked_for(found))), quiet)
    for path in report.write(found, config, output):
        say(str(path), quiet)


@app.command()
@guarded
def converter(
    converters: Annotated[
        list[str] | None,
        typer.Option(
            "--converter",
            metavar="NAME|FILE",
            help="Repeatable; goals are the first one's.",
            autocompletion=known_converters,
        ),
    ] = None,
    corpus: Annotated[
        Path, typer.Option("--corpus", metavar="DIR", help="What `automix corpus build` wrote.")
    ] = CORPUS,
    songs: Annotated[
        Path | None,
        typer.Option("--songs", metavar="DIR", help="Where finished songs and Matchering lie, or go."),
    ] = None,
    truth: Annotated[bool, typer.Option(help="Transfers whose answer is known, from the corpus.")] = True,
    finished: Annotated[bool, typer.Option(help="Finished music, where no answer is known.")] = True,
    song_set: Annotated[
        str,
        typer.Option("--set", help="bench, or dev while developing.", autocompletion=one_of("bench", "dev")),
    ] = "bench",
    split: Annotated[
        str,
        typer.Option(
            "--split",
            help="test, or validation while developing.",
            autocompletion=one_of("test", "validation"),
        ),
    ] = "test",
    refine: Annotated[
        int, typer.Option("--refine", min=0, metavar="N", help="Also with so many steps of refinement.")
    ] = 0,
    ablate_confidence: Annotated[
        bool, typer.Option("--ablate-confidence", help="Also with leaky stems changed in full.")
    ] = False,
    second_encoder: Annotated[
        Path | None,
        typer.Option("--second-encoder", metavar="FILE", help="One that serves evaluation only."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small part, for development.")] = False,
    pairs: Annotated[
        int | None,
        typer.Option("--pairs", min=1, metavar="N", help="Only the first N pairs of finished music."),
    ] = None,
    tasks: Annotated[
        int | None,
        typer.Option("--tasks", min=1, metavar="N", help="So many tasks with a truth, half as many others."),
    ] = None,
    stems: Annotated[
        bool, typer.Option(help="Finished music stem by stem, too: every result is separated.")
    ] = True,
    speed: Annotated[
        bool,
        typer.Option(help="Finished music: time and memory, too; wants a machine with nothing else to do."),
    ] = True,
    separator: SeparatorName = "builtin",
    other_separator: Annotated[
        str | None,
        typer.Option("--other-separator", metavar="NAME|FILE", help="Another to compare it with."),
    ] = None,
    preset: Annotated[
        Path | None,
        typer.Option("--preset", metavar="FILE", help="Another constant preset than the shipped."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where JSON, Markdown, picture go.")
    ] = Path("converter-output"),
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Where neutral passages are kept.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="For passages, pairs, settings and intervals.")] = 0,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Print how close transfers come, with a truth and on finished music, beside all baselines.

    Example: automix evaluate converter --converter closed --quick
    """
    from styletransfer.evaluation.songs import default_folder
    from styletransfer.evaluation.transfer import evaluate, report

    set_up(threads, "cpu")
    config = evaluate.TransferConfig(
        corpus=corpus if truth else None,
        split=split,
        songs=songs or default_folder(),
        finished=finished,
        set_name=song_set,
        converters=tuple(converters or (evaluate.DEFAULT,)),
        refine=refine,
        ablate_confidence=ablate_confidence,
        second_encoder=second_encoder,
        separator=separator,
        other_separator=other_separator,
        preset=preset,
        plan=(evaluate.QUICK if quick else evaluate.FULL).of(tasks, pairs, stems, speed),
        seed=seed,
        cache=cache or evaluate.default_cache(),
    )
    with _results(output), progress(quiet) as show:
        found = evaluate.evaluate(config, show)
    if json:
        typer.echo(json_format.dumps(report.figures(found, config), indent=1, ensure_ascii=False))
    else:
        typer.echo(report.markdown(found, config))
    for path in report.write(found, config, output):
        say(str(path), quiet)


@app.command()
@guarded
def preset(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The JSON to write.")],
    corpus: Annotated[
        Path, typer.Option("--corpus", metavar="DIR", help="With finished music: `automix corpus finished`.")
    ] = CORPUS,
    pairs: Annotated[int | None, typer.Option("--pairs", min=1, help="Of training songs, matched.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Draws the pairs.")] = 0,
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Write the constant preset that converters are compared with: what the closed form sets on average.

    Example: automix evaluate preset -o checkpoints/constant-preset.json
    """
    from styletransfer.corpus.folder import Corpus
    from styletransfer.evaluation.transfer.preset import PAIRS, measure_preset

    set_up(threads, "cpu")
    with progress(quiet) as show:
        found = measure_preset(
            Corpus(corpus),
            seed,
            pairs=pairs or PAIRS,
            progress=lambda fraction: show("matching pairs", fraction),
        )
    say(str(found.save(output)), quiet)
