"""How much of a separated stem is its own? Told from the stems alone, whatever separated them.

Three things are looked at, second by second:
- shares: in each bin of a spectrum every stem has a share of all stems' magnitudes. Where a separator is
  sure, shares are near 0 and 1; the stem's own share, weighted by its energy, is what of it a mask expects
  to be its own, and the entropy of the shares says how undecided the separator was.
- reference: how far the stem lies below its mix. What is quiet is mostly what others left over.
- residual: what no stem claims, beside the stem. `builtin` leaves none, so it has no weight,
  with any separator.
From these the SDR is predicted, linearly; a confidence is the share of energy that this SDR leaves to the
stem. The constant was fitted on the corpus's validation songs (`evaluation.separation.calibration`); slopes
fitted there ranked stems no better than these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.encoder.magnitude import magnitude
from styletransfer.notes import Note
from styletransfer.scratch import release

FFT = 4096
SEGMENT_HOPS = 11
"""Spectra per segment: 1.02 s at 44.1 kHz."""

COUNTS = True
"""Whether transfers change a separated stem less the less of it is its own."""

LEAKY = 0.35
"""A stem that is present, but whose confidence is below this, is mostly leakage."""

_AUDIBLE_DB = -15.0
_SEGMENTS_AT_A_TIME = 16
_TINY = 1e-12

FEATURES = ("own_db", "certainty", "level_db", "rest_db")
WEIGHTS = {"constant": 2.2, "own_db": 0.45, "certainty": 2.0, "level_db": 0.30, "rest_db": 0.0}
"""Feature → dB of SDR per unit."""


@dataclass(frozen=True, slots=True, eq=False)
class Confidence:
    """Of one stem.

    features  (segments, FEATURES): its own share as odds in dB, the certainty (1 − entropy, 0 to 1), its
              level below the mix in dB, the rest's level below the stem in dB; all within their ranges.
    energy    (segments,) of the stem.
    """

    features: Tensor
    energy: Tensor

    @property
    def over_time(self) -> Tensor:
        """(segments,) between 0 and 1: the share of each segment that is expected to be the stem's own."""
        return own_share(self.predicted_db(self.features))

    @property
    def mean(self) -> float:
        """Over the whole stem, each segment as much as it has energy; 0 for a silent stem.

        Also what of a change the stem bears: of a sound that is the stem plus leakage, this share of what a
        linear change makes of it is nearest, in least squares, to what the change makes of the stem.
        """
        total = float(self.energy.sum())
        return float((self.over_time * self.energy).sum()) / total if total > _TINY else 0.0

    @property
    def audible(self) -> bool:
        """Whether the stem is loud enough in its mix to matter: 15 dB below it, or louder."""
        sounds = float(self.energy.sum()) > _TINY
        return sounds and bool(self.summary[FEATURES.index("level_db")] > _AUDIBLE_DB)

    @property
    def summary(self) -> Tensor:
        """(FEATURES,) the features' means, each segment as much as it has energy."""
        weights = self.energy / self.energy.sum().clamp(min=_TINY)
        return (self.features * weights[:, None]).sum(0)

    @staticmethod
    def predicted_db(features: Tensor) -> Tensor:
        """The SDR that features (…, FEATURES) let expect."""
        weights = torch.tensor([WEIGHTS[name] for name in FEATURES], dtype=features.dtype)
        return features @ weights + WEIGHTS["constant"]


def own_share(sdr_db: Tensor) -> Tensor:
    """The share of energy that is the stem's own at some SDR: 0.5 at 0 dB, 0.8 at 6 dB."""
    return 1 / (1 + 10 ** (-sdr_db / 10))


