"""Does confidence tell how good a stem is, and with which weights does it tell best?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from styletransfer.audio import STEMS
from styletransfer.separation.confidence import FEATURES

from .evaluate import Findings

_LEAST_DB, _MOST_DB = -15.0, 20.0
_RIDGE = 1.0
_LEAST_SPREAD = 1e-2


def agreement(found: Findings, system: str, kind: str) -> dict[str, dict[str, Any]]:
    """Stem → rank correlation of confidence and SDR over a kind's songs, and over how many; `all` stems
    together. None where fewer than three differ."""
    pairs: dict[str, list[tuple[float, float]]] = {stem: [] for stem in (*STEMS, "all")}
    for judged in found.of(kind):
        told = judged.confidence.get(system, {})
        for stem, scores in judged.scores[system].items():
            if stem in told:
                for name in (stem, "all"):
                    pairs[name].append((told[stem].mean, scores.sdr_db))
    return {
        stem: {"songs": len(values), "correlation": _correlation(values)} for stem, values in pairs.items()
    }


def weights(found: Findings, system: str) -> dict[str, float]:
    """The weights for `confidence.WEIGHTS` that predict a system's SDR best (ridge regression) over songs."""
    rows, wanted = [], []
    for judged in found.judged:
        for stem, scores in judged.scores[system].items():
            if stem in judged.confidence.get(system, {}):
                rows.append(judged.confidence[system][stem].summary.double().numpy())
                wanted.append(min(max(scores.sdr_db, _LEAST_DB), _MOST_DB))
    features, target = np.array(rows), np.array(wanted)
    middle, spread = features.mean(0), features.std(0)
    spread = np.where(spread > _LEAST_SPREAD, spread, np.inf)  # what never changes gets no weight
    scaled = (features - middle) / spread
    solved = np.linalg.solve(
        scaled.T @ scaled + _RIDGE * np.eye(len(FEATURES)), scaled.T @ (target - target.mean())
    )
    slopes = solved / spread
    constant = float(target.mean() - slopes @ middle)
    return {"constant": constant, **dict(zip(FEATURES, map(float, slopes), strict=True))}


def _correlation(values: list[tuple[float, float]]) -> float | None:
    if len({value for value, _ in values}) < 3:
        return None
    return float(spearmanr(*zip(*values, strict=True)).statistic)
