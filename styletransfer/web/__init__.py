"""The page: a transfer in the browser, served to this machine alone."""

from __future__ import annotations

from .limits import Limits
from .server import serve
from .workspace import Means

__all__ = ["Limits", "Means", "serve"]
