"""How far long-term spectra are from a reference's: the terms that refinement turns knobs by.

The AF distance in a form of its own, on whole passages; and spectra in dB, of stems relative to their mix.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .spectra import Spectra, spectra_of

LEVEL, WIDTH, IMBALANCE, BARK, CREST = 0.1, 1.0, 1.0, 0.1, 0.001
"""The AF distance's weights. Source: Vanka et al., "Diff-MST", ISMIR 2024."""

_AUDIBLE_DB = 60.0
_TINY = 1e-12


def sounds_apart(ours: Tensor, theirs: Tensor) -> Tensor:
    """(sounds,) AF distance of sounds (sounds, 2, time ≥ WINDOW) at the rate of `spectra`, with gradients."""
    crest_db = _crest_db(ours) - _crest_db(theirs)
    return apart(spectra_of(ours), spectra_of(theirs)) + CREST * crest_db.square().mean(1)


def apart(ours: Spectra, theirs: Spectra) -> Tensor:
    """(sounds,) AF distance but for crest, each sound brought to its counterpart's level."""
    power = theirs.energy[:, :2].sum(1) / ours.energy[:, :2].sum(1).clamp(min=_TINY)
    rms = ours.energy[:, :2].mul(power[:, None]).clamp(min=_TINY).sqrt()
    level = (rms - theirs.energy[:, :2].sqrt()).square().mean(1)
    width = (_width(ours) - _width(theirs)).square()
    imbalance = (_imbalance(ours) - _imbalance(theirs)).square()
    bark = (_log(ours) + power.clamp(min=_TINY).log()[:, None, None] / 2 - _log(theirs)).square().mean((1, 2))
    return LEVEL * level + WIDTH * width + IMBALANCE * imbalance + BARK * bark


def apart_db(ours: Spectra, theirs: Spectra) -> Tensor:
    """(sounds,) mean difference in dB of the spectra of L+R and L−R, relative to each side's whole mix."""
    level = (theirs.energy[0, :2].sum() / ours.energy[0, :2].sum().clamp(min=_TINY)).log() / 2
    decibels = 20 / torch.log(torch.tensor(10.0))
    missed = (_log(ours) + level - _log(theirs)) * decibels
    log = _log(theirs) * decibels
    audible = (log > log.amax((1, 2), keepdim=True) - _AUDIBLE_DB).to(missed)
    smooth = torch.nn.functional.smooth_l1_loss(missed, torch.zeros_like(missed), reduction="none")
    return (smooth * audible).sum((1, 2)) / audible.sum((1, 2)).clamp(min=1)


def _crest_db(sounds: Tensor) -> Tensor:
    """(sounds, 2) of each channel."""
    rms = sounds.square().mean(2).clamp(min=1e-18).sqrt()
    return 20 * torch.log10(sounds.abs().amax(2).clamp(min=1e-9) / rms)


def _log(spectra: Spectra) -> Tensor:
    return (spectra.bark + 1e-8).log()


def _width(spectra: Spectra) -> Tensor:
    return spectra.energy[:, 3] / spectra.energy[:, 2].clamp(min=_TINY)


def _imbalance(spectra: Spectra) -> Tensor:
    left, right = spectra.energy[:, 0], spectra.energy[:, 1]
    return (right - left) / (left + right).clamp(min=_TINY)
