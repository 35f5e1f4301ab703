"""What should a transfer reach, and does it? Each goal with the figure that was measured."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from styletransfer.audio import STEMS
from styletransfer.evaluation.af import WEIGHTS
from styletransfer.evaluation.goal import Goal

from .answers import CLOSED, NOTHING
from .comparing import ALL_STEMS, OTHERS, OURS, Column, Side, between, settings_lead, share_right
from .evaluate import Findings
from .finished import Finished
from .finished_tables import comparisons, term_of, total_of
from .mixes import CONSTANT, MATCHERING
from .with_truth import MIX, NEUTRAL, OTHERWISE, SEPARATED, TRUE

_SPECTRAL = {TRUE: 0.55, SEPARATED: 0.85}
_SIDES: dict[Side, str] = {"left_right": "L/R", "mid_side": "M/S"}
_PAIRS = 30
_OF_MATCHERING = 0.5
_WORSE = 0.05
_SHUFFLED = 0.9
_STEM_CONTENT, _MIX_CONTENT = 0.98, 0.90
_SECONDS = 0.10


def goals(found: Findings, seed: int = 0) -> list[Goal]:
    """Every goal that what was measured can speak to."""
    return [
        *_with_truth(found, seed),
        *(_finished(found.finished, found.main, seed) if found.finished else ()),
    ]


def _with_truth(found: Findings, seed: int) -> Iterator[Goal]:
    for condition, target in _SPECTRAL.items():
        judged = found.truth.get((condition, NEUTRAL), [])
        for part in (MIX, ALL_STEMS):
            for side, label in _SIDES.items():
                column = Column(judged, part, side)
                to_nothing = column.against(found.main, NOTHING, seed)
                if to_nothing is None:
                    continue
                what = f"MSS ÷ do nothing, {part}, {label}, {condition}"
                yield Goal(what, target, to_nothing.ratio_of_means.value, at_most=True)
                to_closed = column.against(found.main, CLOSED, seed)
                if to_closed is not None and found.main != CLOSED:
                    what = f"MSS − closed form's, upper end of the interval, {part}, {label}, {condition}"
                    yield Goal(what, 0.0, to_closed.mean_difference.high, at_most=True)
        if condition == SEPARATED and (other := found.truth.get((OTHERWISE, NEUTRAL))):
            for part in (MIX, ALL_STEMS):
                column = Column(between(judged, other, found.main), part)
                if (gain := column.against(OURS, OTHERS, seed)) is not None:
                    what = f"MSS − with the other separator, upper end of the interval, {part}"
                    yield Goal(what, 0.0, gain.mean_difference.high, at_most=True)
        share = share_right(judged, found.main)
        if share is not None:
            yield Goal(f"closer with the right reference, {condition}", _SHUFFLED, share)
        if (lead := settings_lead(judged, found.main, CONSTANT, "wet", seed)) is not None:
            what = f"error of wet − constant preset's, upper end of the interval, {condition}"
            yield Goal(what, 0.0, lead.mean_difference.high, at_most=True)


def _finished(finished: Finished, main: str, seed: int) -> Iterator[Goal]:
    judged = finished.judged
    yield Goal("pairs of finished music", _PAIRS, len(judged))
    total = comparisons(judged, total_of, seed)[main]
    if MATCHERING in total:
        yield Goal("AF ÷ Matchering's", _OF_MATCHERING, total[MATCHERING].ratio_of_means.value, at_most=True)
        for term in WEIGHTS:
            if term != "rms":
                ratio = comparisons(judged, term_of(term), seed)[main][MATCHERING].ratio_of_means.value
                yield Goal(f"AF's {term} ÷ Matchering's", 1.0, ratio, at_most=True)
        blind = finished.unseen
        if 0 < len(blind) < len(judged):
            for name, figure, target in (
                ("AF", total_of, _OF_MATCHERING),
                ("AF's crest", term_of("crest"), 1.0),
            ):
                ratio = comparisons(blind, figure, seed)[main][MATCHERING].ratio_of_means.value
                what = f"{name} ÷ Matchering's, {len(blind)} pairs that no rule was made on"
                yield Goal(what, target, ratio, at_most=True)
    yield Goal("share of pairs worse than doing nothing", _WORSE, total[NOTHING].share_worse, at_most=True)
    if finished.nulls is not None:
        yield Goal("closer with the right reference, finished music", _SHUFFLED, finished.nulls.share_right)
    for stem in STEMS:
        kept = [pair[main].stem_content[stem] for pair in judged if stem in pair[main].stem_content]
        if kept:
            yield Goal(f"onsets kept, {stem}", _STEM_CONTENT, fmean(one.onsets for one in kept))
            yield Goal(f"chroma kept, {stem}", _STEM_CONTENT, fmean(one.chroma for one in kept))
    mixes = [content for pair in judged if (content := pair[main].content) is not None]
    yield Goal("onsets kept, mix", _MIX_CONTENT, fmean(one.onsets for one in mixes))
    yield Goal("chroma kept, mix", _MIX_CONTENT, fmean(one.chroma for one in mixes))
    for timed in finished.speed:
        what = f"s per s of {timed.duration_s:.0f} s, all but separation and refinement"
        yield Goal(what, _SECONDS, timed.rest, at_most=True)
        yield Goal(f"{what}, models loaded anew", _SECONDS, timed.first, at_most=True)
