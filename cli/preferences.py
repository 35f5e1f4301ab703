"""What options are where no flag is given: `AUTOMIX_*` in the environment, automix.toml, or the default.

    [all]                       # every command that has the option
    separator = "builtin"

    [transfer]                  # one command
    lufs = "match-input"

    [library.search]
    k = 5

The same in the environment: AUTOMIX_SEPARATOR, AUTOMIX_TRANSFER_LUFS, AUTOMIX_LIBRARY_SEARCH_K. A flag goes
before the environment, that before automix.toml in the working directory, that before the one in the user's
configuration folder, that before the default.
"""

from __future__ import annotations

import difflib
import os
import shlex
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from styletransfer.errors import AutomixError, ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "automix.toml"
ALL = "all"
EVERYWHERE = (  # mean the same in every command
    *("corpus", "device", "encoder", "library", "quiet"),
    *("repo", "report-audio", "separator", "threads", "verbose"),
)
OWN_ONLY = ("overwrite", "repo", "yes")  # a folder from elsewhere may not destroy files or run weights' code

Command: TypeAlias = tuple[str, ...]  # ("library", "search")


@dataclass(frozen=True, slots=True)
class Preference:
    """One option's value, and where it was found."""

    command: Command
    option: str
    value: Any
    origin: str


class Preferring(TyperGroup):
    """Commands that take options from the environment and automix.toml where no flag is given."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """A wrong key or value anywhere is one sentence and exit code 2; help and completion pass over it."""
        try:
            found = in_force(self)
        except AutomixError as error:
            if "--help" not in args and not extra.get("resilient_parsing"):
                typer.echo(f"automix: {error}", err=True)
                raise typer.Exit(error.exit_status) from error
            found = []
        known = commands_of(self)
        defaults: dict[str, Any] = {}
        for preference in found:
            table = defaults
            for word in preference.command:
                table = table.setdefault(word, {})
            table[known[preference.command][preference.option].name] = preference.value
        return super().make_context(info_name, args, parent, default_map=defaults, **extra)


def commands_of(group: TyperGroup, above: Command = ()) -> dict[Command, dict[str, TyperOption]]:
    """Every command below, with its options by their long names."""
    found: dict[Command, dict[str, TyperOption]] = {}
    for name, command in group.commands.items():
        words = (*above, name)
        if isinstance(command, TyperGroup):
            found |= commands_of(command, words)
        else:
            options = [option for option in command.params if isinstance(option, TyperOption)]
            found[words] = {max(option.opts, key=len).lstrip("-"): option for option in options}
    return found


def looked_for() -> list[Path]:
    """Where automix.toml may lie, the stronger first. AUTOMIX_CONFIG is one file instead; empty, none."""
    if "AUTOMIX_CONFIG" in os.environ:
        return [Path(os.environ["AUTOMIX_CONFIG"])] if os.environ["AUTOMIX_CONFIG"] else []
    from platformdirs import user_config_path

    return [Path(NAME), user_config_path("automix", appauthor=False) / NAME]


def variables(command: Command, option: str) -> list[str]:
    """The names of an option in the environment, the stronger first."""
    names = [(*command, option), *([(option,)] if option in EVERYWHERE else [])]
    return ["_".join(("automix", *name)).replace("-", "_").upper() for name in names]


def in_force(group: TyperGroup) -> list[Preference]:
    """What is set, the strongest of each option. ConfigError for what can't be understood."""
    known = commands_of(group)
    chosen: dict[tuple[Command, str], Preference] = {}
    for path in reversed(looked_for()):
        if path.is_file() or "AUTOMIX_CONFIG" in os.environ:
            chosen |= {(found.command, found.option): found for found in _in_file(path, known)}
    for command, options in known.items():
        for name, option in options.items():
            for variable in reversed(variables(command, name)):
                if text := os.environ.get(variable):
                    value = shlex.split(text) if option.multiple else text
                    chosen[command, name] = Preference(command, name, value, variable)
    for (command, name), preference in chosen.items():
        _check(preference, known[command][name])
    return sorted(chosen.values(), key=lambda one: (list(known).index(one.command), one.option))


def _in_file(path: Path, known: dict[Command, dict[str, TyperOption]]) -> list[Preference]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read; repair it, or remove it") from error
    everywhere = _values(path, tables.pop(ALL, {}), (ALL,), EVERYWHERE)
    found = [
        Preference(command, name, _plain(path, f"{ALL}.{name}", value, options[name]), str(path))
        for name, value in everywhere.items()
        for command, options in known.items()
        if name in options
    ]

    def read(table: dict[str, Any], above: Command) -> None:
        for word in table:
            below = (*above, word)
            if below in known:
                values = _values(path, table[word], below, known[below])
                found.extend(
                    Preference(
                        below, key, _plain(path, ".".join((*below, key)), value, known[below][key]), str(path)
                    )
                    for key, value in values.items()
                )
            else:
                there = {command[len(above)] for command in known if command[: len(above)] == above}
                _refuse_unknown(path, [word], above, {*there, *(() if above else (ALL,))})
                read(_values(path, table[word], below, table[word]), below)

    read(tables, ())
    return found


def _values(path: Path, table: Any, place: Command, known: Collection[str]) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {'.'.join(place)} should be a table, like [{'.'.join(place)}]")
    _refuse_unknown(path, table, place, known)
    if str(path) == NAME and (barred := sorted(set(table) & set(OWN_ONLY))):
        raise ConfigError(
            f"{path}: {barred[0]} may be set in your own configuration folder only, since a folder from "
            f"elsewhere shouldn't decide it; move it to {looked_for()[-1]}"
        )
    return table


def _refuse_unknown(path: Path, words: Iterable[str], place: Command, known: Collection[str]) -> None:
    for word in words:
        if word not in known:
            near = difflib.get_close_matches(word, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise ConfigError(f"{path}: {'.'.join((*place, word))} is unknown; {hint}")


def _plain(path: Path, place: str, value: Any, option: TyperOption) -> Any:
    """A TOML value as a flag would give it. ConfigError for a kind that no flag can be."""
    entries = value if isinstance(value, list) else [value]
    wrong = [
        entry for entry in entries if isinstance(entry, bool) or not isinstance(entry, (str, int, float))
    ]
    if option.is_flag and not option.count:
        if not isinstance(value, bool):
            raise ConfigError(f"{path}: {place} should be true or false")
        return value
    if wrong:
        raise ConfigError(f"{path}: {place} should be a text or a number, or a list of these")
    texts = [os.path.expanduser(str(entry)) for entry in entries]
    return texts if option.multiple else ",".join(texts)


def _check(preference: Preference, option: TyperOption) -> None:
    words = " ".join((*preference.command, f"--{preference.option}"))
    try:
        option.process_value(typer.Context(TyperCommand(None)), preference.value)
    except typer.BadParameter as error:
        shown = f"{preference.value!r} can't be taken for {words}: {error.message.splitlines()[0]}"
        raise ConfigError(f"{preference.origin}: {shown}") from error
