"""What do the figures with a truth say? Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from styletransfer.audio import STEMS
from styletransfer.evaluation.report import interval, lines, table
from styletransfer.evaluation.statistics import Estimate

from .answers import CLOSED, LEVELLED, NOTHING, RAW
from .best import beside_best, beside_plain
from .blame import ROWS, SEPARATION
from .comparing import (
    ALL_STEMS,
    OTHERS,
    OURS,
    PARTS,
    Column,
    Side,
    between,
    blamed_on,
    embedding_distances,
    settings_errors,
    share_right,
    systems_of,
)
from .settings import UNITS
from .with_truth import MIX, Judged


def headline_table(judged: Sequence[Judged], seed: int) -> str:
    """Each system's spectral distance of mix and stems, against doing nothing and the closed form."""
    rows = []
    mix, stems = Column(judged, MIX), Column(judged, ALL_STEMS)
    for system in systems_of(judged):
        row = [system]
        for column in (mix, stems):
            mean = column.mean(system)
            to_nothing = None if system == NOTHING else column.against(system, NOTHING, seed)
            to_closed = None if system in (NOTHING, CLOSED) else column.against(system, CLOSED, seed)
            row += [
                "" if mean is None else f"{1000 * mean:.2f}",
                interval(to_nothing.ratio_of_means) if to_nothing else "",
                interval(_thousandfold(to_closed.mean_difference)) if to_closed else "",
                f"{100 * to_nothing.share_worse:.0f} %" if to_nothing else "",
            ]
        gated = sum(task.scores[system].gated for task in judged if system in task.scores)
        rows.append([*row, f"{gated} of {len(judged)}" if gated else ""])
    header = ["", "mix ×1000", "÷ nothing", "− closed ×1000", "worse than nothing"]
    header += ["stems ×1000", "÷ nothing", "− closed ×1000", "worse than nothing", "gate fired"]
    return table(header, rows)


def parts_table(judged: Sequence[Judged], side: Side) -> str:
    """Each system's mean distance per part ×1000, and its ratio to doing nothing."""
    rows = []
    counts = {part: len(Column(judged, part, side).values(RAW)) for part in PARTS}
    for system in systems_of(judged):
        row = [system]
        for part in PARTS:
            column = Column(judged, part, side)
            mean, nothing = column.mean(system), column.mean(NOTHING)
            if mean is None or nothing is None:
                row.append("")
            else:
                row.append(f"{1000 * mean:.2f} ({mean / max(nothing, 1e-9):.2f})")
        rows.append(row)
    return table(["", *(f"{part} ({counts[part]})" for part in PARTS)], rows)


def embedding_table(judged: Sequence[Judged], encoders: Sequence[str]) -> str:
    """Mean cosine distance to the reference and to the truth, by each encoder."""
    rows: dict[str, list[str]] = {}
    for encoder in encoders:
        for system, of in embedding_distances(judged, encoder).items():
            row = rows.setdefault(system, [system])
            for label in (MIX, ALL_STEMS):
                row += [f"{of[label][0]:.3f}", f"{of[label][1]:.3f}"] if label in of else ["", ""]
    header = [""]
    for number, _ in enumerate(encoders, 1):
        for label in (MIX, ALL_STEMS):
            header += [f"encoder {number}, {label}: to reference", "to truth"]
    return table(header, rows.values())


def settings_table(judged: Sequence[Judged]) -> str:
    """Mean error of every parameter over all stems, by system."""
    found = {system: settings_errors(judged, system) for system in systems_of(judged)}
    found = {system: errors for system, errors in found.items() if errors}
    rows = [
        [f"{name}, {unit}" if unit else name, *(_cell(errors.get(name)) for errors in found.values())]
        for name, unit in UNITS.items()
    ]
    return table(["", *found], rows)


def stem_settings_table(judged: Sequence[Judged], system: str) -> str:
    """One system's mean error of every parameter, by stem."""
    found = {stem: settings_errors(judged, system, stem) for stem in STEMS}
    rows = [
        [f"{name}, {unit}" if unit else name, *(_cell(errors.get(name)) for errors in found.values())]
        for name, unit in UNITS.items()
    ]
    return table(["", *STEMS], rows)


def blame_table(judged: Sequence[Judged], system: str) -> str:
    """What each effect alone would leave ×1000, and in brackets what doing nothing would."""
    rows = []
    for effect in ROWS:
        row = [effect]
        for stem in (None, *STEMS):
            ours, nothing = (blamed_on(judged, name, stem).get(effect) for name in (system, RAW))
            cell = "" if ours is None else f"{1000 * ours:.2f}"
            row.append(cell if nothing is None or effect == SEPARATION else f"{cell} ({1000 * nothing:.2f})")
        rows.append(row)
    return table(["", "all stems", *STEMS], rows)


def beside_text(judged: Sequence[Judged], system: str, seed: int) -> str:
    """How close a system's mixes are beside the best baseline's, and how often the right reference helped."""
    share = share_right(judged, system)
    ways = {RAW: "left as it is", LEVELLED: "as loud as the reference"}
    said = [f"doing nothing: the mix {ways[Column(judged, MIX).nothing]} is closer to the truth"]
    said += [best] if (best := beside_best(Column(judged, MIX).all(), system, seed, 1000)) else []
    said += beside_plain(Column(judged, MIX).all(), seed, 1000)
    said += [f"stems: {told}" for told in beside_plain(Column(judged, ALL_STEMS).all(), seed, 1000)]
    if share is not None:
        said.append(f"{system} came closer with the right reference than with another's: {100 * share:.0f} %")
    return lines(*said)


def separators_table(ours: Sequence[Judged], others: Sequence[Judged], seed: int) -> str:
    """Each system's distance with one separator and with another, and the paired difference."""
    rows = []
    for system in systems_of(ours):
        name = Column(ours, MIX).nothing if system == NOTHING else system
        row = [system]
        for part in (MIX, ALL_STEMS):
            column = Column(between(ours, others, name), part)
            gain = column.against(OURS, OTHERS, seed)
            means = (column.mean(OURS), column.mean(OTHERS))
            row += ["" if mean is None else f"{1000 * mean:.2f}" for mean in means]
            row.append(interval(_thousandfold(gain.mean_difference)) if gain else "")
        rows.append(row)
    header = [""]
    for part in (MIX, ALL_STEMS):
        header += [f"{part} ×1000", "with the other", "difference"]
    return table(header, rows)


def _thousandfold(estimate: Estimate) -> Estimate:
    return Estimate(1000 * estimate.value, 1000 * estimate.low, 1000 * estimate.high)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
