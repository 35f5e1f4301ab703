"""What do the figures on finished music say? Tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

import torch

from styletransfer.audio import STEMS
from styletransfer.evaluation.af import WEIGHTS
from styletransfer.evaluation.content import ContentKept
from styletransfer.evaluation.report import interval, lines, table
from styletransfer.evaluation.statistics import Paired, paired

from .answers import CLOSED
from .best import beside_best, beside_plain
from .judging import FLOOR, Judgement, Pair
from .mixes import MATCHERING, NOTHING
from .null_tests import RESIDUAL_LIMIT_DB, NullTests
from .speed import LONG_S, Speed

_SIDES = ("loudness range, LU", "width, dB", "short-term crest, dB")
_CONTENT = ("onsets", "chroma", "SI-SDR after a fitted filter, dB")


def total_of(judgement: Judgement) -> float:
    """The AF distance of the mix."""
    return judgement.mix.total


def term_of(name: str) -> Callable[[Judgement], float]:
    """One of its terms."""
    return lambda judgement: judgement.mix.terms()[name]


def comparisons(
    judged: Sequence[Pair], figure: Callable[[Judgement], float], seed: int
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
            for baseline in (NOTHING, MATCHERING, CLOSED)
            if baseline != name and baseline in systems
        }
        for name in systems
    }


def closeness_table(judged: Sequence[Pair], seed: int) -> str:
    """The headline: AF distance of the mix, against both baselines."""
    against = comparisons(judged, total_of, seed)
    rows = []
    for name in judged[0]:
        mean = fmean(pair[name].mix.total for pair in judged)
        to = against.get(name, {})
        nothing, matchering, closed = (to.get(one) for one in (NOTHING, MATCHERING, CLOSED))
        gated = sum(pair[name].gated for pair in judged)
        rows.append(
            [
                name,
                f"{mean:.4f}",
                _ratio(nothing),
                _ratio(matchering),
                _ratio(closed),
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
        "÷ closed",
        "ln ratio to do nothing",
        "ln ratio to Matchering",
        "worse than do nothing",
        "gate fired",
    ]
    return table(header, rows)


def best_text(judged: Sequence[Pair], system: str, seed: int) -> str:
    """How far a system is from the best baseline."""
    named = {name: [total_of(pair[name]) for pair in judged] for name in judged[0] if name != FLOOR}
    return lines(beside_best(named, system, seed), *beside_plain(named, seed))


def terms_table(judged: Sequence[Pair], seed: int) -> str:
    """Each AF term's mean; for all but the baselines also its ratio to Matchering's."""
    rows = []
    for name in judged[0]:
        cells = []
        for term in WEIGHTS:
            mean = fmean(pair[name].mix.terms()[term] for pair in judged)
            cells.append(f"{mean:.2g}" if mean < 1e-3 else f"{mean:.4f}")
            if name not in (FLOOR, NOTHING, MATCHERING) and MATCHERING in judged[0]:
                cells[-1] += f" ({_ratio(comparisons(judged, term_of(term), seed)[name][MATCHERING])})"
        rows.append([name, *cells])
    return table(["", *WEIGHTS], rows)


def sides_table(judged: Sequence[Pair]) -> str:
    """Mean absolute difference of the side measures to the reference's second half."""
    names = list(judged[0][FLOOR].sides)
    rows = [
        [name, *(f"{fmean(pair[name].sides[side] for pair in judged):.2f}" for side in names)]
        for name in judged[0]
    ]
    return table(["", *_SIDES], rows)


def content_table(judged: Sequence[Pair]) -> str:
    """Content kept on the mix: mean and the worst pair."""
    rows = []
    for name in judged[0]:
        kept = [found for pair in judged if (found := pair[name].content)]
        if name != NOTHING and kept:
            rows.append([name, *_mean_and_worst(kept)])
    return table(["", *_CONTENT], rows)


