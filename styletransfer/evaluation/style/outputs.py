"""Where do findings go? A report in Markdown, every figure in JSON, and the pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from styletransfer.atlas import picture
from styletransfer.errors import AudioError

from . import pictures, report
from .evaluate import StyleConfig, evaluate
from .findings import Findings
from .line_up import systems_for
from .listening import Progress
from .plan import PICTURE
from .systems import ENCODER, EXPLICIT, MEE, MEL

PICTURED = (MEL, MEE, ENCODER)
"""The systems of the picture, as far as they were heard; other systems with fewer than two of these."""


def write(found: Findings, config: StyleConfig, folder: Path) -> list[Path]:
    """Write `encoder.json`, `.md` and, where grids were heard, `.png` and `.svg` to a folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "encoder" if config.plan.name == "full" else f"encoder-{config.plan.name}"
    text = json.dumps(report.figures(found, config), indent=1, ensure_ascii=False)
    written = [folder / f"{name}.json", folder / f"{name}.md"]
    written[0].write_text(text + "\n", encoding="utf-8")
    written[1].write_text(report.markdown(found, config), encoding="utf-8")
    if found.grids:
        figure = paper_picture(found, config.seed)
        written += [picture.write(figure, folder / f"{name}{suffix}") for suffix in picture.SUFFIXES]
    return written


def picture_of_corpus(config: StyleConfig, progress: Progress = lambda stage, fraction: None) -> Figure:
    """Hear only what the picture shows, and draw it."""
    compared, _ = systems_for(config.encoder, config.mee)
    shown = [system for system in compared if system.name in PICTURED]
    if len(shown) < 2:
        shown = [system for system in compared if system.name in (*PICTURED, EXPLICIT)]
    return paper_picture(evaluate(replace(config, plan=PICTURE), progress, shown), config.seed)


def paper_picture(found: Findings, seed: int = 0) -> Figure:
    """The maps of 25 pieces × 10 chains, by chain and by piece. AudioError where no grid was heard."""
    if not found.grids:
        raise AudioError("no stem has enough held-out pieces for a picture; build more of the corpus")
    shown = [name for name in found.systems if name in PICTURED]
    if len(shown) < 2:
        shown = [name for name in found.systems if name in (*PICTURED, EXPLICIT)]
    return pictures.paper_figure(found.grids, shown, scaled=(MEL, EXPLICIT), seed=seed)
