"""What do the style figures say? A report in Markdown, and everything in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from styletransfer.encoder.network import EXPLICIT_WEIGHT
from styletransfer.evaluation.report import machine
from styletransfer.evaluation.statistics import Estimate

from . import tables
from .evaluate import StyleConfig
from .findings import Findings
from .goals import goals
from .retrieval import FIGURES, OWN_PIECE
from .systems import ENCODER

_HOW = {
    "Retrieval: R@1 (R@5)": f"""A query's style is that of exactly one item of the gallery, on another piece;
at least {OWN_PIECE} items are the query's own piece under other styles. Published R@1 on other data, at 4 / 8
effects: StemFX about .73/.87, contrastive on the same network .51/.78, AFx-Rep .41/.68, Fx-Encoder++ .16/.38,
CLAP .11/.22. 'A chain per stem': the mix of four stems, each with a chain of its own, is heard as one; 'stems
heard apart': the same true stems, their four embeddings side by side.""",
    "R@1 of the encoder over styles that hold an effect": "A pass band of sox stands under mid_side_eq.",
    "Content leak": "The share of excerpts whose nearest neighbour with another style is the same piece.",
    "Disentanglement": """DCIMIG (Sepliarskaia et al. 2019) and DCI explicitness (Eastwood and Williams 2018)
as published, factors chain and piece. An embedding that holds nothing of the piece can't exceed the ceiling,
so the chain's best gap over its own entropy stands beside it. Published explicitness is measured on what the
forest was fitted to, where even noise reaches about .8, so accuracy on unseen pieces (0 guessing, 1 always
right) stands beside it. 'single': one effect alone, mean over six effects.""",
    "Linear probes, R²": "Each effect alone, parameters on perceptual scales, held out by piece.",
}
"""Section → what its figures are."""

_JOINED = f"""The encoder's embedding is that of a style: its learned part and, at {EXPLICIT_WEIGHT:g} of its
weight, the explicit features. The learned part alone stands beside it."""


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
        *([_JOINED] if ENCODER in found.systems else []),
        *(f"- {note}" for note in found.notes),
    ]
    sections = (
        ("Goals", tables.goals_table(found)),
        ("Retrieval: R@1 (R@5)", tables.retrieval_table(found)),
        ("Retrieval of the encoder in full", tables.figures_table(found)),
        ("Lead of the encoder in R@1, paired", tables.leads_table(found)),
        ("R@1 of the encoder over styles that hold an effect", tables.effects_table(found)),
        ("Content leak", tables.leak_table(found)),
        ("Disentanglement", tables.disentanglement_table(found)),
        ("Linear probes, R²", tables.probes_table(found)),
        ("R² of the encoder, parameter by parameter", tables.parameters_table(found)),
        ("Named styles: share told right", tables.naming_table(found)),
    )
    for title, table in sections:
        if table:
            parts += [f"## {title}", *([_HOW[title]] if title in _HOW else []), table]
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
        "embedding_3_minutes_s": found.song_s,
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
                "lead_of_encoder": _leads(answers),
            }
            for (condition, kind, count), answers in found.answers.items()
        ],
        "leak": [
            {
                "kind": kind,
                "effects": count,
                "chance": next(iter(leaks.values())).chance,
                "systems": {name: _plain(leak.leak) for name, leak in leaks.items()},
                "lead_of_encoder": _leads(leaks),
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
                "lead_of_encoder": {
                    "dcimig": _leads(table),
                    "explicitness": _leads(found.explicitness[label, kind]),
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
                "lead_of_encoder": {
                    name: _leads({system: probes[name] for system, probes in table.items()})
                    for name in table.get(ENCODER, ())
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


class _Leading(Protocol):
    def lead_over(self, other: Any) -> Estimate: ...


def _leads(found: Mapping[str, _Leading]) -> dict[str, dict[str, float | None]]:
    """Baseline → how far the encoder is ahead of it; empty without the encoder."""
    return {
        name: _plain(found[ENCODER].lead_over(other))
        for name, other in found.items()
        if ENCODER in found and name != ENCODER
    }


def _plain(estimate: Estimate) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else value for key, value in estimate.figures().items()}
