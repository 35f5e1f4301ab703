"""What do the separation figures say? A report in Markdown, everything in JSON, a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from styletransfer.audio import STEMS
from styletransfer.evaluation.report import machine
from styletransfer.evaluation.statistics import Estimate

from .calibration import agreement
from .evaluate import Findings, SeparationConfig
from .goals import asked_for, goals
from .scores import FIGURES
from .songs import REAL


def markdown(found: Findings, config: SeparationConfig) -> str:
    """All tables, goals first."""
    parts = [
        "# Separation",
        "SDR is 10·log10(‖s‖²/‖s−ŝ‖²) over whole songs in dB, the mean over songs; brackets: 95 % intervals "
        f"that draw pieces again (seed {config.seed}). Absent stems are skipped. Nobody has listened.",
        *(f"- {note}" for note in found.notes),
        "## Goals",
        _goals_table(found),
        "No lead is asked of vocals: builtin and the median split stand behind the same voice network.",
    ]
    for kind in found.kinds():
        parts += [f"## {kind.capitalize()}: SDR", _sdr_table(found, kind, config.seed)]
        parts += [f"## {kind.capitalize()}: SI-SDR / BSS-eval SDR", _beside_table(found, kind, config.seed)]
        if kind == REAL:
            parts += ["## Real, song by song: SDR", _songs_table(found, kind)]
        parts += [
            f"## {kind.capitalize()}: lead over the best baseline",
            _lead_table(found, kind, config.seed),
        ]
    parts += ["## Confidence", _confidence_text(found), "## Cost", _cost_table(found)]
    return "\n\n".join(parts) + "\n"


def figures(found: Findings, config: SeparationConfig) -> dict[str, Any]:
    """Everything that was measured, as JSON can say it."""
    return {
        "format": 2,
        "split": config.split,
        "seed": config.seed,
        **machine(),
        "systems": found.fingerprints,
        "notes": found.notes,
        "goals": [goal.figures() for goal in goals(found)],
        "means": {
            kind: {
                system: {
                    stem: {
                        figure: _plain(found.estimate(kind, system, stem, figure, config.seed))
                        for figure in FIGURES
                    }
                    for stem in STEMS
                }
                for system in found.systems
            }
            for kind in found.kinds()
        },
        "confidence": {kind: agreement(found, asked_for(found), kind) for kind in found.kinds()},
        "songs": [
            {
                "name": judged.song.name,
                "kind": judged.song.kind,
                "piece": judged.song.piece,
                "duration_s": round(judged.song.duration_s, 2),
                "seconds_per_second": judged.seconds,
                "rest_db": judged.rest_db,
                "scores": {
                    system: {stem: scores.figures() for stem, scores in stems.items()}
                    for system, stems in judged.scores.items()
                },
            }
            for judged in found.judged
        ],
    }


def write(found: Findings, config: SeparationConfig, folder: Path) -> list[Path]:
    """Write `separation.json`, `.md` and `.png` to a folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / f"separation{suffix}" for suffix in (".json", ".md", ".png")]
    text = json.dumps(figures(found, config), indent=1, ensure_ascii=False)
    written[0].write_text(text + "\n", encoding="utf-8")
    written[1].write_text(markdown(found, config), encoding="utf-8")
    picture(found).savefig(written[2], dpi=110, metadata={"Software": None})
    return written


def picture(found: Findings) -> Figure:
    """Every song's SDR as a dot, per stem and system, with the means; a panel per kind."""
    kinds = found.kinds()
    figure = Figure(figsize=(8, 3.2 * len(kinds)), layout="constrained")
    panels = figure.subplots(len(kinds), 1, squeeze=False)[:, 0]
    width = 0.8 / len(found.systems)
    for panel, kind in zip(panels, kinds, strict=True):
        for index, system in enumerate(found.systems):
            for place, stem in enumerate(STEMS):
                values = np.array(found.values(kind, system, stem))
                at = place + (index - (len(found.systems) - 1) / 2) * width
                colour = f"C{index}"
                if len(values):
                    spread = np.linspace(-0.3, 0.3, len(values)) * width
                    panel.scatter(at + spread, values, s=6, color=colour, alpha=0.5, linewidths=0)
                    label = system if place == 0 else None
                    mean = values.mean()
                    panel.plot([at - width / 2, at + width / 2], [mean, mean], color=colour, label=label)
        panel.set(xticks=range(len(STEMS)), xticklabels=STEMS, ylabel="SDR, dB", title=kind, ylim=(-12, 22))
        panel.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    panels[0].legend(fontsize=7, loc="upper left", frameon=False)
    return figure


