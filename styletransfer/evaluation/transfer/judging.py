"""How close did each system come on one pair? Closeness is measured on what no system has read.

Systems get the whole input and the first half of the reference; their mix is compared with the second
half. The floor is how far the reference's own halves are apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.encoders import LoadedEncoder
from styletransfer.evaluation.af import AFDistance, af_distance
from styletransfer.evaluation.content import ContentKept, content_kept
from styletransfer.evaluation.sides import side_measures
from styletransfer.evaluation.sound import RATE, halves
from styletransfer.style import style_of

from .mixes import NOTHING, UNGATED, Mixed, Mixer

FLOOR = "floor"
PRESENT_LU = 15.0
"""A stem counts where its loudness is within so many LU of its mix."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """One system on one pair: distances to the reference's second half, and what is left of the input.

    stems         AF per stem, output and reference separated alike; only stems present in both songs.
    stem_sides    the same stems' side measures, absolute differences.
    stem_content  what is left of each present stem behind its strip, against the stem before it.
    heard         encoder → embedding of the mix.
    """

    mix: AFDistance
    sides: dict[str, float]
    content: ContentKept | None = None
    stems: dict[str, AFDistance] = field(default_factory=dict)
    stem_sides: dict[str, dict[str, float]] = field(default_factory=dict)
    stem_content: dict[str, ContentKept] = field(default_factory=dict)
    heard: dict[str, Tensor] = field(default_factory=dict)
    gated: bool = False

    def figures(self) -> dict[str, Any]:
        return {
            "af": self.mix.total,
            "terms": self.mix.terms(),
            "stems": {
                name: {"af": stem.total, "terms": stem.terms(), "sides": self.stem_sides.get(name, {})}
                for name, stem in self.stems.items()
            },
            "sides": self.sides,
            "content": self.content.figures() if self.content else None,
            "stem_content": {name: kept.figures() for name, kept in self.stem_content.items()},
            "gated": self.gated,
        }


Pair = dict[str, Judgement]
"""System → judgement, the floor among them."""


def judge_pair(
    source: Audio,
    reference: Audio,
    systems: Mapping[str, Mixer],
    separated: Callable[[Audio], Stems] | None = None,
    encoders: Sequence[LoadedEncoder] = (),
) -> Pair:
    """Judge every system, and the floor, on one pair.

    separated  takes a mix apart, for the stem terms; without it there are none.
    A converter whose gate did nothing is judged the same without it.
    """
    read, unread = halves(reference)
    unread = unread.at_rate(RATE)
    unread_sides = side_measures(unread)
    plain = source.at_rate(RATE)
    unread_stems = {} if separated is None else _present(unread, separated(unread))
    unread_stem_sides = {name: side_measures(stem) for name, stem in unread_stems.items()}
    plain_stems = {} if separated is None else separated(plain)
    counted = [name for name in _present(plain, plain_stems) if name in unread_stems]

    def judge(name: str, mixed: Mixed) -> Judgement:
        mix = mixed.mix.at_rate(RATE)
        stems: Stems = {}
        if separated is not None:
            stems = plain_stems if name == NOTHING else separated(mix)
        told = [stem for stem in counted if stems[stem].samples.any()]
        return Judgement(
            mix=af_distance(mix.samples, unread.samples, RATE),
            sides=side_measures(mix).apart(unread_sides),
            content=None if name == FLOOR else content_kept(mix, plain),
            stems={s: af_distance(stems[s].samples, unread_stems[s].samples, RATE) for s in told},
            stem_sides={s: side_measures(stems[s]).apart(unread_stem_sides[s]) for s in told},
            stem_content=_stems_kept(plain, mixed),
            heard=_heard(mix, encoders),
            gated=mixed.gated,
        )

    judgements = {FLOOR: judge(FLOOR, Mixed(read))}
    for name, system in systems.items():
        gated = judgements.get(name.removesuffix(UNGATED)) if name.endswith(UNGATED) else None
        if gated is not None and not gated.gated:
            judgements[name] = gated
        else:
            judgements[name] = judge(name, system(source, read))
    return judgements


def embedded(sound: Audio, encoders: Sequence[LoadedEncoder]) -> dict[str, Tensor]:
    """Encoder → embedding of a reference's second half."""
    return _heard(halves(sound)[1], encoders)


def _heard(mix: Audio, encoders: Sequence[LoadedEncoder]) -> dict[str, Tensor]:
    return {encoder.fingerprint: style_of(mix, None, encoder).mix.embedding for encoder in encoders}


def _stems_kept(plain: Audio, mixed: Mixed) -> dict[str, ContentKept]:
    if mixed.before is None or mixed.after is None:
        return {}
    return {
        name: content_kept(mixed.after[name].at_rate(RATE), stem.at_rate(RATE))
        for name, stem in _present(plain, mixed.before).items()
    }


def _present(mix: Audio, stems: Stems) -> Stems:
    loudness = integrated_lufs(mix.with_channels(2).samples, mix.rate)
    return {
        name: stems[name]
        for name in STEMS
        if name in stems
        and integrated_lufs(stems[name].with_channels(2).samples, stems[name].rate) > loudness - PRESENT_LU
    }
