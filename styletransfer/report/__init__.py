"""What was done and how it sounds, on one page that needs no network: players, plots, settings, figures."""

from __future__ import annotations

from .content import Report, compare, report_of
from .page import asset, html_of, player_html, write
from .passages import Extent, Player, player_of

__all__ = [
    "Extent",
    "Player",
    "Report",
    "asset",
    "compare",
    "html_of",
    "player_html",
    "player_of",
    "report_of",
    "write",
]