def _goals_table(found: Findings) -> str:
    rows = [
        [
            goal.what,
            f"{'≤' if goal.at_most else '≥'} {goal.target:g}",
            f"{goal.value:.2f}",
            "met" if goal.met else f"missed by {abs(goal.value - goal.target):.2f}",
        ]
        for goal in goals(found)
    ]
    return _table([f"goal, for {asked_for(found)}", "target", "measured", ""], rows)


def _sdr_table(found: Findings, kind: str, seed: int) -> str:
    counts = {stem: len(found.values(kind, found.systems[0], stem)) for stem in STEMS}
    rows = [
        [system, *(_interval(found.estimate(kind, system, stem, "sdr_db", seed)) for stem in STEMS)]
        for system in found.systems
    ]
    return _table(["", *(f"{stem} ({count})" for stem, count in counts.items())], rows)


def _beside_table(found: Findings, kind: str, seed: int) -> str:
    rows = []
    for system in found.systems:
        cells = []
        for stem in STEMS:
            pair = [found.estimate(kind, system, stem, figure, seed).value for figure in FIGURES[1:]]
            cells.append(" / ".join(map(_number, pair)))
        rows.append([system, *cells])
    return _table(["", *STEMS], rows)


def _songs_table(found: Findings, kind: str) -> str:
    rows = []
    for judged in found.judged:
        if judged.song.kind == kind:
            for system in found.systems:
                scores = judged.scores[system]
                cells = [_number(scores[stem].sdr_db) if stem in scores else "" for stem in STEMS]
                rows.append([judged.song.name, system, *cells])
    return _table(["song", "", *STEMS], rows)


def _lead_table(found: Findings, kind: str, seed: int) -> str:
    name, rows = asked_for(found), []
    for stem in STEMS:
        values = found.values(kind, name, stem)
        if values:
            baseline = found.best_baseline(kind, stem)
            gains = np.array(values) - np.array(found.values(kind, baseline, stem))
            rows.append(
                [
                    stem,
                    baseline,
                    _interval(found.lead(kind, name, baseline, stem, seed)),
                    f"{np.median(gains):.2f}",
                    f"{100 * (gains < 0).mean():.0f} %",
                ]
            )
    return _table(
        ["stem", "best baseline", f"mean lead of {name}, dB", "median", "songs that got worse"], rows
    )


def _confidence_text(found: Findings) -> str:
    kinds = found.kinds()
    told = {kind: agreement(found, asked_for(found), kind) for kind in kinds}
    rows = [
        [stem, *(cell for kind in kinds for cell in _agreed(told[kind][stem]))]
        for stem in (*STEMS, "all")
        if any(told[kind][stem]["songs"] for kind in kinds)
    ]
    header = ["stem", *(cell for kind in kinds for cell in (f"{kind} songs", f"{kind}, correlation"))]
    said = "Rank correlation of a stem's confidence with its SDR, over songs (Spearman)."
    return f"{said}\n\n{_table(header, rows)}"


def _agreed(entry: dict[str, Any]) -> tuple[str, str]:
    found = entry["correlation"]
    return str(entry["songs"]), "none" if found is None else _number(found)


def _cost_table(found: Findings) -> str:
    kinds = found.kinds()
    rows = []
    for system in found.systems:
        cells = [system]
        for kind in kinds:
            songs = found.of(kind)
            cells.append(f"{median([judged.seconds[system] for judged in songs]):.3f}")
            cells.append(f"{median([judged.processor_s[system] for judged in songs]):.3f}")
        rows.append(cells)
    header = [f"{kind}, {what} per second" for kind in kinds for what in ("seconds", "processor seconds")]
    return _table(["", *header], rows)


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "none"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _number(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.2f}"


def _plain(estimate: Estimate) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else value for key, value in estimate.figures().items()}


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])
