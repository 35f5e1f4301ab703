"""The style figures as tables in Markdown, a line per condition, kind of stem and number of effects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from styletransfer.chains import EFFECTS
from styletransfer.evaluation.statistics import Estimate

from . import foreign
from .findings import FOREIGN, OWN, SEPARATED, Findings
from .goals import goals, grouped
from .retrieval import FIGURES
from .styles import SEED, frozen
from .systems import ENCODER


def goals_table(found: Findings) -> str:
    """Each goal, what was measured, and by how much it is missed."""
    rows = []
    for goal in goals(found):
        sign = "≤" if goal.at_most else "≥"
        verdict = "met" if goal.met else f"missed by {goal.missed_by:.3f}"
        rows.append([goal.what, f"{sign} {goal.target:.3g}", _number(goal.value), verdict])
    return _table(["goal", "target", "measured", ""], rows)


def retrieval_table(found: Findings) -> str:
    """R@1 with its interval, R@5 in parentheses: a line per condition, kind and number of effects."""
    rows = []
    for (condition, kind, count), answers in found.answers.items():
        cells = [
            f"{_interval(answer.estimate('recall_1'))} ({_number(answer.estimate('recall_5').value)})"
            for answer in answers.values()
        ]
        rows.append([condition, kind, str(count), str(found.pieces[condition, kind]), *cells])
    return _table(["condition", "kind", "effects", "pieces", *found.systems], rows)


def figures_table(found: Findings) -> str:
    """The encoder's four figures."""
    rows = [
        [condition, kind, str(count), *(_interval(answers[ENCODER].estimate(figure)) for figure in FIGURES)]
        for (condition, kind, count), answers in found.answers.items()
        if ENCODER in answers
    ]
    return _table(["condition", "kind", "effects", "R@1", "R@5", "mean rank", "mAP@10"], rows)


def leads_table(found: Findings) -> str:
    """The encoder's R@1 minus each baseline's on the same queries."""
    baselines = [name for name in found.systems if name != ENCODER]
    rows = [
        [
            condition,
            kind,
            str(count),
            *(_interval(answers[ENCODER].lead_over(answers[name])) for name in baselines),
        ]
        for (condition, kind, count), answers in found.answers.items()
        if ENCODER in answers
    ]
    return _table(["condition", "kind", "effects", *baselines], rows)


def effects_table(found: Findings) -> str:
    """The encoder's R@1 over those styles that hold an effect: which one is to blame?"""
    rows = []
    for (condition, kind, count), answers in found.answers.items():
        if condition in (OWN, SEPARATED, FOREIGN) and ENCODER in answers:
            hits = answers[ENCODER].values("recall_1")
            if condition == FOREIGN:
                held = foreign.present(found.styles, count, SEED)
                present = dict(zip(foreign.NAMES, held.T, strict=True))
                present["mid_side_eq"] = present.pop("filter")
            else:
                held = frozen()[str(count)].present().numpy()[: found.styles]
                present = dict(zip(EFFECTS, held.T, strict=True))
            asked = np.arange(len(hits)) % found.styles  # every draw asks style after style
            of_effects = (present[name][asked] for name in EFFECTS)
            means = (hits[of_one].mean() if of_one.any() else math.nan for of_one in of_effects)
            rows.append([condition, kind, str(count), *map(_number, means)])
    return _table(["condition", "kind", "effects", *EFFECTS], rows)


def leak_table(found: Findings) -> str:
    """The share of excerpts whose nearest neighbour of another style is the same piece."""
    rows = [
        [
            kind,
            str(count),
            _number(next(iter(leaks.values())).chance),
            *(_interval(leak.leak) for leak in leaks.values()),
        ]
        for (kind, count), leaks in found.leaks.items()
    ]
    return _table(["kind", "effects", "chance", *found.systems], rows)


def disentanglement_table(found: Findings) -> str:
    """DCIMIG and explicitness as published, and beside each what it says of the chain."""
    rows = []
    for (label, kind), table in found.gaps.items():
        for name, gap in table.items():
            told = found.explicitness[label, kind][name]
            rows.append(
                [
                    label,
                    kind,
                    str(found.pieces.get(("grid", kind), "")),
                    name,
                    _interval(gap.dcimig),
                    _number(gap.ceiling),
                    _interval(gap.chain),
                    f"{told.fitted:.3f}",
                    f"{told.chain:.3f}",
                    f"{told.piece:.3f}",
                    _interval(told.held_out),
                ]
            )
    header = ["grid", "kind", "pieces", "system", "DCIMIG", "its ceiling without any content"]
    header += ["chain's part", "explicitness", "of the chain", "of the piece", "chain named on unseen pieces"]
    return _table(header, rows)


def probes_table(found: Findings) -> str:
    """Mean R² per group of parameters; each parameter's is in the JSON."""
    rows = []
    for (condition, kind), tables in found.probes.items():
        for name, probes in tables.items():
            means = grouped(probes)
            rows.append([condition, kind, name, *(_interval(r2) for r2 in means.values())])
    groups = list(grouped(next(iter(next(iter(found.probes.values())).values())))) if found.probes else []
    return _table(["pieces", "kind", "system", *groups], rows)


def parameters_table(found: Findings) -> str:
    """The encoder's R² of each parameter by itself."""
    asked = {key: tables[ENCODER] for key, tables in found.probes.items() if ENCODER in tables}
    names = list(dict.fromkeys(name for probes in asked.values() for name in probes))
    rows = [
        [name, *(_interval(probes[name].r2) if name in probes else "" for probes in asked.values())]
        for name in names
    ]
    return _table(["parameter", *(f"{kind}, {condition}" for condition, kind in asked)], rows)


def naming_table(found: Findings) -> str:
    """Accuracy from so many examples per style."""
    rows, counts = [], []
    for kind, table in found.naming.items():
        for name, accuracy in table.items():
            counts = list(accuracy)
            rows.append([kind, name, *(_interval(share) for share in accuracy.values())])
    return _table(["kind", "system", *(f"{count} examples" for count in counts)], rows)


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.low):
        return _number(estimate.value)
    return f"{_number(estimate.value)} [{_number(estimate.low)}, {_number(estimate.high)}]"


def _number(value: float) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rows = list(rows)
    if not rows:
        return ""
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])
