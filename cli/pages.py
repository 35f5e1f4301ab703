"""`--report`: whether a page is asked for, where it goes, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from styletransfer.errors import UsageError

from .completion import extents

if TYPE_CHECKING:
    from styletransfer import Result
    from styletransfer.report import Extent, Report

ReportWish = Annotated[
    bool | None,
    typer.Option(
        "--report/--no-report",
        help="A page to hear and see what was done: SAVE/report.html, or OUTPUT.report.html.",
        show_default="with --save",
    ),
]
ReportAudio = Annotated[
    str,
    typer.Option(
        "--report-audio",
        help="What can be heard in the page: none, excerpt (4 MB), or full (15 MB a minute).",
        autocompletion=extents,
    ),
]
Plots = Annotated[
    Path | None, typer.Option("--plots", metavar="DIR", help="Also write the page's plots as SVG and PNG.")
]


@dataclass(frozen=True, slots=True)
class Page:
    """A page to write, none where `path` is None, and the folder for its plots, if wanted."""

    path: Path | None
    audio: Extent
    plots: Path | None

    @classmethod
    def asked(
        cls, wish: bool | None, audio: str, plots: Path | None, output: Path, save: Path | None = None
    ) -> Page:
        """The page of a result that goes to `output` and, maybe, the folder `save`. Errors as `at`."""
        if wish is False and plots is not None:
            raise UsageError("plots come with the report; leave out --no-report, or --plots")
        if (wish is None and save is None and plots is None) or wish is False:
            return cls(None, cls._extent(audio), None)
        path = output.with_name(f"{output.stem}.report.html") if save is None else save / "report.html"
        return cls.at(path, audio, plots)

    @classmethod
    def at(cls, path: Path, audio: str, plots: Path | None) -> Page:
        """UsageError for a wish that isn't there, or plots that can't go where they should."""
        if plots is not None and plots.exists() and not plots.is_dir():
            raise UsageError(f"{plots} is a file, not a folder; choose another for --plots")
        return cls(path, cls._extent(audio), plots)

    @staticmethod
    def _extent(audio: str) -> Extent:
        extents: dict[str, Extent] = {"none": "none", "excerpt": "excerpt", "full": "full"}
        if audio not in extents:
            raise UsageError(f"--report-audio is none, excerpt or full, not {audio!r}")
        return extents[audio]

    def files(self) -> list[Path]:
        """What will be written, plots aside."""
        return [] if self.path is None else [self.path, self.path.with_suffix(".json")]

    def write_result(self, result: Result) -> list[Path]:
        """Write the page of a result, if there is to be one; the paths."""
        if self.path is None:
            return []
        from styletransfer.report import report_of

        return self.write(report_of(result, self.audio))

    def write(self, report: Report) -> list[Path]:
        """Write a page, its numbers and its plots."""
        from styletransfer.report import write

        assert self.path is not None
        return write(report, self.path, self.plots)
