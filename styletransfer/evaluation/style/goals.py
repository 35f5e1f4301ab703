"""What should the encoder reach, and does it? Each goal with the figure that was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator

from styletransfer.evaluation.goal import Goal
from styletransfer.evaluation.statistics import Estimate

from .findings import AS_IS, FOREIGN, NORMALIZED, OWN, SEPARATED, Findings
from .intervals import mean_estimate
from .probes import Probe
from .systems import ENCODER, LEARNED

_RECALL = {kind: {4: 0.80, 8: 0.92} for kind in ("mix", "drums", "other")}
_RECALL |= {kind: {4: 0.70, 8: 0.85} for kind in ("bass", "vocals")}
_FOREIGN_LOSS, _SEPARATED_LOSS = 0.15, 0.05
_DISENTANGLED = {"full": (0.70, 0.965), "single": (0.40, 0.89)}
_LEAK_OVER_CHANCE = 2.0
_SONG_S = 3.0

PROBED = {
    "EQ gains": ("eq.", "_gain_db"),
    "width": ("width.", "width"),
    "gain": ("gain.", "gain_db"),
    "compression": ("compressor.", "_db", "ratio"),
    "reverb": ("reverb.", "wet", "decay_s"),
}
"""Group → the effect's prefix, and the endings of the parameters whose R² are averaged."""

_PROBES = {
    NORMALIZED: {"EQ gains": 0.8, "width": 0.8, "gain": 0.8, "compression": 0.6, "reverb": 0.6},
    AS_IS: {"EQ gains": 0.6, "width": 0.6, "gain": 0.6, "compression": 0.4, "reverb": 0.4},
}


def goals(found: Findings) -> list[Goal]:
    """Every goal that what was measured can speak to; none without the encoder."""
    if ENCODER not in found.systems:
        return []
    timed = [Goal("s to embed 3 minutes, mix and stems", _SONG_S, found.song_s, True)] if found.song_s else []
    return [*_retrieval(found), *_leads(found), *_other_leads(found), *_others(found), *timed]


def grouped(probes: dict[str, Probe]) -> dict[str, Estimate]:
    """The mean R² of each group of PROBED that was measured."""
    return {
        group: mean_estimate([probe.r2 for probe in of.values()]) for group, of in _groups(probes).items()
    }


def _groups(probes: dict[str, Probe]) -> dict[str, dict[str, Probe]]:
    found = {}
    for group, (effect, *endings) in PROBED.items():
        of = {
            name: probe
            for name, probe in probes.items()
            if name.startswith(effect) and name.endswith(tuple(endings))
        }
        if of:
            found[group] = of
    return found


def _recall(found: Findings, condition: str, kind: str, count: int) -> float | None:
    answers = found.answers.get((condition, kind, count))
    return answers[ENCODER].estimate("recall_1").value if answers else None


def _retrieval(found: Findings) -> Iterator[Goal]:
    for kind, targets in _RECALL.items():
        for count, target in targets.items():
            own = _recall(found, OWN, kind, count)
            if own is None:
                continue
            yield Goal(f"R@1, {kind}, {count} effects", target, own)
            foreign = _recall(found, FOREIGN, kind, count)
            if foreign is not None:
                yield Goal(
                    f"R@1 lost to foreign effects, {kind}, {count}", _FOREIGN_LOSS, own - foreign, True
                )
            separated = _recall(found, SEPARATED, kind, count)
            if separated is not None:
                what = f"R@1 lost to separation, {kind}, {count} effects"
                yield Goal(what, _SEPARATED_LOSS, own - separated, True)


def _baselines(found: Findings) -> list[str]:
    return [system for system in found.systems if system not in (ENCODER, LEARNED)]


def _leads(found: Findings) -> Iterator[Goal]:
    for baseline in _baselines(found):
        lows = {
            key: answers[ENCODER].lead_over(answers[baseline]).low for key, answers in found.answers.items()
        }
        if lows:
            condition, kind, count = min(lows, key=lambda key: lows[key])
            what = (
                f"least lead in R@1 over {baseline}, lower end of the interval ({condition}, {kind}, {count})"
            )
            yield Goal(what, 0.0, min(lows.values()))


def _other_leads(found: Findings) -> Iterator[Goal]:
    for baseline in _baselines(found):
        for figure, every in _figures_ahead(found, baseline).items():
            leads = {where: lead for where, lead in every.items() if not math.isnan(lead.low)}
            if leads:
                where = min(leads, key=lambda where: leads[where].low)
                what = f"least lead in {figure} over {baseline}, lower end of the interval ({where})"
                yield Goal(what, 0.0, leads[where].low)


def _figures_ahead(found: Findings, baseline: str) -> dict[str, dict[str, Estimate]]:
    """Figure → where it was measured → how far the encoder is ahead of a baseline; of the leak, below."""
    ahead: dict[str, dict[str, Estimate]] = {"DCIMIG": {}, "explicitness": {}, "content leak": {}, "R²": {}}
    for (label, kind), table in found.gaps.items():
        told = found.explicitness[label, kind]
        ahead["DCIMIG"][f"{kind}, {label}"] = table[ENCODER].lead_over(table[baseline])
        ahead["explicitness"][f"{kind}, {label}"] = told[ENCODER].lead_over(told[baseline])
    for (kind, count), leaks in found.leaks.items():
        ahead["content leak"][f"{kind}, {count} effects"] = leaks[ENCODER].lead_over(leaks[baseline])
    for (condition, kind), tables in found.probes.items():
        for group, own in _groups(tables[ENCODER]).items():
            leads = [probe.lead_over(tables[baseline][name]) for name, probe in own.items()]
            ahead["R²"][f"{group}, {kind}, pieces {condition}"] = mean_estimate(leads)
    return ahead


def _others(found: Findings) -> Iterator[Goal]:
    for (label, kind), table in found.gaps.items():
        dcimig, explicit = _DISENTANGLED[label]
        yield Goal(f"DCIMIG, {kind}, {label}", dcimig, table[ENCODER].dcimig.value)
        fitted = found.explicitness[label, kind][ENCODER].fitted
        yield Goal(f"explicitness, {kind}, {label}", explicit, fitted)
    for (kind, count), leaks in found.leaks.items():
        leak = leaks[ENCODER]
        target = _LEAK_OVER_CHANCE * leak.chance
        yield Goal(f"content leak, {kind}, {count} effects", target, leak.leak.value, True)
    for (condition, kind), tables in found.probes.items():
        for group, r2 in grouped(tables[ENCODER]).items():
            yield Goal(f"R² of {group}, {kind}, pieces {condition}", _PROBES[condition][group], r2.value)
