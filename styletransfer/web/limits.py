"""How much the page takes in, and for how long it keeps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server allows.

    upload_mb   size of one sound's file, in megabytes.
    minutes     its length.
    references  how many a transfer may have.
    pages       how many pages may be open at once.
    waiting     how many jobs may wait in line.
    kept_s      what nobody has touched for so long is removed.
    left_s      likewise after the page was left, so that reloading it keeps everything.
    """

    upload_mb: int = 500
    minutes: float = 15.0
    references: int = 6
    pages: int = 8
    waiting: int = 8
    kept_s: float = 3600.0
    left_s: float = 60.0
