"""Converters: what decides, from the styles of both sides, how the console is set."""

from __future__ import annotations

from .console import SHIPPED, LoadedConsole, load, save

__all__ = ["SHIPPED", "LoadedConsole", "load", "save"]
