"""The page's own HTML: the form at the beginning, and the desk after a transfer."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from styletransfer import __version__
from styletransfer.audio import STEMS
from styletransfer.converter.console import GROUPS
from styletransfer.report.drawing import minutes
from styletransfer.report.words import HEADINGS

from .desk import Desk
from .limits import Limits
from .sliders import sliders_of


def page_html(limits: Limits) -> str:
    """The page as it is first loaded."""
    return (
        _templates()
        .get_template("serve.html")
        .render(limits=limits, stems=STEMS, groups=GROUPS, version=__version__)
    )


def desk_html(desk: Desk) -> str:
    """What a transfer gave: players, distances, warnings and sliders."""
    retouch = desk.retouch
    document = retouch.result.document
    now = {name: retouch.settings(name) for name in (*STEMS, "master")}
    return (
        _templates()
        .get_template("desk.html")
        .render(
            document=document,
            player=desk.player("mix").html,
            passage_s=[minutes(second) for second in retouch.passage_s],
            headings=HEADINGS,
            strips={name: sliders_of(name, now[name]) for name in now},
            ends=desk.ends,
            way_known=desk.way is not None,
        )
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(__package__ or "", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
