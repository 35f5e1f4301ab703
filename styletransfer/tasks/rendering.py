"""StemSamples through effects whose settings are known: the console's, or others'."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from styletransfer.chains import Chain
from styletransfer.chains.effects import IMPLEMENTATIONS, Processor
from styletransfer.chains.loudness import k_weighted_energy, matching_factor
from styletransfer.converter import fx
from styletransfer.converter.console import STRIP, Settings, Stage
from styletransfer.converter.rendering import stages_of
from styletransfer.corpus.folder import RATE
from styletransfer.corpus.passages import levelled

StemSamples = dict[str, Tensor]
"""Stem → (2, time) float32 at 44.1 kHz; a song need not have all."""

_ALIKE = {
    "eq": ("linear_phase", "bells", "graphic"),  # whose curves come near the console's at the same knobs
    **{name: tuple(IMPLEMENTATIONS[name])[1:] for name in ("compressor", "saturation", "width", "reverb")},
}
_BESIDE = {"reverb": {"low_cut_hz": 20.0}}  # knobs that the console lacks


@torch.no_grad()
def apply_settings(stems: Mapping[str, Tensor], settings: Mapping[str, Settings]) -> StemSamples:
    """Each stem through its strip, as the pipeline renders it (twice as fast as the batched functions)."""
    return {
        name: fx.render(samples, stages_of(STRIP, settings[name], RATE)) for name, samples in stems.items()
    }


@torch.no_grad()
def apply_loosely(
    samples: Tensor,
    strip: Mapping[str, Stage],
    settings: Settings,
    share: float,
    generator: torch.Generator,
) -> Tensor:
    """A sound (2, time) through a strip as another studio has it: each stage is, with probability `share`, of
    another make with its knobs at the same places, and as loud as the console's.

    Expanders, balance, gain and the side's equalizer are always the console's.
    """
    for name, stage in strip.items():
        alone = stages_of({name: stage}, settings, RATE)
        chance, which, seed = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
        if not alone:
            continue
        ours = fx.render(samples, alone)
        if name in _ALIKE and chance < share:
            other = IMPLEMENTATIONS[name][_ALIKE[name][int(which * len(_ALIKE[name]))]]
            knobs = settings[name] | _BESIDE.get(name, {})
            ours = _as_loud(_through(other, samples, knobs, int(seed * 2**31)), ours)
        samples = ours
    return samples


def _through(other: Processor, samples: Tensor, knobs: Mapping[str, float], seed: int) -> Tensor:
    values = {name: torch.tensor([value]) for name, value in knobs.items()}
    return other(samples[None], RATE, values, [seed])[0]


def _as_loud(samples: Tensor, model: Tensor) -> Tensor:
    """Samples (2, time) at a model's K-weighted loudness."""
    energy = k_weighted_energy(torch.stack((samples, model)), RATE)
    return samples * matching_factor(energy[:1], energy[1:])


@torch.no_grad()
def apply_chains(stems: Mapping[str, Tensor], chains: Mapping[str, Chain]) -> StemSamples:
    """Each stem through a chain of its own (batches of one): at −23 LUFS, then back at its level."""
    found = {}
    for name, samples in stems.items():
        heard, factor = levelled(samples)
        found[name] = chains[name].apply(heard[None], RATE)[0] / factor
    return found
