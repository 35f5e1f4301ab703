"""More styles for nothing: equalizer, width, pan and gain applied to features instead of samples.

Power spectra of left, right, mid and side say what a linear, memoryless change of the channels makes of
them, so a rendered chain becomes a new one without rendering. Exact for `Features.spectrum`; its mean
change per band is what the envelope's rows get.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .band_loudness import k_weighted
from .frontend import BANDS, FAST_MID_BANDS, FAST_SIDE_BANDS, FLOOR_DB, MONO, Features, decibels


class Restyling(NamedTuple):
    """A change per excerpt, in dB: of both channels (batch, BANDS), of the side on top (batch, BANDS), of
    left and of right (batch, 2), and of the level in the end (batch,)."""

    both_db: Tensor
    side_db: Tensor
    channels_db: Tensor
    gain_db: Tensor

    def select(self, rows: Tensor) -> Restyling:
        """The changes of these excerpts, in this order."""
        return Restyling(*(value[rows] for value in self))


def draw(generator: Generator, count: int, chance: float) -> Restyling:
    """Random changes: smooth curves of some dB; each kind with that probability, else none."""

    def maybe(value: Tensor) -> Tensor:
        here = torch.rand(count, generator=generator) < chance
        return value * here.reshape(-1, *([1] * (value.ndim - 1)))

    def curve(deviation_db: float) -> Tensor:
        place = torch.linspace(0, 1, BANDS)
        centre, height = (torch.rand(count, 4, 1, generator=generator) for _ in range(2))
        reach = 0.04 * 8 ** torch.rand(count, 4, 1, generator=generator)
        bumps = (2 * height - 1) * torch.exp(-((place - centre) / reach).square() / 2)
        return 2 * deviation_db * bumps.sum(1)

    side = maybe(curve(4.0)) + maybe(12 * torch.rand(count, 1, generator=generator) - 7).expand(-1, BANDS)
    pan = maybe(8 * (2 * torch.rand(count, 1, generator=generator) - 1))
    return Restyling(
        maybe(curve(5.0)),
        side,
        torch.cat((pan, -pan), 1),
        maybe(15 * torch.rand(count, generator=generator) - 6),
    )


def restyle(features: Features, change: Restyling) -> Features:
    """The features under the changes; all but the gain keep each excerpt's loudness, as chains do."""
    power = 10 ** (features.spectrum / 10)
    mid, side, left, right = power.unbind(1)
    across = (left - right) / 4  # of mid and side, the real part of their cross-spectrum
    grown = _factor(change.side_db)[..., None]
    wide_mid, wide_side = mid, side * grown.square()
    left, right = (wide_mid + wide_side + 2 * sign * grown * across for sign in (1, -1))
    shared = wide_mid - wide_side  # of left and right
    both = _factor(change.both_db)[..., None]
    left_gain, right_gain = _factor(change.channels_db)[:, :, None, None].unbind(1)
    left_gain, right_gain = left_gain * both, right_gain * both
    left, right = (left * left_gain.square()).clamp(min=0), (right * right_gain.square()).clamp(min=0)
    shared = shared * left_gain * right_gain
    mean = (left + right) / 4
    mid = (mean + shared / 2).clamp(min=0)
    side = torch.maximum(mean - shared / 2, mid * MONO)
    changed = torch.stack((mid, side, left, right), 1)
    energy, wanted = (k_weighted(value)[:, 2:].sum((1, 2, 3)).clamp(min=1e-12) for value in (changed, power))
    level = (wanted / energy) * 10 ** (change.gain_db / 10)
    changed = changed * level[:, None, None, None]
    return Features(decibels(changed), _envelope(features.envelope, power, changed))


def _envelope(envelope: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """The envelope's rows moved by the mean change of what they hear."""
    channels = _change_db(before[:, 2:].sum(2), after[:, 2:].sum(2))  # (batch, 2)
    bands = []
    for signal, count in ((0, FAST_MID_BANDS), (1, FAST_SIDE_BANDS)):
        grouped = (value[:, signal].unflatten(1, (count, -1)).sum(2) for value in (before, after))
        bands.append(_change_db(*grouped))
    moved = torch.cat((channels.repeat_interleave(3, 1), *bands), 1)
    return (envelope + moved[..., None]).clamp(min=FLOOR_DB)


def _change_db(before: Tensor, after: Tensor) -> Tensor:
    before, after = (value.sum(-1).clamp(min=1e-9) for value in (before, after))
    return 10 * torch.log10(after / before)


def _factor(change_db: Tensor) -> Tensor:
    return torch.exp(change_db * (math.log(10) / 20))
