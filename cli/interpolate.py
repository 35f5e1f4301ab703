"""`automix interpolate`: between two references."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from styletransfer.errors import UsageError

from .completion import groups, loudness_targets, one_of, strips
from .terminal import (
    ConverterName,
    Device,
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
    progress,
    refuse_overwriting,
    saved_files,
    say,
    set_up,
    span,
)
from .transfer import default_output, loudness, report, stem_amounts, stem_references


@guarded
def interpolate(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="The mix to change.")],
    first: Annotated[Path, typer.Argument(metavar="REF_A", help="The mix to sound like at 0.")],
    second: Annotated[Path, typer.Argument(metavar="REF_B", help="The mix to sound like at 1.")],
    at: Annotated[
        float | None, typer.Option("--at", min=0, max=1, help="One file, so far on the way from A to B.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=2, help="So many files, evenly from A to B.")
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="One file that moves from A to B while it plays.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="A picture of the way, .png or .svg.")
    ] = None,
    space: Annotated[
        str,
        typer.Option(
            "--space",
            help="console: settings are interpolated; embedding: what a converter reads.",
            autocompletion=one_of("console", "embedding"),
        ),
    ] = "console",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The finished mix; --steps adds numbers.", show_default="INPUT.automix.wav"
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="With --at: folder for stems, result.json and excerpts.")
    ] = None,
    amount: Annotated[
        float, typer.Option("--amount", min=0, max=1, help="How far to go; 0 returns the input.")
    ] = 1.0,
    stem_amount: Annotated[
        list[str] | None,
        typer.Option(
            "--stem-amount", help="One strip's own amount, like vocals=.5 or master=.5; repeatable."
        ),
    ] = None,
    stem: Annotated[
        list[str] | None,
        typer.Option(
            "--stem",
            help="Stems that follow one reference all the way: A, B or another sound, like vocals=A,drums=B.",
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
    gate: Annotated[
        bool, typer.Option("--gate/--no-gate", help="Take back what is not closer to a reference.")
    ] = True,
    refine: Annotated[
        int,
        typer.Option("--refine", min=0, max=1000, help="Tune knobs of both ends by so many steps, like 60."),
    ] = 0,
    in_range: Annotated[
        str | None, typer.Option("--in-range", help="Measure only this passage of the input, like 1:00-1:45.")
    ] = None,
    preview: Annotated[
        float | None, typer.Option("--preview", min=1, help="Only the loudest stretch of so many seconds.")
    ] = None,
    stems_in: Annotated[
        Path | None, typer.Option("--stems-in", help="Folder with the input's stems; skips separating.")
    ] = None,
    converter: ConverterName = "auto",
    separator: SeparatorName = "auto",
    repo: Repo = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the dither.")] = 0,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Mix INPUT between two references: at one point, in steps, or moving from one to the other.

    Example: automix interpolate my-song.wav calm.flac loud.flac --sweep -o moving.wav --plot way.png
    """
    if sum((at is not None, steps is not None, sweep)) > 1 or not (at is not None or steps or sweep or plot):
        raise UsageError("choose one of --at, --steps and --sweep, or --plot alone")
    if save is not None and at is None:
        raise UsageError("--save keeps one mix; give it with --at")
    named = {Path("A"): first, Path("B"): second}
    by_stem = stem_references(stem or [])
    for sound in named.keys() & set(by_stem.values()):
        if sound.exists():
            raise UsageError(f"{sound} is REF_{sound} in --stem, and a file here; rename the file")
    by_stem = {name: named.get(sound, sound) for name, sound in by_stem.items()}
    target = output or default_output(source)
    targets = [target] if at is not None or sweep else []
    if steps:
        places = [f"{step / (steps - 1):.3g}" for step in range(steps)]
        targets = [target.with_name(f"{target.stem}-{place}{target.suffix}") for place in places]
    written = [*targets, *([plot] if plot else []), *saved_files(save)]
    sounds = [first, second, *by_stem.values()]
    refuse_overwriting(written, [source, *sounds, *inside(stems_in)], overwrite)

    import torch

    import styletransfer
    from styletransfer import files
    from styletransfer.atlas import picture
    from styletransfer.document import Warned
    from styletransfer.interpolation.plotting import way_figure
    from styletransfer.library import load_style, separator_for
    from styletransfer.library.style_file import is_style
    from styletransfer.save import save_all

    set_up(threads, device)
    info = files.inspect(source)
    check_outputs(target, info.rate, save)
    if plot:
        picture.check_target(plot)
    kept = {path: load_style(path) for path in sounds if is_style(path)}
    references = {path: kept[path].reference if path in kept else path for path in sounds}
    used = separator_for(list(kept.values()), separator, repo=repo, device=device)
    with progress(quiet) as show:
        way = styletransfer.interpolate(
            source,
            references[first],
            references[second],
            stem_references={name: references[path] for name, path in by_stem.items()},
            space=space,
            sweeping=sweep or plot is not None,
            converter=converter,
            separator=used,
            stems_in=stems_in,
            in_range=span(in_range),
            preview_s=preview,
            device=device,
            progress=show,
            amount=amount,
            stem_amounts=stem_amounts(stem_amount or []),
            only=listed([only] if only else []),
            lock=listed(lock or []),
            lufs=loudness(lufs),
            gate=gate,
            refine=refine,
            seed=seed,
        )
        paths = [picture.write(way_figure(way), plot)] if plot else []
        warnings: list[Warned] = []
        if sweep:
            swept = way.sweep()
            paths.append(files.write(target, swept, like=info, generator=torch.Generator().manual_seed(seed)))
            if over := files.overs(swept):
                say(f"clipped: {over} samples lie beyond full scale, where integer files clip them", quiet)
        elif steps:
            for mix, path in zip(way.steps(steps), targets, strict=True):
                paths.append(mix.write(path))
                warnings += mix.warnings
        elif at is not None:
            result = way.at(at)
            paths += [result.write(target), *(save_all(result, save) if save else [])]
    if at is not None:
        report(result, paths, False, quiet, verbose)
        return
    if not steps:
        warnings = [*way.first.warnings, *way.second.warnings]
    for warning in {(one.code, one.strip): one for one in reversed(warnings)}.values():  # the first of each
        say(f"{warning.code}: {warning.message}", quiet)
    for path in paths:
        typer.echo(path)
