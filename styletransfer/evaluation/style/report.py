"""What do the style figures say? Tables in Markdown, and everything in JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from styletransfer.evaluation.report import machine
from styletransfer.evaluation.statistics import Estimate

from .evaluate import Findings, StyleConfig
from .goals import goals, grouped
from .retrieval import FIGURES, OWN_PIECE
from .systems import ENCODER


def markdown(found: Findings, config: StyleConfig) -> str:
    """All tables, goals first."""
    plan = config.plan
    quick = ""
    if plan.name == "quick":
        quick = " **Quick run**: a part of the plan, for development; not the figures to report."
    parts = [
        f"# The encoder on the {config.split} split ({plan.name} run)",
        f"{plan.styles} styles, excerpts of 10 s, {plan.draws} draw{'s' if plan.draws > 1 else ''}, "
        f"seed {config.seed}; brackets are 95 % intervals that draw pieces again. Every system heard the "
        f"same sound in the same run.{quick}",
        *(f"- {note}" for note in found.notes),
    ]
    sections = (
        ("Goals", goals_table(found)),
        ("Retrieval: R@1 (R@5)", retrieval_table(found)),
        ("Retrieval of the encoder in full", figures_table(found)),
        ("Lead of the encoder in R@1, paired", leads_table(found)),
        ("Content leak", leak_table(found)),
        ("Disentanglement", disentanglement_table(found)),
        ("Linear probes, R²", probes_table(found)),
        ("Named styles: share told right", naming_table(found)),
    )
    for title, table in sections:
        if table:
            parts += [f"## {title}", table]
    return "\n\n".join(parts) + "\n"


def figures(found: Findings, config: StyleConfig) -> dict[str, Any]:
    """Everything that was measured, as JSON can say it."""
    return {
        "format": 1,
        "split": config.split,
        "plan": config.plan.name,
        "styles": config.plan.styles,
        "draws": config.plan.draws,
        "seed": config.seed,
        **machine(),
        "systems": found.fingerprints,
        "pieces": {" / ".join(key): count for key, count in found.pieces.items()},
        "notes": found.notes,
        "goals": [goal.figures() for goal in goals(found)],
        "retrieval": [
            {
                "condition": condition,
                "kind": kind,
                "effects": count,
                "systems": {
                    name: {figure: _plain(answer.estimate(figure)) for figure in FIGURES}
                    for name, answer in answers.items()
                },
                "lead_of_encoder": {
                    name: _plain(answers[ENCODER].lead_over(answer))
                    for name, answer in answers.items()
                    if ENCODER in answers and name != ENCODER
                },
            }
            for (condition, kind, count), answers in found.answers.items()
        ],
        "leak": [
            {
                "kind": kind,
                "effects": count,
                "chance": next(iter(leaks.values())).chance,
                "systems": {name: _plain(leak.leak) for name, leak in leaks.items()},
            }
            for (kind, count), leaks in found.leaks.items()
        ],
        "disentanglement": [
            {
                "grid": label,
                "kind": kind,
                "systems": {
                    name: {
                        "dcimig": _plain(gap.dcimig),
                        "dcimig_chain": _plain(gap.chain),
                        "dcimig_piece": _plain(gap.piece),
                        "dcimig_ceiling": gap.ceiling,
                        "explicitness": found.explicitness[label, kind][name].fitted,
                        "explicitness_chain": found.explicitness[label, kind][name].chain,
                        "explicitness_piece": found.explicitness[label, kind][name].piece,
                        "chain_named_held_out": _plain(found.explicitness[label, kind][name].held_out),
                    }
                    for name, gap in table.items()
                },
            }
            for (label, kind), table in found.gaps.items()
        ],
        "probes": [
            {
                "pieces": condition,
                "kind": kind,
                "systems": {
                    system: {
                        name: {**_plain(probe.r2), "excerpts": probe.excerpts}
                        for name, probe in probes.items()
                    }
                    for system, probes in table.items()
                },
            }
            for (condition, kind), table in found.probes.items()
        ],
        "named_styles": {
            kind: {
                system: {str(count): _plain(share) for count, share in accuracy.items()}
                for system, accuracy in table.items()
            }
            for kind, table in found.naming.items()
        },
    }


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
    table = _table(["condition", "kind", "effects", "pieces", *found.systems], rows)
    how = f"Each gallery holds at least {OWN_PIECE} items of the query's own piece under other styles."
    return f"{table}\n\n{how}" if table else ""


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
                    _interval(told.held_out),
                ]
            )
    header = ["grid", "kind", "pieces", "system", "DCIMIG", "its ceiling without any content"]
    header += ["chain's part", "explicitness", "chain named on unseen pieces"]
    return _table(header, rows)


def probes_table(found: Findings) -> str:
    """Mean R² per group of parameters; each parameter's is in the JSON."""
    rows = []
    for (condition, kind), tables in found.probes.items():
        for name, probes in tables.items():
            means = grouped(probes)
            rows.append([condition, kind, name, *(_number(value) for value in means.values())])
    groups = list(grouped(next(iter(next(iter(found.probes.values())).values())))) if found.probes else []
    return _table(["pieces", "kind", "system", *groups], rows)


def naming_table(found: Findings) -> str:
    """Accuracy from so many examples per style."""
    rows, counts = [], []
    for kind, table in found.naming.items():
        for name, accuracy in table.items():
            counts = list(accuracy)
            rows.append([kind, name, *(_interval(share) for share in accuracy.values())])
    return _table(["kind", "system", *(f"{count} examples" for count in counts)], rows)


def _plain(estimate: Estimate) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else value for key, value in estimate.figures().items()}


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.low):
        return _number(estimate.value)
    return f"{_number(estimate.value)} [{_number(estimate.low)}, {_number(estimate.high)}]"


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rows = list(rows)
    if not rows:
        return ""
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])
