"""One picture of both tables: how far each system gets from doing nothing toward the answer."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from styletransfer.evaluation.af import WEIGHTS
from styletransfer.evaluation.statistics import Estimate

from .answers import NOTHING
from .best import VARIANTS
from .comparing import ALL_STEMS, Column, systems_of
from .evaluate import Findings
from .judging import FLOOR, Pair
from .mixes import UNGATED
from .with_truth import MIX, NEUTRAL, Judged

_GOAL = {"true stems": 0.55, "separated stems": 0.85}
_RATIOS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_COLOURS = ("#4477aa", "#ee8866")
_TERM_COLOURS = {"rms": "#dddddd", "crest": "#ccbb44", "width": "#66ccee", "imbalance": "#228833"}
_TERM_COLOURS["bark"] = "#aa3377"


def figure(found: Findings, seed: int = 0) -> Figure:
    """Ratios to doing nothing with intervals where there is a truth; AF's terms on finished music."""
    tables = {
        condition: found.truth[condition, NEUTRAL]
        for condition in _GOAL
        if (condition, NEUTRAL) in found.truth
    }
    panels = len(tables) + (2 if found.finished else 0)
    drawn = Figure(figsize=(5.2 * max(panels, 1), 4.2), layout="constrained")
    axes = list(drawn.subplots(1, max(panels, 1), squeeze=False)[0])
    for panel, (condition, judged) in zip(axes, tables.items(), strict=False):
        _ratios(panel, condition, judged, seed)
    if found.finished is not None:
        _terms(axes[-2], found.finished.judged)
        _pairs(axes[-1], found.finished.judged)
    return drawn


def _ratios(panel: Axes, condition: str, judged: Sequence[Judged], seed: int) -> None:
    systems = [name for name in systems_of(judged) if name != NOTHING]
    systems = [name for name in systems if not any(variant in name for variant in VARIANTS)]
    for offset, (part, colour) in enumerate(zip((MIX, ALL_STEMS), _COLOURS, strict=True)):
        found: dict[int, Estimate] = {}
        for row, system in enumerate(systems):
            compared = Column(judged, part).against(system, NOTHING, seed)
            if compared is not None:
                found[row] = compared.ratio_of_means
        places = np.array(list(found)) + 0.38 * (offset - 0.5)
        values = np.array([one.value for one in found.values()])
        reach = [
            [one.value - one.low for one in found.values()],
            [one.high - one.value for one in found.values()],
        ]
        panel.barh(places, values, 0.36, color=colour, label=part, xerr=reach, error_kw={"lw": 1})
    panel.axvline(1, color="black", lw=1)
    if condition in _GOAL:
        panel.axvline(_GOAL[condition], color="black", lw=1, ls=":", label="goal")
    panel.set_yticks(range(len(systems)), systems)
    panel.invert_yaxis()
    panel.set(title=f"MSS to the truth ÷ do nothing\n{condition}, {len(judged)} pairs", xlim=(0, None))
    panel.legend(loc="lower right", fontsize=8)


def _terms(panel: Axes, judged: Sequence[Pair]) -> None:
    systems = [name for name in judged[0] if not name.endswith(UNGATED)]
    left = np.zeros(len(systems))
    for term in WEIGHTS:
        values = np.array([fmean(pair[name].mix.terms()[term] for pair in judged) for name in systems])
        panel.barh(range(len(systems)), values, 0.7, left=left, color=_TERM_COLOURS[term], label=term)
        left += values
    panel.set_yticks(range(len(systems)), systems)
    panel.invert_yaxis()
    panel.set(title=f"AF distance to the reference, mean\nfinished music, {len(judged)} pairs")
    panel.legend(loc="lower right", fontsize=8)


def _pairs(panel: Axes, judged: Sequence[Pair]) -> None:
    """Each pair's AF over doing nothing's."""
    systems = [name for name in judged[0] if name not in (NOTHING, FLOOR) and not name.endswith(UNGATED)]
    for row, name in enumerate(systems):
        ratios = np.array([pair[name].mix.total / pair[NOTHING].mix.total for pair in judged])
        spread = np.linspace(-0.25, 0.25, len(ratios)) if len(ratios) > 1 else np.zeros(1)
        panel.scatter(ratios, row + spread, s=12, color=_COLOURS[0], linewidths=0)
        panel.plot([np.median(ratios)] * 2, [row - 0.35, row + 0.35], color=_COLOURS[1], lw=2)
    panel.axvline(1, color="black", lw=1)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator(_RATIOS))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    panel.set_yticks(range(len(systems)), systems)
    panel.invert_yaxis()
    panel.set(title="AF ÷ do nothing's, each pair\n(line: median)")
