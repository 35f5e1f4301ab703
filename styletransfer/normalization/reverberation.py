"""How long does a stem ring, and a room added to one that is too dry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from styletransfer.converter.fx import Equalizer, Reverb, Stage

from .spectrogram import hop_frames

_EDGES_HZ = (200, 400, 800, 1600, 3200, 6400, 12800)
_WITHIN_DB = 50.0
_LONGEST_S = 10.0
_FEWEST = 8

CHANCE = {"drums": 0.5, "bass": 0.01, "other": 0.7, "vocals": 0.9, "mix": 0.5}
"""How likely a stem that is dry enough gets a room: the reverb probabilities of Koo et al., ICASSP 2023."""

_WETTEST = 0.3
_WET_ENOUGH = 1.5  # times the average: a stem that rings longer gets no room
_SEND_LOW_CUT_DB, _SEND_LOW_CUT_HZ = -18.0, 180.0


def decay_s(power: Tensor, rate: int) -> float:
    """The time in which a stem's octave bands would fall by 60 dB, at the pace at which they fall on average.

    power    (frames, bins) from `spectrogram.powers`.
    Returns  seconds, at most 10; 0 where nothing falls. Longer is wetter, but also legato: a room raises it,
             silence between notes lowers it, so it compares stems of one class, not instruments.
    Source   the negative-side spread of the log-energy decay rates; Wen, Habets and Naylor, "Blind estimation
             of reverberation time based on the distribution of signal decay rates", ICASSP 2008.
    """
    frequency_hz = torch.arange(power.shape[1]) * rate / (2 * (power.shape[1] - 1))
    bands = [(frequency_hz >= low) & (frequency_hz < high) for low, high in pairwise(_EDGES_HZ)]
    energy = power @ torch.stack(bands, 1).to(power)
    level_db = 10 * torch.log10(energy.clamp(min=1e-10))
    loud_db = torch.stack(
        [column.sort().values[int(0.95 * (len(column) - 1))] for column in level_db.unbind(1)]
    )
    change_db = level_db.diff(dim=0)
    falling = (level_db[1:] > loud_db - _WITHIN_DB) & (level_db[1:] > -90) & (change_db < 0)
    if int(falling.sum()) < _FEWEST:
        return 0.0
    per_s = float(change_db[falling].square().mean().sqrt()) * rate / hop_frames(rate)
    return min(60 / per_s, _LONGEST_S)


@dataclass(frozen=True, slots=True)
class Room:
    """A reverb, in the units of `fx.reverberate`."""

    decay_s: float
    damping: float
    predelay_ms: float
    wet: float

    def send_stages(self, rate: int) -> tuple[list[Stage], list[Stage]]:
        """What makes of a stem the send with its reverb, and the send alone; lows are kept out of rooms."""

        def send() -> Stage:
            return Equalizer(
                rate, gain_db=[_SEND_LOW_CUT_DB, 0.0], frequency_hz=[_SEND_LOW_CUT_HZ, 10000.0], q=[0.7, 0.7]
            )

        reverb = Reverb(
            rate, decay_s=self.decay_s, damping=self.damping, predelay_ms=self.predelay_ms, wet=self.wet
        )
        return [send(), reverb], [send()]


def draw_room(
    stem: str, stem_decay_s: float, average_decay_s: float, generator: torch.Generator
) -> Room | None:
    """A room for a stem at random, or None; the same numbers are drawn whether or not there is one.

    What was reverberated can't be dried, so the dry are made wetter, by chance: decay .3 to 2.5 s
    (log-uniform), damping .2 to .9, predelay 0 to 50 ms, wet up to .3. Stems that already ring half
    as long again as the average get none.
    """
    chance, decay, damping, predelay, wet = torch.rand(5, generator=generator).tolist()
    if chance >= CHANCE[stem] or stem_decay_s > _WET_ENOUGH * average_decay_s:
        return None
    return Room(
        decay_s=0.3 * math.exp(decay * math.log(2.5 / 0.3)),
        damping=0.2 + 0.7 * damping,
        predelay_ms=50 * predelay,
        wet=_WETTEST * wet,
    )
