"""What commands share at the terminal: exit codes for errors, progress on stderr, common options."""

from __future__ import annotations

import functools
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from styletransfer.errors import AutomixError, ResourceError, UsageError

from . import completion

Arguments = ParamSpec("Arguments")

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[
    int, typer.Option("--verbose", "-v", count=True, help="Say more; -vv: where an error arose.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are already there.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Processor threads to use.")]
Device = Annotated[
    str,
    typer.Option("--device", help="Where networks run: cpu, cuda, mps.", autocompletion=completion.devices),
]
SeparatorName = Annotated[
    str,
    typer.Option(
        "--separator",
        help="auto, builtin, htdemucs, htdemucs_ft or another model that demucs knows, or weights that "
        "`automix train separator` wrote. "
        "auto takes htdemucs where its weights are on this machine, else builtin.",
        autocompletion=completion.separators,
    ),
]
ConverterName = Annotated[
    str,
    typer.Option(
        "--converter",
        metavar="NAME|FILE",
        help="What changes the stems: closed (measured and computed), console (a network on top of it), tcn "
        "(a network that makes stems anew, without knobs), or weights that `automix train converter` wrote. "
        "auto takes console where its network is shipped, else closed.",
        autocompletion=completion.converters,
    ),
]
Repo = Annotated[
    Path | None,
    typer.Option("--repo", help="Folder with demucs weights that you trust (.th files can run code)."),
]


def guarded(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A command whose failures become one sentence and an exit code; a traceback only with -vv."""

    @functools.wraps(command)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            _fail("interrupted; nothing was left half-written", 130, kwargs)
        except AutomixError as error:
            _fail(str(error), error.exit_status, kwargs)
        except Exception as error:
            if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
                message = "out of memory; close other programs, or try --preview 30"
                _fail(message, ResourceError.exit_status, kwargs)
            name = type(error).__name__
            _fail(f"something unforeseen went wrong ({name}: {error}); report what -vv shows", 1, kwargs)

    return run


def _fail(message: str, status: int, kwargs: dict[str, object]) -> None:
    if int(str(kwargs.get("verbose", 0))) >= 2:
        traceback.print_exc()
    typer.echo(f"automix: {message}", err=True)
    raise typer.Exit(status)


def say(message: str, quiet: bool = False) -> None:
    """Talk goes to stderr."""
    if not quiet:
        typer.echo(message, err=True)


def set_up(threads: int | None, device: str) -> None:
    """Decide once how many threads work and on what device. ResourceError where the device isn't there."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    kind = device.partition(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in there:
        raise UsageError(f"there is no device {device!r}; choose cpu, cuda or mps")
    if not there[kind]:
        raise ResourceError(f"{device} is not available on this machine; leave out --device")


def refuse_overwriting(targets: list[Path], sources: list[Path], overwrite: bool) -> None:
    """UsageError where an output would replace an input, or a file that is there without --overwrite."""
    for index, target in enumerate(targets):
        if target.absolute() in [other.absolute() for other in targets[:index]]:
            raise UsageError(f"{target} would be written twice; choose another output")
        for source in sources:
            if target.exists() and source.exists() and os.path.samefile(target, source):
                raise UsageError(f"{target} is the input itself; choose another output")
        if target.exists() and not overwrite:
            raise UsageError(f"{target} is already there; choose another output, or add --overwrite")


def check_outputs(target: Path, rate: int, save: Path | None) -> None:
    """UsageError, before any work, where what is to be written couldn't be."""
    from styletransfer import files

    files.output_format(target, rate)
    if not target.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}; create it, or choose another output")
    if save is not None and save.exists() and not save.is_dir():
        raise UsageError(f"{save} is a file, not a folder; choose another for --save")


def saved_files(save: Path | None) -> list[Path]:
    """What --save writes."""
    from styletransfer.audio import STEMS

    if save is None:
        return []
    stems = [save / "stems" / f"{name}.wav" for name in (*STEMS, "rest")]
    return [*stems, *(save / name for name in ("A.wav", "B.wav", "reference.wav", "result.json"))]


def inside(*folders: Path | None) -> list[Path]:
    """The files in some folders, where these are given and there."""
    return [path for folder in folders if folder is not None and folder.is_dir() for path in folder.iterdir()]


def span(text: str | None) -> tuple[float, float] | None:
    """A passage like 1:00-1:45 or 12.5-40 in seconds. UsageError where it can't be understood."""
    if text is None:
        return None
    try:
        start, end = (_seconds(part) for part in text.split("-"))
    except ValueError as error:
        raise UsageError(f"{text!r} is no passage; write it like 1:00-1:45 or 12.5-40") from error
    if not (math.isfinite(start) and math.isfinite(end)):
        raise UsageError(f"{text!r} is no passage; write it like 1:00-1:45 or 12.5-40")
    if end <= start:
        raise UsageError(f"the passage {text} ends before it begins; write it like 1:00-1:45")
    return start, end


def _seconds(text: str) -> float:
    total = 0.0
    for part in text.split(":"):
        total = 60 * total + float(part)
    return total


def listed(texts: list[str]) -> list[str]:
    """The parts of comma-separated options that may be repeated."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def numbers(text: str, option: str) -> list[float]:
    """Numbers with commas between. UsageError where they can't be understood."""
    try:
        return [float(part) for part in listed([text])]
    except ValueError as error:
        raise UsageError(f"{option} {text!r} should be numbers with commas between, like .7,.3") from error


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar per stage on stderr; on a pipe, a line per stage."""
    if quiet:
        yield lambda stage, fraction: None
        return
    if not sys.stderr.isatty():
        yield lambda stage, fraction: say(f"{stage} …") if fraction == 0 else None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:>22}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, object] = {}

        def show(stage: str, fraction: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], completed=fraction)  # type: ignore[arg-type]

        yield show
