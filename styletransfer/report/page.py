"""The page itself: one HTML file that needs nothing else, and the files that go with it."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from styletransfer import __version__, files

from .content import Report
from .drawing import minutes
from .parameters import columns_of, folded
from .passages import Player
from .words import HEADINGS, figure_rows


def html_of(report: Report) -> str:
    """The whole page. It loads nothing and may load nothing: its policy forbids every address."""
    script = asset("player.js") + asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return (
        _templates()
        .get_template("page.html")
        .render(
            report=report,
            document=report.document,
            figure_rows=figure_rows(report.versions),
            headings=HEADINGS,
            columns_of=columns_of,
            folded=folded,
            minutes=minutes,
            version=__version__,
            style=Markup(asset("player.css") + asset("page.css")),
            script=Markup(script),
            script_digest=digest,
        )
    )


def player_html(player: Player) -> Markup:
    """A player alone, for a page that has `asset("player.css")` and `asset("player.js")`."""
    module = _templates().get_template("player.html").module
    return Markup(module.player_html(player))  # type: ignore[attr-defined]


def asset(name: str) -> str:
    """The text of player.css, player.js, page.css or page.js."""
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def write(report: Report, page: Path, plots: Path | None = None) -> list[Path]:
    """Write the page, its numbers beside it as .json, and pictures as SVG and PNG into `plots`; the paths.

    AudioError where a place can't be written to.
    """
    texts = {page: html_of(report), page.with_suffix(".json"): json.dumps(report.numbers(), indent=1) + "\n"}
    for path, text in texts.items():
        with files.beside(path) as partial:
            partial.write_text(text, encoding="utf-8")
    written = list(texts)
    if plots is not None:
        files.make_folder(plots)
        pictures = [*report.pictures, *(picture for strip in report.strips for picture in strip.pictures)]
        for picture in pictures:
            written += picture.write(plots)
    return written


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(__package__ or "", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
