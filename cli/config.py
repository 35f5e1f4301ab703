"""`automix config`: what is set in the environment and in automix.toml."""

from __future__ import annotations

import os
import shlex
from typing import Annotated, Any

import typer
from typer.core import TyperOption

from styletransfer.errors import UsageError

from . import preferences
from .terminal import Verbose, guarded

OTHER_VARIABLES = ("AUTOMIX_CACHE", "AUTOMIX_CONFIG", "AUTOMIX_TMP")


@guarded
def config(
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]", help="All options of one command, with their values."),
    ] = None,
    verbose: Verbose = 0,
) -> None:
    """Say where automix.toml is looked for, and what it and AUTOMIX_* set, or what holds for one command.

    Example: automix config transfer
    """
    group = context.find_root().command
    assert isinstance(group, preferences.Preferring)
    known = preferences.commands_of(group)
    found = preferences.in_force(group)
    if command:
        _say_all(tuple(command), known, found)
        return
    for path in preferences.looked_for():
        typer.echo(f"{path}: {'read' if path.is_file() else 'not there'}")
    said: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        said.setdefault((one.option, _text(one.value), one.origin), []).append(" ".join(one.command))
    for (option, text, origin), commands in said.items():
        everyone = len(commands) > 1 and len(commands) == sum(option in options for options in known.values())
        where = preferences.ALL if everyone else ", ".join(commands)
        typer.echo(f"{where} --{option} = {text}  ({origin})")
    names = {
        name for words in known for option in known[words] for name in preferences.variables(words, option)
    }
    for name in sorted(os.environ):
        if name.startswith("AUTOMIX_") and name not in names and name not in OTHER_VARIABLES:
            typer.echo(f"{name}: sets nothing; no option has that name")


def _say_all(
    command: preferences.Command,
    known: dict[preferences.Command, dict[str, TyperOption]],
    found: list[preferences.Preference],
) -> None:
    if command not in known:
        raise UsageError(f"there is no command {' '.join(command)}; `automix --help` lists them")
    chosen = {one.option: one for one in found if one.command == command}
    for name, option in known[command].items():
        value, origin = option.default, "default"
        if name in chosen:
            value, origin = chosen[name].value, chosen[name].origin
        typer.echo(f"--{name} = {_text(value)}  ({origin})")


def _text(value: Any) -> str:
    if value is None:
        return "unset"
    return shlex.join(value) if isinstance(value, list) else str(value)
