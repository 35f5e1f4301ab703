"""Between two references: one mix on the way, several, or a sweep that moves with the song."""

from __future__ import annotations

from .interpolating import SPACES, Interpolation, interpolate

__all__ = ["SPACES", "Interpolation", "interpolate"]
