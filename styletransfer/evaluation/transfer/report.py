"""What came of it all? One report: Markdown, every figure in JSON, and a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from styletransfer.audio import STEMS
from styletransfer.evaluation.report import goals_table, lines, machine
from styletransfer.files import beside

from . import finished_tables, truth_tables
from .answers import CLOSED
from .comparing import Column, blamed_on, embedding_distances, settings_errors, systems_of
from .evaluate import UNMASTERED, Findings, TransferConfig
from .finished import Finished
from .goals import goals
from .judging import FLOOR
from .picture import figure
from .with_truth import MIX, NEUTRAL, OTHERWISE, SEPARATED, Judged


def markdown(found: Findings, config: TransferConfig) -> str:
    """All tables, goals first."""
    parts = [
        "# Converters",
        f"Goals are those of `{found.main}`. Brackets: 95 % bootstrap intervals over pairs "
        f"(seed {config.seed}). Smaller is closer, everywhere. Nobody has listened.",
        lines(*found.notes) if found.notes else "",
        "## Goals",
        goals_table(goals(found, config.seed)),
    ]
    if found.truth:
        parts += [
            "## With a truth",
            "Two held-out pieces in a neutral state, the same settings on both: one is the reference, "
            "the other the truth. MSS is the multi-scale spectral distance to the truth, per stem and on the "
            "sum. *Do nothing* is the input, raw or as loud as the reference, whichever is closer; "
            "*constant preset* the mean of the settings that tasks are drawn from; "
            "*oracle* the true ones, rendered by difference. With separated stems, systems get what the "
            "separator makes of both mixes, the truth stays what it is, and doing nothing to a stem leaves "
            "it as it was separated.",
        ]
    for (condition, kind), judged in found.truth.items():
        parts += [
            f"### {condition.capitalize()}, {kind}: {len(judged)} pairs",
            "MSS on left/right:",
            truth_tables.headline_table(judged, config.seed),
            truth_tables.beside_text(judged, found.main, config.seed),
            "MSS ×1000 per part on left/right (÷ do nothing):",
            truth_tables.parts_table(judged, "left_right"),
            "The same on mid/side:",
            truth_tables.parts_table(judged, "mid_side"),
            "Cosine distance of embeddings (encoders " + ", ".join(found.encoders) + "):",
            truth_tables.embedding_table(judged, found.encoders),
        ]
        if kind == NEUTRAL:
            parts += [
                "Mean absolute error of settings, over stems:",
                truth_tables.settings_table(judged),
            ]
            if settings_errors(judged, found.main):  # a network that makes stems anew sets none
                parts += [
                    f"The same of `{found.main}`, by stem:",
                    truth_tables.stem_settings_table(judged, found.main),
                    *_blame_parts(judged, found.main),
                ]
    if (ours := found.truth.get((SEPARATED, NEUTRAL))) and (other := found.truth.get((OTHERWISE, NEUTRAL))):
        parts += [
            f"### Stems by {config.separator} beside {config.other_separator}",
            "MSS on left/right; below 0 the first is ahead:",
            truth_tables.separators_table(ours, other, config.seed),
        ]
    if found.finished is not None:
        parts += _finished_parts(found.finished, found.main, config)
    return "\n\n".join(part for part in parts if part) + "\n"


def figures(found: Findings, config: TransferConfig) -> dict[str, Any]:
    """Everything that was measured, as JSON can say it."""
    return {
        "format": 2,
        "plan": config.plan.name,
        "split": config.split,
        "seed": config.seed,
        "converters": list(found.converters),
        "encoders": list(found.encoders),
        **machine(),
        "notes": found.notes,
        "goals": [goal.figures() for goal in goals(found, config.seed)],
        "with_truth": [
            {
                "condition": condition,
                "kind": kind,
                "compared": {
                    system: {
                        part: None if to is None else to.ratio_of_means.figures()
                        for part, to in (
                            (part, Column(judged, part).against(system, "do nothing", config.seed))
                            for part in (MIX, "stems")
                        )
                    }
                    for system in systems_of(judged)
                },
                "embedding": {mark: embedding_distances(judged, mark) for mark in found.encoders},
                "settings": {system: settings_errors(judged, system) for system in systems_of(judged)},
                "blame": {
                    system: {part or "stems": blamed_on(judged, system, part) for part in (None, *STEMS)}
                    for system in systems_of(judged)
                    if blamed_on(judged, system)
                },
                "tasks": [
                    {
                        "input": task.pieces[0],
                        "reference": task.pieces[1],
                        "shuffled": task.shuffled,
                        "systems": {name: score.figures() for name, score in task.scores.items()},
                    }
                    for task in judged
                ],
            }
            for (condition, kind), judged in found.truth.items()
        ],
        "finished": None if found.finished is None else _finished_figures(found.finished, config.seed),
    }


def write(found: Findings, config: TransferConfig, folder: Path) -> list[Path]:
    """Write `converter.json`, `.md` and, where a picture has something to show, `.png`; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "converter" if config.plan.name == "full" else f"converter-{config.plan.name}"
    written = [folder / f"{name}.json", folder / f"{name}.md"]
    text = json.dumps(figures(found, config), indent=1, ensure_ascii=False)
    written[0].write_text(text + "\n", encoding="utf-8")
    written[1].write_text(markdown(found, config), encoding="utf-8")
    written.append(folder / f"{name}.png")
    with beside(written[-1]) as partial:
        figure(found, config.seed).savefig(partial, format="png", dpi=110, metadata={"Software": None})
    return written


