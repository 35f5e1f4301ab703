"""`automix visualize`: the space of mixing styles as a picture, or as a page that is heard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from styletransfer.errors import UsageError

from .completion import STEM_NAMES, one_of
from .evaluate import CORPUS
from .style import LibraryPath
from .terminal import (
    Device,
    Overwrite,
    Quiet,
    Threads,
    Verbose,
    guarded,
    progress,
    refuse_overwriting,
    say,
    set_up,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from styletransfer.atlas import Point

LIBRARY = "library"


@guarded
def visualize(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR|library|STYLE…]",
            help="Folders with sounds (sub-folders count), the word library, or styles by file or name.",
        ),
    ] = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="25 held-out pieces × 10 chains instead, beside baselines.")
    ] = False,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .png, .svg, or an .html to point at and listen to; repeatable.",
            show_default="styles.png",
        ),
    ] = None,
    colour: Annotated[
        str,
        typer.Option(
            "--colour",
            "--color",
            help="folder, tag, stem or cluster.",
            autocompletion=one_of("folder", "tag", "stem", "cluster"),
        ),
    ] = "folder",
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="tsne or pca; umap or opentsne with the extra viz.",
            autocompletion=one_of("tsne", "pca", "umap", "opentsne"),
        ),
    ] = "tsne",
    stem: Annotated[
        str | None,
        typer.Option(
            "--stem",
            help="Of styles: the part that counts, or all of them as points.",
            show_default="mix",
            autocompletion=one_of(*STEM_NAMES, "mix", "all"),
        ),
    ] = None,
    audio_mb: Annotated[
        float | None,
        typer.Option(
            "--audio-mb", min=0, help="How much sound an .html may carry; 0 for none.", show_default="20"
        ),
    ] = None,
    library: LibraryPath = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME|FILE", help="The shipped one without.")
    ] = None,
    mee: Annotated[
        str | None, typer.Option("--mee", metavar="NAME|FILE", help="With --paper: the effect classifier.")
    ] = None,
    corpus: Annotated[
        Path, typer.Option("--corpus", metavar="DIR", help="With --paper: what `automix corpus build` wrote.")
    ] = CORPUS,
    split: Annotated[str, typer.Option("--split", help="With --paper: test or validation.")] = "test",
    seed: Annotated[int, typer.Option("--seed", help="For passages and the map.")] = 0,
    device: Device = "cpu",
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Draw a map of sounds by mixing style: what lies together is mixed alike.

    Example: automix visualize my-mixes -o styles.png -o styles.html --colour folder
    """
    from styletransfer.atlas import COLOURS, METHODS, maps, picture, places

    if paper == bool(targets):
        raise UsageError("give either sounds (a folder, library, or styles), or --paper for held-out pieces")
    idle = {"--stem": stem, "--library": library, "--audio-mb": audio_mb}
    for option in [name for name, given in idle.items() if paper and given is not None]:
        raise UsageError(f"{option} has nothing to do with --paper; leave it out")
    if colour not in COLOURS:
        raise UsageError(f"a picture is coloured by {' or '.join(COLOURS)}, not by {colour!r}")
    if method not in METHODS:
        raise UsageError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    places.check_method(method)
    outputs = output or [Path("styles-paper.png" if paper else "styles.png")]
    for target in outputs:
        picture.check_target(target, picture.SUFFIXES if paper else maps.SUFFIXES)
    refuse_overwriting(outputs, [], overwrite)
    set_up(threads, device)
    left_out: list[str] = []
    with progress(quiet) as show:
        if paper:
            figure = _paper(corpus, split, encoder, mee, seed, show)
            written = [picture.write(figure, target) for target in outputs]
        else:
            points = _points(targets or [], library, encoder, stem, device, show, left_out)
            drawn = maps.draw(points, colour, method, seed)
            limit_mb = maps.LIMIT_MB if audio_mb is None else audio_mb
            written = [maps.write(drawn, target, limit_mb, show) for target in outputs]
    for reason in left_out:
        say(f"left out: {reason}", quiet)
    for path in written:
        typer.echo(str(path))


def _points(
    targets: list[str],
    library: Path | None,
    encoder: str | None,
    stem: str | None,
    device: str,
    show: Callable[[str, float], None],
    left_out: list[str],
) -> list[Point]:
    """What all targets hold. UsageError for a name that isn't known."""
    from styletransfer import encoders
    from styletransfer.atlas import points_in, points_kept, points_of
    from styletransfer.library import Library, load_style, style_file

    wanted = encoder or encoders.SHIPPED
    found: list[Point] = []
    for target in targets:
        path = Path(target)
        if target == LIBRARY:
            fingerprint = encoders.load(wanted).fingerprint
            with Library(library, must_exist=True) as kept:
                found += points_kept(kept, fingerprint, stem or "mix", lambda done: show("reading", done))
        elif style_file.is_style(path):
            found += points_of(load_style(path).heard_by(encoders.load(wanted).fingerprint), stem or "mix")
        elif path.is_dir() or "/" in target:
            if stem is not None:
                raise UsageError("--stem is for styles; in a folder, a file's name says which stem it is")
            found += points_in(path, wanted, device, lambda done: show("embedding", done), left_out)
        else:
            with Library(library, must_exist=True) as kept:
                entry = kept.find(target)
                style = kept.get(entry.number).heard_by(encoders.load(wanted).fingerprint)
                found += points_of(style, stem or "mix", entry.path)
    return found


def _paper(
    corpus: Path,
    split: str,
    encoder: str | None,
    mee: str | None,
    seed: int,
    show: Callable[[str, float], None],
) -> Figure:
    from styletransfer.evaluation.style import evaluate, outputs

    config = evaluate.StyleConfig(corpus=corpus, split=split, encoder=encoder, mee=mee, seed=seed)
    return outputs.picture_of_corpus(config, show)
