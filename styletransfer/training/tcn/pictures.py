"""What does the network do? Long-term spectra of some held-out stems: before, as they should be, after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from styletransfer.training.pictures import Shown
from styletransfer.training.pictures import draw as draw_shown

from .validation import Judged


def draw(judged: Sequence[Judged], path: Path) -> None:
    """Write a picture of the first example of each stem and kind. AudioError where the disk refuses."""
    draw_shown([_shown(one) for one in judged], path)


def _shown(judged: Judged) -> Shown:
    example = judged.example
    said = f"{judged.distance / example.nothing:.2f} of doing nothing"
    return Shown(example.stem, example.kind, example.given, example.truth, judged.made, said)