def _blame_parts(judged: Sequence[Judged], main: str) -> list[str]:
    parts = []
    for system in (main, main + UNMASTERED, CLOSED):
        if blamed_on(judged, system) and (system != CLOSED or main != CLOSED):
            parts += [
                f"Where the error of `{system}` sits: MSS ×1000 on left/right (FFT 2048) that each effect "
                "alone would leave, all others and the loudness being right; in brackets if it did nothing:",
                truth_tables.blame_table(judged, system),
            ]
    return parts


def _finished_parts(finished: Finished, main: str, config: TransferConfig) -> list[str]:
    judged, seed = finished.judged, config.seed
    names = {name for pair in finished.pairs for name in pair}
    packages = {finished.songs.songs[name].package for name in names}
    parts = [
        f"## Finished music, set `{finished.songs.name}`: {len(judged)} pairs of {len(names)} songs "
        f"from {len(packages)} packages",
        "Systems read the first half of the reference; figures are distances to its second half. Floor: the "
        "distance between the reference's own halves. *Constant preset*: what the closed form sets on "
        "average on training songs.",
        "### AF distance of the mix",
        finished_tables.closeness_table(judged, seed),
        finished_tables.best_text(judged, main, seed),
        "### Its terms (in brackets the ratio to Matchering's)",
        finished_tables.terms_table(judged, seed),
        "### Beside it: mean absolute difference to the reference",
        finished_tables.sides_table(judged),
        "### Content kept of the mix, against the input",
        finished_tables.content_table(judged),
        "### Content kept of each stem, behind its strip against before it",
        finished_tables.stem_content_table(judged),
    ]
    if config.plan.finished.stems:
        parts += ["### AF distance per stem, separated alike", finished_tables.stems_table(judged)]
    if finished.kad:
        systems = list(judged[0])
        parts += [
            "### KAD of the mixes as a set",
            "Lower is more alike. Every song is input and reference, so doing nothing is as near as can be.",
            finished_tables.kad_table(finished.kad, systems),
        ]
    if finished.nulls is not None:
        parts += ["### Null tests", finished_tables.null_text(finished.nulls)]
    if finished.peak_bytes is not None:
        parts += [
            f"### Speed and memory ({machine()['machine']['threads']} threads)",
            finished_tables.speed_table(finished.speed),
            finished_tables.memory_text(finished.peak_bytes),
        ]
    return parts


def _finished_figures(finished: Finished, seed: int) -> dict[str, Any]:
    compared = finished_tables.comparisons(finished.judged, finished_tables.total_of, seed)
    return {
        "set": finished.songs.name,
        "compared": {
            name: {
                baseline: {
                    "ratio_of_means": of.ratio_of_means.figures(),
                    "median_log_ratio": of.median_log_ratio.figures(),
                    "mean_difference": of.mean_difference.figures(),
                    "share_worse": of.share_worse,
                }
                for baseline, of in baselines.items()
            }
            for name, baselines in compared.items()
            if name != FLOOR
        },
        "kad": finished.kad,
        "null_tests": None if finished.nulls is None else finished.nulls.figures(),
        "speed": [timed.figures() for timed in finished.speed],
        "peak_bytes": finished.peak_bytes,
        "pairs": [
            {
                "input": source,
                "reference": reference,
                "systems": {name: judgement.figures() for name, judgement in pair.items()},
            }
            for (source, reference), pair in zip(finished.pairs, finished.judged, strict=True)
        ],
    }
