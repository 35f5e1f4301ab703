"""`automix doctor`: what is installed, and what works."""

from __future__ import annotations

import typer

from .terminal import Json, Verbose, guarded


@guarded
def doctor(json: Json = False, verbose: Verbose = 0) -> None:
    """Say what is installed, which weights and devices are there, and where the cache lies.

    Example: automix doctor
    """
    from styletransfer import checkup

    found = checkup.checkup()
    if json:
        typer.echo(checkup.as_json(found))
    else:
        for line in checkup.lines(found):
            typer.echo(line)
