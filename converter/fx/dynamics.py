"""Compressor and expander: a gain that follows the level of the louder channel.

Both smooth the level's distance to the threshold, not the gain; since the smoothing scales
with what it smooths, the gain is the same, and the ratio keeps its gradient at 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import Parameter, amplitude, check_stereo, per_example
from .ballistics import detector_reach, hop_frames, interpolate, levels_db, smooth
from .streaming import GainStage

_LEAST_EXCESS = 1e-6


def compress(
    samples: Tensor,
    rate: int,
    *,
    threshold_db: Parameter,
    ratio: Parameter,
    knee_db: Parameter,
    attack_ms: Parameter,
    release_ms: Parameter,
    makeup_db: Parameter,
) -> Tensor:
    """Turn down, or with a ratio below 1 up, what is louder than the threshold; both channels alike.

    samples       (batch, 2, time).
    threshold_db  peak level: a tone of amplitude 1 is at 0 dB.
    ratio         0.5 to 20: dB in per dB out above the threshold; 1 is neutral, below 1 expands upward.
    knee_db       width of the parabolic bend around the threshold; 0 is a hard knee.
    attack_ms     time for 63 % of the gain change in dB when the level rises.
    release_ms    the same when it falls.
    makeup_db     gain after compression.
    Source        Giannoulis, Massberg & Reiss, "Digital dynamic range compressor design", JAES 60(6), 2012.
    """
    change_db = compression_gain_db(
        samples,
        rate,
        threshold_db=threshold_db,
        ratio=ratio,
        knee_db=knee_db,
        attack_ms=attack_ms,
        release_ms=release_ms,
    )
    return samples * amplitude(change_db + per_example(makeup_db, samples)).unsqueeze(1)


def compression_gain_db(
    samples: Tensor,
    rate: int,
    *,
    threshold_db: Parameter,
    ratio: Parameter,
    knee_db: Parameter,
    attack_ms: Parameter,
    release_ms: Parameter,
) -> Tensor:
    """The gain (batch, time) in dB that `compress` applies before make-up: negative where it turns down."""
    check_stereo(samples)
    overshoot = _overshoot_db(
        levels_db(_with_context(samples, rate), rate),
        per_example(threshold_db, samples),
        per_example(knee_db, samples),
    )
    start = torch.zeros_like(overshoot[:, :1])
    followed = smooth(
        overshoot,
        rate,
        rise_ms=per_example(attack_ms, samples),
        fall_ms=per_example(release_ms, samples),
        start=start,
    )
    slope = 1 / per_example(ratio, samples) - 1
    return interpolate(slope * followed, rate, start)[:, : samples.shape[-1]]


def expand(
    samples: Tensor,
    rate: int,
    *,
    threshold_db: Parameter,
    ratio: Parameter,
    range_db: Parameter,
    attack_ms: Parameter,
    release_ms: Parameter,
) -> Tensor:
    """Turn down what is softer than the threshold (a downward expander or gate); both channels alike.

    samples       (batch, 2, time).
    threshold_db  peak level: a tone of amplitude 1 is at 0 dB.
    ratio         1 or more: dB out per dB in below the threshold; 1 is neutral.
    range_db      0 or more: the most it turns down.
    attack_ms     time for 63 % of the gain change in dB when the level rises and the gain opens.
    release_ms    the same when it falls and the gain closes.
    Source        as `compress`.
    """
    check_stereo(samples)
    excess = per_example(ratio, samples) - 1
    shortfall = _shortfall_db(
        levels_db(_with_context(samples, rate), rate),
        per_example(threshold_db, samples),
        excess,
        per_example(range_db, samples),
    )
    start = torch.zeros_like(shortfall[:, :1])
    followed = smooth(
        shortfall,
        rate,
        rise_ms=per_example(release_ms, samples),
        fall_ms=per_example(attack_ms, samples),
        start=start,
    )
    change_db = interpolate(-excess * followed, rate, start)[:, : samples.shape[-1]]
    return samples * amplitude(change_db).unsqueeze(1)


def compressed_level_db(
    levels_db: Tensor, *, threshold_db: float, ratio: float, knee_db: float, makeup_db: float
) -> Tensor:
    """The level at which `compress` puts out steady tones of these levels: its transfer curve."""
    overshoot = _overshoot_db(levels_db, *levels_db.new_tensor((threshold_db, knee_db)))
    return levels_db + (1 / ratio - 1) * overshoot + makeup_db


def expanded_level_db(levels_db: Tensor, *, threshold_db: float, ratio: float, range_db: float) -> Tensor:
    """The level at which `expand` puts out steady tones of these levels: its transfer curve."""
    settings = levels_db.new_tensor((threshold_db, ratio - 1, range_db))
    return levels_db - (ratio - 1) * _shortfall_db(levels_db, *settings)


class Compressor(GainStage):
    """Renders `compress` block by block; numbers only."""

    def __init__(
        self,
        rate: int,
        *,
        threshold_db: float,
        ratio: float,
        knee_db: float,
        attack_ms: float,
        release_ms: float,
        makeup_db: float,
    ) -> None:
        super().__init__(rate, reach=detector_reach(rate))
        self._threshold_db, self._knee_db = torch.tensor(float(threshold_db)), torch.tensor(float(knee_db))
        self._rise_ms, self._fall_ms = attack_ms, release_ms
        self._slope, self._makeup_db = 1 / ratio - 1, makeup_db
        self._followed = torch.zeros(1, 1)

    def control(self, context: Tensor) -> Tensor:
        overshoot = _overshoot_db(levels_db(context, self.rate), self._threshold_db, self._knee_db)
        followed = smooth(
            overshoot, self.rate, rise_ms=self._rise_ms, fall_ms=self._fall_ms, start=self._followed
        )
        start, self._followed = self._followed, followed[:, -1:]
        return interpolate(self._slope * followed, self.rate, self._slope * start) + self._makeup_db


class Expander(GainStage):
    """Renders `expand` block by block; numbers only."""

    def __init__(
        self,
        rate: int,
        *,
        threshold_db: float,
        ratio: float,
        range_db: float,
        attack_ms: float,
        release_ms: float,
    ) -> None:
        super().__init__(rate, reach=detector_reach(rate))
        self._threshold_db, self._range_db = torch.tensor(float(threshold_db)), torch.tensor(float(range_db))
        self._rise_ms, self._fall_ms = release_ms, attack_ms
        self._excess = torch.tensor(float(ratio) - 1)
        self._followed = torch.zeros(1, 1)

    def control(self, context: Tensor) -> Tensor:
        shortfall = _shortfall_db(
            levels_db(context, self.rate), self._threshold_db, self._excess, self._range_db
        )
        followed = smooth(
            shortfall, self.rate, rise_ms=self._rise_ms, fall_ms=self._fall_ms, start=self._followed
        )
        start, self._followed = self._followed, followed[:, -1:]
        return interpolate(-self._excess * followed, self.rate, -self._excess * start)


def _overshoot_db(level_db: Tensor, threshold_db: Tensor, knee_db: Tensor) -> Tensor:
    """How far the level is above the threshold, bent within the knee."""
    knee = knee_db.clamp(min=1e-3)
    above_knee_start = level_db - threshold_db + knee / 2
    within = torch.minimum(above_knee_start.clamp(min=0), knee)
    return within.square() / (2 * knee) + (above_knee_start - knee).clamp(min=0)


def _shortfall_db(level_db: Tensor, threshold_db: Tensor, excess: Tensor, range_db: Tensor) -> Tensor:
    """How far the level is below the threshold, as far as the range lets it count."""
    return torch.minimum((threshold_db - level_db).clamp(min=0), range_db / excess.clamp(min=_LEAST_EXCESS))


def _with_context(samples: Tensor, rate: int) -> Tensor:
    """Silence before and after, so that the detector yields whole hops that cover the samples."""
    reach, hop = detector_reach(rate), hop_frames(rate)
    return torch.nn.functional.pad(samples, (reach, reach + -samples.shape[-1] % hop))
