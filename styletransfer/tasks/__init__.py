"""Transfers with a truth: two pieces in a neutral state, one set of effects, and what the answer should be.

After Koo et al., "Music mixing style transfer", ICASSP 2023, section 3: stems are brought to a common
neutral state, the same effects are applied to both pieces, one becomes the reference and the other the truth.
"""

from .drawing import draw_master, draw_settings
from .neutral import PASSAGE_S, Neutral, find_passage, gather, neutral
from .rendering import StemSamples, apply_chains, apply_loosely, apply_settings
from .separating import separated
from .task import Effects, Task, console_task, draw_pairs, foreign_task

__all__ = [
    "PASSAGE_S",
    "Effects",
    "Neutral",
    "StemSamples",
    "Task",
    "apply_chains",
    "apply_loosely",
    "apply_settings",
    "console_task",
    "draw_master",
    "draw_pairs",
    "draw_settings",
    "find_passage",
    "foreign_task",
    "gather",
    "neutral",
    "separated",
]