def stems_table(judged: Sequence[Pair]) -> str:
    """Mean AF per stem over the pairs where the stem is present on both sides, and its terms."""
    rows = []
    for name in judged[0]:
        for stem in STEMS:
            here = [pair[name] for pair in judged if stem in pair[name].stems]
            if not here:
                continue
            distances = [one.stems[stem] for one in here]
            sides = [one.stem_sides[stem] for one in here]
            cells = [f"{fmean(found.total for found in distances):.3f}"]
            cells += [f"{fmean(found.terms()[term] for found in distances):.2g}" for term in WEIGHTS]
            cells += [f"{fmean(found[side] for found in sides):.2f}" for side in sides[0]]
            rows.append([name, f"{stem} ({len(here)})", *cells])
    return table(["", "stem (pairs)", "AF", *WEIGHTS, *_SIDES], rows)


def stem_content_table(judged: Sequence[Pair]) -> str:
    """Content kept of each stem behind its strip, against the stem before it: mean and the worst pair."""
    rows = []
    for name in judged[0]:
        for stem in STEMS:
            kept = [pair[name].stem_content[stem] for pair in judged if stem in pair[name].stem_content]
            if kept:
                rows.append([name, f"{stem} ({len(kept)})", *_mean_and_worst(kept)])
    return table(["", "stem (pairs)", *_CONTENT], rows)


def kad_table(distances: Mapping[str, Mapping[str, float]], systems: Sequence[str]) -> str:
    """KAD of each system's mixes, by each encoder."""
    header = ["", *(f"encoder {encoder}" for encoder in distances)]
    return table(header, [[n, *(f"{of[n]:.2f}" for of in distances.values())] for n in systems])


def null_text(nulls: NullTests) -> str:
    """The null tests in lines."""
    return lines(
        f"amount 0 returns the input to the bit: {'yes' if nulls.amount_zero_exact else 'NO'}",
        f"a song as its own reference, no gate: residual at most {max(nulls.self_residuals_db):.1f} dB "
        f"(limit {RESIDUAL_LIMIT_DB:.0f} dB)",
        f"mean AF with the right reference {fmean(nulls.right_af):.4f}, with a shuffled one "
        f"{fmean(nulls.shuffled_af):.4f}; "
        f"the right one was closer on {100 * nulls.share_right:.0f} % of pairs",
        f"passed: {'yes' if nulls.passed else 'NO'}",
    )


def speed_table(timed: Sequence[Speed]) -> str:
    """Seconds per second of input, by its length, beside their limits."""
    header = ["seconds per second of", *(f"{found.duration_s:.0f} s" for found in timed), "limit"]
    theirs = ["" if found.matchering is None else f"{found.matchering:.3f}" for found in timed]
    rows = [
        ["everything but separation", *(f"{found.rest:.3f}" for found in timed), "0.10"],
        ["… where models are loaded anew", *(f"{found.first:.3f}" for found in timed), "0.10"],
        ["builtin separation, both sides", *(f"{found.separation:.3f}" for found in timed), "0.35"],
        ["Matchering, in turn in the same run", *theirs, ""],
    ]
    return table(header, rows)


def memory_text(peak_bytes: int) -> str:
    """The peak in one line."""
    return f"Peak memory for {LONG_S // 60} minutes of stereo: {peak_bytes / 1e9:.2f} GB (limit 2.5)."


def _ratio(comparison: Paired | None) -> str:
    return interval(comparison.ratio_of_means) if comparison else ""


def _log_ratio(comparison: Paired | None) -> str:
    return interval(comparison.median_log_ratio) if comparison else ""


def _mean_and_worst(kept: list[ContentKept]) -> list[str]:
    columns = {name: [content.figures()[name] for content in kept] for name in kept[0].figures()}
    return [
        f"{fmean(values):.{digits}f}, worst {min(values):.{digits}f}"
        for values, digits in zip(columns.values(), (3, 3, 1), strict=True)
    ]
