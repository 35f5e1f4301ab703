"""How close did each system come on one pair? Closeness is measured on what no system has read.

Systems get the whole input and the first half of the reference; their mix is compared with the second
half. The floor is how far the reference's own halves are apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.encoder.loudness import integrated_lufs

from .af import AFDistance, af_distance
from .content import ContentKept, content_kept
from .sides import side_measures
from .sound import RATE, halves
from .systems import NOTHING, System

FLOOR = "floor"
PRESENT_LU = 15.0
"""A stem counts where its loudness is within so many LU of its mix."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One system on one pair: distances to the reference's second half, and what is left of the input.

    stems  AF per stem, output and reference separated alike; only stems present in reference and input.
    """

    mix: AFDistance
    sides: dict[str, float]
    content: ContentKept | None = None
    stems: dict[str, AFDistance] = field(default_factory=dict)
    gated: bool = False

    def figures(self) -> dict[str, Any]:
        return {
            "af": self.mix.total,
            "terms": self.mix.terms(),
            "stems": {name: {"af": stem.total, "terms": stem.terms()} for name, stem in self.stems.items()},
            "sides": self.sides,
            "content": self.content.figures() if self.content else None,
            "gated": self.gated,
        }


def judge_pair(
    source: Audio,
    reference: Audio,
    systems: dict[str, System],
    separated: Callable[[Audio], Stems] | None = None,
) -> dict[str, Judgement]:
    """Judge every system, and the floor, on one pair.

    separated  takes a mix apart, for the stem terms; without it there are none.
    """
    read, unread = halves(reference)
    unread = unread.at_rate(RATE)
    unread_sides = side_measures(unread)
    plain = source.at_rate(RATE)
    unread_stems = {} if separated is None else _present(unread, separated(unread))
    plain_stems = {} if separated is None else separated(plain)
    counted = [name for name in _present(plain, plain_stems) if name in unread_stems]

    def judge(mix: Audio, name: str, gated: bool) -> Judgement:
        stems: Stems = {}
        if separated is not None:
            stems = plain_stems if name == NOTHING else separated(mix)
        return Judgement(
            mix=af_distance(mix.samples, unread.samples, RATE),
            sides=side_measures(mix).apart(unread_sides),
            content=None if name == FLOOR else content_kept(mix, plain),
            stems={
                stem: af_distance(stems[stem].samples, unread_stems[stem].samples, RATE)
                for stem in counted
                if stems[stem].samples.any()
            },
            gated=gated,
        )

    judgements = {FLOOR: judge(read.at_rate(RATE), FLOOR, False)}
    for name, system in systems.items():
        answer = system(source, read)
        judgements[name] = judge(answer.mix.at_rate(RATE), name, answer.gated)
    return judgements


def _present(mix: Audio, stems: Stems) -> Stems:
    loudness = integrated_lufs(mix.with_channels(2).samples, mix.rate)
    return {
        name: stems[name]
        for name in STEMS
        if name in stems
        and integrated_lufs(stems[name].with_channels(2).samples, stems[name].rate) > loudness - PRESENT_LU
    }
