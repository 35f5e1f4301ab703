"""Does the system do nothing where nothing is to be done, and heed the reference where it matters?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import torch

from styletransfer.audio import Audio
from styletransfer.evaluation.af import af_distance, joint_rms
from styletransfer.evaluation.sound import RATE, halves

from .mixes import Automix

RESIDUAL_LIMIT_DB = -40.0
SONGS = 6


@dataclass(frozen=True, slots=True)
class NullTests:
    """What came out, over all songs or pairs that were tried.

    amount_zero_exact   the input came back to the bit at amount 0, every time.
    self_residuals_db   level of output − input below the input, each song being its own reference; without
                        the gate, which would hide it.
    right_af            AF to the reference's second half, given its first half.
    shuffled_af         the same, given the first half of another pair's reference.
    """

    amount_zero_exact: bool
    self_residuals_db: list[float]
    right_af: list[float]
    shuffled_af: list[float]

    @property
    def share_right(self) -> float:
        """Of the pairs on which the right reference came closer than the shuffled one."""
        won = [right < shuffled for right, shuffled in zip(self.right_af, self.shuffled_af, strict=True)]
        return sum(won) / len(won)

    @property
    def passed(self) -> bool:
        return (
            self.amount_zero_exact
            and max(self.self_residuals_db) < RESIDUAL_LIMIT_DB
            and sum(self.shuffled_af) > 1.5 * sum(self.right_af)
        )

    def figures(self) -> dict[str, object]:
        return {**asdict(self), "share_right": self.share_right, "passed": self.passed}


def null_tests(
    pairs: Sequence[tuple[Audio, Audio]], automix: Automix, right_af: Sequence[float] | None = None
) -> NullTests:
    """Run them on (input, reference) pairs; each is also given the reference of the next pair, at least two.

    right_af  the AF to the reference's second half given its first, where it is known already.
    Amount 0 and a song as its own reference are tried on the first SONGS pairs.
    """
    if len(pairs) < 2:
        raise ValueError("a reference can't be shuffled among fewer than two pairs")
    known = right_af or [_af(source, right, right, automix) for source, right in pairs]
    return NullTests(
        amount_zero_exact=all(returned_exactly(*pair, automix) for pair in pairs[:SONGS]),
        self_residuals_db=[self_residual_db(source, automix) for source, _ in pairs[:SONGS]],
        right_af=list(known),
        shuffled_af=[
            _af(source, wrong, right, automix)
            for (source, right), (_, wrong) in zip(pairs, [*pairs[1:], pairs[0]], strict=True)
        ],
    )


def returned_exactly(source: Audio, reference: Audio, automix: Automix) -> bool:
    """Whether amount 0 gives the input back to the bit, whatever the reference."""
    mix = replace(automix, amount=0.0)(source, halves(reference)[0]).mix
    return mix.rate == source.rate and torch.equal(mix.samples, source.samples)


def self_residual_db(source: Audio, automix: Automix) -> float:
    """Level of output − input below the input, in dB, where the input is its own reference; ungated."""
    mix = replace(automix, gate=False)(source, source).mix
    residual = joint_rms(mix.samples - source.samples)
    return 20 * math.log10(max(residual, 1e-12) / joint_rms(source.samples))


def _af(source: Audio, given: Audio, judged_by: Audio, automix: Automix) -> float:
    mix = automix(source, halves(given)[0]).mix.at_rate(RATE)
    return af_distance(mix.samples, halves(judged_by)[1].at_rate(RATE).samples, RATE).total