def confidences(mix: Audio, stems: Stems) -> dict[str, Confidence]:
    """Of each stem of a mix, from its sound and the others'. ValueError where they are not equally long.

    Walks through long songs; memory does not grow with their length.
    """
    rate = next(iter(stems.values())).rate
    whole = mix.at_rate(rate).with_channels(2)
    if any(stem.frames != whole.frames for stem in stems.values()):
        raise ValueError("stems and mix must be equally long to be compared")
    names = [name for name in STEMS if name in stems]
    size = FFT * SEGMENT_HOPS
    found: list[tuple[Tensor, Tensor]] = []
    for start in range(0, whole.frames, size * _SEGMENTS_AT_A_TIME):
        part = slice(start, start + size * _SEGMENTS_AT_A_TIME)
        sounds = torch.stack([stems[name].with_channels(2).samples[:, part] for name in names])
        found.append(_measured(whole.samples[:, part], sounds))
        for sound in (whole, *stems.values()):
            release(sound.samples)
    features, energy = (torch.cat(parts, 1) for parts in zip(*found, strict=True))
    return {name: Confidence(features[i], energy[i]) for i, name in enumerate(names)}


def bearable(ours: dict[str, Confidence], theirs: dict[str, Confidence]) -> dict[str, float]:
    """Stem → what of a match both sides bear: the lesser of the two confidences."""
    return {name: min(ours[name].mean, theirs[name].mean) for name in ours if name in theirs}


def leaks(of_side: dict[str, Confidence], side: str, bears: Mapping[str, float]) -> list[Note]:
    """A warning for each stem of a side ("the input", "the reference") that is there but mostly leakage.

    bears   stem → what of a change is made of it; empty where all of it is.
    """
    so = (
        "so they are changed by {:.0f} % of what was asked for"
        if bears
        else "so what is set for them acts on others"
    )
    return [
        Note(
            "stem-leaky",
            f"of the {name} separated from {side} only {100 * told.mean:.0f} % seem to be their own, "
            + so.format(100 * bears.get(name, 1.0)),
            name,
        )
        for name, told in of_side.items()
        if told.mean < LEAKY and told.audible
    ]


def _measured(mix: Tensor, stems: Tensor) -> tuple[Tensor, Tensor]:
    """Features (stems, segments, FEATURES) and energy (stems, segments) of (2, time), (stems, 2, time)."""
    spectra, mixed = _spectra(stems), _spectra(mix[None])  # (stems, 2, bins, spectra), (1, 2, bins, spectra)
    level = magnitude(spectra)
    shares = level / level.sum(0).clamp(min=1e-9)
    entropy = -(shares * shares.clamp(min=1e-9).log()).sum(0) / math.log(len(stems))
    power = level.square()
    energy = _by_segment(power.sum((1, 2)))
    held = energy.clamp(min=_TINY)
    own = _by_segment((power * shares).sum((1, 2))) / held
    certainty = 1 - _by_segment((power * entropy).sum((1, 2))) / held
    whole, rest = (
        _by_segment(magnitude(part).square().sum((1, 2))) for part in (mixed, mixed - spectra.sum(0))
    )
    features = torch.stack(
        (
            _db(own / (1 - own).clamp(min=1e-4)).clamp(-15, 25),
            certainty.clamp(0, 1),
            _db(energy / whole.clamp(min=_TINY)).clamp(-40, 3),
            _db(energy / rest.clamp(min=_TINY)).clamp(-20, 40),
        ),
        -1,
    )
    return features, energy


def _spectra(samples: Tensor) -> Tensor:
    """Spectra (…, bins, spectra) of consecutive frames of (…, time), which is filled up with zeros."""
    window = torch.hann_window(FFT)
    missing = -samples.shape[-1] % (FFT * SEGMENT_HOPS)
    whole = torch.nn.functional.pad(samples, (0, missing))
    spectra: Tensor = torch.fft.rfft(whole.unfold(-1, FFT, FFT) * window)
    return spectra.transpose(-1, -2)


def _by_segment(values: Tensor) -> Tensor:
    """(stems, spectra) → sums (stems, segments)."""
    sums: Tensor = values.unflatten(-1, (-1, SEGMENT_HOPS)).sum(-1)
    return sums


def _db(ratio: Tensor) -> Tensor:
    return 10 * torch.log10(ratio.clamp(min=_TINY))
