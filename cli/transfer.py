"""`automix transfer`: the whole path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from styletransfer.errors import UsageError

from .completion import groups, loudness_targets, one_of, strips
from .pages import Page, Plots, ReportAudio, ReportWish
from .sessions import Daw, Sessions
from .style import LibraryPath
from .terminal import (
    ConverterName,
    Device,
    Json,
    Overwrite,
    Quiet,
    Repo,
    SeparatorName,
    Threads,
    Verbose,
    check_outputs,
    guarded,
    inside,
    listed,
    numbers,
    progress,
    refuse_overwriting,
    saved_files,
    say,
    set_up,
    span,
)

if TYPE_CHECKING:
    from styletransfer import Result


@guarded
def transfer(
    sounds: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[INPUT] [REFERENCE…]",
            help="The mix to change (not with --stems-in alone), what to sound like; several are averaged.",
        ),
    ] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style", help="A kept style as reference, by file or by name in the library; repeatable."
        ),
    ] = None,
    library: LibraryPath = None,
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
        float, typer.Option("--amount", min=0, max=1, help="How far to go; 0 returns the input.")
    ] = 1.0,
    stem_amount: Annotated[
        list[str] | None,
        typer.Option(
            "--stem-amount", help="One strip's own amount, like vocals=.5 or master=.5; repeatable."
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", help="Of several references, like .7,.3.", show_default="equal")
    ] = None,
    stem: Annotated[
        list[str] | None,
        typer.Option(
            "--stem", help="Another reference for single stems, like vocals=A.wav,drums=B.wav; repeatable."
        ),
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option(
            "--lock",
            help="Leave strips alone, like drums or drums,master; repeatable.",
            autocompletion=strips,
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", help="Comma-separated: level,eq,dynamics,width,space.", autocompletion=groups),
    ] = None,
    lufs: Annotated[
        str,
        typer.Option(
            "--lufs",
            help="Loudness: match-ref, match-input, off, or a number in LUFS.",
            autocompletion=loudness_targets,
        ),
    ] = "match-ref",
    true_peak: Annotated[
        float | None,
        typer.Option(
            "--true-peak", help="Ceiling in dBTP.", show_default="−1, or the input's true peak if higher"
        ),
    ] = None,
    gate: Annotated[
        bool, typer.Option("--gate/--no-gate", help="Take back what is not closer to the reference.")
    ] = True,
    polish: Annotated[
        bool,
        typer.Option(
            "--polish/--no-polish",
            help="Turn the master's tone, width and balance on from the closed form, where that is closer.",
        ),
    ] = True,
    refine: Annotated[
        int,
        typer.Option("--refine", min=0, max=1000, help="Tune knobs for this pair by so many steps, like 60."),
    ] = 0,
    in_range: Annotated[
        str | None, typer.Option("--in-range", help="Measure only this passage of the input, like 1:00-1:45.")
    ] = None,
    ref_range: Annotated[str | None, typer.Option("--ref-range", help="The same for the reference.")] = None,
    preview: Annotated[
        float | None, typer.Option("--preview", min=1, help="Only the loudest stretch of so many seconds.")
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            "--channels",
            help="mono or stereo.",
            show_default="as the input",
            autocompletion=one_of("mono", "stereo"),
        ),
    ] = None,
    stems_in: Annotated[
        Path | None, typer.Option("--stems-in", help="Folder with the input's stems; skips separating.")
    ] = None,
    ref_stems: Annotated[
        Path | None, typer.Option("--ref-stems", help="Folder with the reference's stems.")
    ] = None,
    converter: ConverterName = "auto",
    separator: SeparatorName = "auto",
    repo: Repo = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the dither.")] = 0,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Make INPUT sound as if REFERENCE's engineer had mixed it.

    Example: automix transfer my-song.wav a-song-i-love.flac -o result.wav --save result
    """
    sounds, style = sounds or [], style or []
    source = sounds[0] if sounds and (stems_in is None or len(sounds) > 1) else None
    references = sounds[1:] if source else sounds
    if (source is None and stems_in is None) or not (references or style):
        raise UsageError("give an input and a reference (with --stems-in, the reference alone will do)")
    by_stem = stem_references(stem or [])
    target = output or default_output(source or stems_in)
    page = Page.asked(report_wish, report_audio, plots, target, save)
    sessions = Sessions.asked(daw, target, save)
    targets = [target, *saved_files(save), *page.files(), *sessions.files()]
    refuse_overwriting(targets, [*sounds, *by_stem.values(), *inside(stems_in, ref_stems)], overwrite)

    import styletransfer
    from styletransfer import files
    from styletransfer.library import separator_for, style_named
    from styletransfer.save import save_all

    kept = [style_named(name, library) for name in style]
    set_up(threads, device)
    check_outputs(target, 48000 if source is None else files.inspect(source).rate, save)
    used = separator_for(kept, separator, repo=repo, device=device)
    with progress(quiet) as show:
        result = styletransfer.transfer(
            source,
            [*references, *(one.reference for one in kept)],
            weights=numbers(weights, "--weights") if weights else None,
            stem_references=by_stem,
            converter=converter,
            separator=used,
            stems_in=stems_in,
            reference_stems=ref_stems,
            in_range=span(in_range),
            reference_range=span(ref_range),
            preview_s=preview,
            channels=_channels(channels),
            device=device,
            progress=show,
            amount=amount,
            stem_amounts=stem_amounts(stem_amount or []),
            only=listed([only] if only else []),
            lock=listed(lock or []),
            lufs=loudness(lufs),
            true_peak_db=true_peak,
            gate=gate,
            polish=polish,
            refine=refine,
            seed=seed,
        )
        show("writing", 0.0)
        paths = [result.write(target), *(save_all(result, save) if save else [])]
        paths += [*page.write_result(result), *sessions.write(result)]
        show("writing", 1.0)
    report(result, paths, json, quiet, verbose)


