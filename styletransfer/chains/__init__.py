"""Random effect chains for training and evaluation: batches of stereo excerpts, on CPU and GPU."""

from __future__ import annotations

from .chain import Chain
from .drawing import draw, draw_exactly, draw_only
from .parameters import EFFECTS, PARAMETER_NAMES, STAGES
from .ranges import GENTLE, PUBLISHED, RECIPES, VARIED, Recipe

__all__ = [
    "EFFECTS",
    "GENTLE",
    "PARAMETER_NAMES",
    "PUBLISHED",
    "RECIPES",
    "STAGES",
    "VARIED",
    "Chain",
    "Recipe",
    "draw",
    "draw_exactly",
    "draw_only",
]
