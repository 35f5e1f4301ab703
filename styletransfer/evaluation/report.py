"""What do the figures say? Tables in Markdown, and everything in JSON."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from statistics import fmean
from typing import Any

import torch

from styletransfer.audio import STEMS

from .af import WEIGHTS
from .content import ContentKept
from .judging import FLOOR, Judgement
from .matchering import VERSION as MATCHERING_VERSION
from .null_tests import RESIDUAL_LIMIT_DB, NullTests
from .speed import LONG_S, Speed
from .statistics import Estimate, Paired, paired
from .systems import MATCHERING, NOTHING

Judged = Sequence[dict[str, Judgement]]
"""Per pair: system → judgement."""


def machine() -> dict[str, Any]:
    """Versions and the kind of machine, without names or paths."""
    found = {}
    for name in ("automix", "torch", "numpy", "scipy", "soundfile", "soxr"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return {
        "versions": {**found, "matchering": MATCHERING_VERSION, "python": platform.python_version()},
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
        },
    }


def comparisons(
    judged: Judged, figure: Callable[[Judgement], float], seed: int
) -> dict[str, dict[str, Paired]]:
    """Every system but the baselines themselves against do nothing and Matchering, by one figure."""
    systems = [name for name in judged[0] if name != FLOOR]
    return {
        name: {
            baseline: paired(
                [figure(pair[name]) for pair in judged],
                [figure(pair[baseline]) for pair in judged],
                torch.Generator().manual_seed(seed),
            )
            for baseline in (NOTHING, MATCHERING)
            if baseline != name and baseline in systems
        }
        for name in systems
    }


def closeness_table(judged: Judged, seed: int) -> str:
    """The headline: AF distance of the mix, against both baselines."""
    against = comparisons(judged, lambda judgement: judgement.mix.total, seed)
    rows = []
    for name in judged[0]:
        mean = fmean(pair[name].mix.total for pair in judged)
        to = against.get(name, {})
        nothing, matchering = to.get(NOTHING), to.get(MATCHERING)
        gated = sum(pair[name].gated for pair in judged)
        rows.append(
            [
                name,
                f"{mean:.4f}",
                _ratio(nothing),
                _ratio(matchering),
                _log_ratio(nothing),
                _log_ratio(matchering),
                f"{100 * nothing.share_worse:.0f} %" if nothing else "",
                f"{gated} of {len(judged)}" if gated else "",
            ]
        )
    header = [
        "",
        "mean AF",
        "÷ do nothing",
        "÷ Matchering",
        "ln ratio to do nothing",
        "ln ratio to Matchering",
        "worse than do nothing",
        "gate fired",
    ]
    return _table(header, rows)


def terms_table(judged: Judged, seed: int) -> str:
    """Each AF term's mean; for all but the baselines also its ratio to Matchering's."""
    rows = []
    for name in judged[0]:
        cells = []
        for term in WEIGHTS:
            mean = fmean(pair[name].mix.terms()[term] for pair in judged)
            cells.append(f"{mean:.2g}" if mean < 1e-3 else f"{mean:.4f}")
            if name not in (FLOOR, NOTHING, MATCHERING) and MATCHERING in judged[0]:
                cells[-1] += f" ({_ratio(comparisons(judged, _term(term), seed)[name][MATCHERING])})"
        rows.append([name, *cells])
    return _table(["", *WEIGHTS], rows)


def sides_table(judged: Judged) -> str:
    """Mean absolute difference of the side measures to the reference's second half."""
    names = list(judged[0][FLOOR].sides)
    rows = [
        [name, *(f"{fmean(pair[name].sides[side] for pair in judged):.2f}" for side in names)]
        for name in judged[0]
    ]
    return _table(["", "loudness range, LU", "width, dB", "short-term crest, dB"], rows)


def content_table(judged: Judged) -> str:
    """Content kept on the mix: mean and the worst pair."""
    rows = []
    for name in judged[0]:
        kept = [found for pair in judged if (found := pair[name].content)]
        if name != NOTHING and kept:
            rows.append([name, *_mean_and_worst(kept)])
    return _table(["", "onsets", "chroma", "SI-SDR after a fitted filter, dB"], rows)


def stems_table(judged: Judged) -> str:
    """Mean AF per stem over the pairs where the stem is present on both sides."""
    rows = []
    for name in judged[0]:
        cells = []
        for stem in STEMS:
            found = [pair[name].stems[stem].total for pair in judged if stem in pair[name].stems]
            cells.append(f"{fmean(found):.3f} ({len(found)})" if found else "none")
        rows.append([name, *cells])
    return _table(["", *(f"{stem} (pairs)" for stem in STEMS)], rows)


def null_text(nulls: NullTests) -> str:
    """The null tests in lines."""
    return _lines(
        f"amount 0 returns the input to the bit: {'yes' if nulls.amount_zero_exact else 'NO'}",
        f"a song as its own reference, no gate: residual at most {max(nulls.self_residuals_db):.1f} dB "
        f"(limit {RESIDUAL_LIMIT_DB:.0f} dB)",
        f"mean AF with the right reference {fmean(nulls.right_af):.4f}, with a shuffled one "
        f"{fmean(nulls.shuffled_af):.4f}",
        f"passed: {'yes' if nulls.passed else 'NO'}",
    )


def speed_text(found: Speed, peak_bytes: int) -> str:
    """Times and memory in lines."""
    return _lines(
        f"everything but separation: {found.rest:.3f} s per second (limit 0.10)",
        f"builtin separation, both sides: {found.separation:.3f} s per second (limit 0.35)",
        f"Matchering, in turn in the same run: {found.matchering:.3f} s per second",
        f"peak memory for {LONG_S // 60} minutes of stereo: {peak_bytes / 1e9:.2f} GB (limit 2.5)",
    )


def _term(name: str) -> Callable[[Judgement], float]:
    return lambda judgement: judgement.mix.terms()[name]


def _mean_and_worst(kept: list[ContentKept]) -> list[str]:
    columns = {name: [content.figures()[name] for content in kept] for name in kept[0].figures()}
    return [
        f"{fmean(values):.{digits}f}, worst {min(values):.{digits}f}"
        for values, digits in zip(columns.values(), (3, 3, 1), strict=True)
    ]


def _ratio(comparison: Paired | None) -> str:
    return _interval(comparison.ratio_of_means) if comparison else ""


def _log_ratio(comparison: Paired | None) -> str:
    return _interval(comparison.median_log_ratio) if comparison else ""


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])


def _lines(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)
