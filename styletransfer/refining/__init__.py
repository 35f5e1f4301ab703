"""Refinement: the console's knobs turned by gradient for one pair, and kept only where a check says so."""

from __future__ import annotations

from .checking import Refined, polished, refined

__all__ = ["Refined", "polished", "refined"]
