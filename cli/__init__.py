"""The command `automix`: arguments in, one library call, results out; no torch until a command runs."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads are ten times slower on a busy machine

import typer

from styletransfer import __version__

from . import (
    analyze,
    apply,
    cache,
    compare,
    config,
    corpus,
    doctor,
    embed,
    evaluate,
    interpolate,
    library,
    normalize,
    separate,
    serve,
    style,
    train,
    transfer,
    visualize,
)
from .preferences import Preferring

app = typer.Typer(
    cls=Preferring,
    help="Mixing style transfer: make a mix sound as if the reference's engineer had mixed it.",
    epilog="Options can also be set in automix.toml and as AUTOMIX_…; `automix config` says how they stand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_MIXING, _LOOKING, _STYLES, _RESEARCH = "Mixing", "Looking and listening", "Styles", "Research"
_HERE = "On this machine"
app.command(rich_help_panel=_MIXING)(transfer.transfer)
app.command(rich_help_panel=_MIXING)(interpolate.interpolate)
app.command(rich_help_panel=_MIXING)(apply.apply)
app.command(rich_help_panel=_MIXING)(serve.serve)
app.command(rich_help_panel=_MIXING)(separate.separate)
app.command(rich_help_panel=_MIXING)(normalize.normalize)
app.command(rich_help_panel=_LOOKING)(analyze.analyze)
app.command(rich_help_panel=_LOOKING)(compare.compare)
app.command(rich_help_panel=_LOOKING)(embed.embed)
app.command(rich_help_panel=_LOOKING)(visualize.visualize)
app.add_typer(style.app, name="style", rich_help_panel=_STYLES)
app.add_typer(library.app, name="library", rich_help_panel=_STYLES)
app.add_typer(evaluate.app, name="evaluate", rich_help_panel=_RESEARCH)
app.add_typer(corpus.app, name="corpus", rich_help_panel=_RESEARCH)
app.add_typer(train.app, name="train", rich_help_panel=_RESEARCH)
app.command(rich_help_panel=_HERE)(config.config)
app.command(rich_help_panel=_HERE)(doctor.doctor)
app.add_typer(cache.app, name="cache", rich_help_panel=_HERE)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"automix {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say which version this is."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    app()
