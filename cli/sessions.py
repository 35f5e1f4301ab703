"""`--daw`: which sessions are asked for, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from styletransfer.errors import UsageError

from .completion import sessions

if TYPE_CHECKING:
    from styletransfer import Result

Daw = Annotated[
    str | None,
    typer.Option(
        "--daw",
        help="Sessions for your DAW, comma-separated: rpp (REAPER), dawproject (Bitwig, Studio "
        "One, Cubase …), stems. In SAVE/daw with --save, else in OUTPUT.daw beside the output.",
        autocompletion=sessions,
    ),
]


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions to write: their kinds, none where none are asked for, and their folder."""

    folder: Path
    kinds: tuple[str, ...]

    @classmethod
    def asked(cls, daw: str | None, output: Path, save: Path | None) -> Sessions:
        """UsageError for a kind that isn't there, or a folder that can't be."""
        folder = output.with_name(f"{output.stem}.daw") if save is None else save / "daw"
        if daw is None:
            return cls(folder, ())
        from styletransfer.daw import check_kinds

        kinds = check_kinds(kind.strip() for kind in daw.split(","))
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file, not a folder; choose another output for the sessions")
        return cls(folder, kinds)

    def files(self) -> list[Path]:
        """What may be written."""
        from styletransfer.daw import outputs

        return outputs(self.folder, self.kinds) if self.kinds else []

    def write(self, result: Result) -> list[Path]:
        """Write them."""
        from styletransfer.daw import export

        return export(result, self.folder, self.kinds) if self.kinds else []