def report(result: Result, paths: list[Path], json: bool, quiet: bool, verbose: int) -> None:
    """Say which separator worked, what was turned, and what to know; then print the files, or the JSON."""
    from styletransfer.summary import summary

    document = result.document
    say(f"separator: {document.separator.name}", quiet)
    for line in summary(document):
        say(line, quiet)
    for warning in document.warnings:
        say(f"{warning.code}: {warning.message}", quiet)
    if verbose:
        for stage, seconds in document.timings_s.items():
            say(f"{stage}: {seconds:.2f} s", quiet)
    if json:
        typer.echo(document.model_dump_json(indent=2))
    else:
        for path in paths:
            typer.echo(path)


def default_output(source: Path | None) -> Path:
    if source is None:
        raise UsageError("there is no input; give a mix, or --stems-in")
    source = source.absolute()
    return source.with_name(f"{source.stem if source.is_file() else source.name}.automix.wav")


def _channels(text: str | None) -> int | None:
    if text not in (None, "mono", "stereo"):
        raise UsageError(f"--channels is mono or stereo, not {text!r}")
    return None if text is None else 1 + (text == "stereo")


def loudness(text: str) -> str | float:
    """A number in LUFS, or the word that was given."""
    try:
        return float(text)
    except ValueError:
        return text


def stem_references(texts: list[str]) -> dict[str, Path]:
    """Stem → sound, from texts like vocals=A.wav,drums=B.wav."""
    sounds: dict[str, Path] = {}
    for text in texts:
        for part in re.split(r",(?=[^,=/]+=)", text):
            name, equals, sound = (piece.strip() for piece in part.partition("="))
            if not equals or not sound:
                raise UsageError(f"--stem {part!r} should read like vocals=song.wav")
            if name in sounds:
                raise UsageError(f"--stem names {name} twice; give each stem one reference")
            sounds[name] = Path(sound)
    return sounds


def stem_amounts(texts: list[str]) -> dict[str, float]:
    """Stem → amount, from texts like vocals=.5."""
    amounts = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            amounts[name.strip()] = float(value)
        except ValueError as error:
            raise UsageError(f"--stem-amount {text!r} should read like vocals=.5") from error
    return amounts
