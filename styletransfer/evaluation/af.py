"""How far apart are two finished mixes in level, dynamics, stereo image and spectrum?

The audio-feature (AF) distance, for judging a transfer where no truth exists. Refinement (`refining`)
turns knobs by a form of it, as the polish of every master does, and networks learn by it among other
losses, so that it is told beside other measures.

Source: Vanka et al., "Diff-MST: Differentiable Mixing Style Transfer", ISMIR 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

WEIGHTS = {"rms": 0.1, "crest": 0.001, "width": 1.0, "imbalance": 1.0, "bark": 0.1}
"""Weight of each term's mean squared difference."""

BARK_BANDS = 24
WINDOW_FRAMES = 32768
HOP_FRAMES = 8192
SIDE_FLOOR = 10 ** (-60 / 20)
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class AudioFeatures:
    """What the AF distance compares.

    rms        (2,) per channel, linear.
    crest_db   (2,) peak over RMS per channel.
    width      energy of L−R over energy of L+R.
    imbalance  (right − left) / (right + left) of the channels' energy, in [-1, 1].
    bark       (2, bands) ln of the mean magnitude, of L+R and of L−R.
    """

    rms: Tensor
    crest_db: Tensor
    width: Tensor
    imbalance: Tensor
    bark: Tensor


@dataclass(frozen=True, slots=True)
class AFDistance:
    """The weighted terms; 0 is no difference."""

    rms: float
    crest: float
    width: float
    imbalance: float
    bark: float

    @property
    def total(self) -> float:
        return sum(self.terms().values())

    def terms(self) -> dict[str, float]:
        return {field.name: float(getattr(self, field.name)) for field in fields(self)}


def af_distance(output: Tensor, reference: Tensor, rate: int) -> AFDistance:
    """The AF distance of two sounds at the reference's RMS over both channels jointly.

    output, reference  (1 or 2, time) at one rate; their lengths may differ. A mono sound counts as
                       two equal channels.
    ValueError where either is silent: no gain brings silence to a level.
    """
    output, reference = as_stereo(output), as_stereo(reference)
    level, target = joint_rms(output), joint_rms(reference)
    if level == 0 or target == 0:
        raise ValueError("the AF distance of a silent sound is undefined")
    ours, theirs = audio_features(output * (target / level), rate), audio_features(reference, rate)

    def term(name: str, mine: Tensor, other: Tensor) -> float:
        return WEIGHTS[name] * float((mine - other).square().mean())

    return AFDistance(
        rms=term("rms", ours.rms, theirs.rms),
        crest=term("crest", ours.crest_db, theirs.crest_db),
        width=term("width", ours.width, theirs.width),
        imbalance=term("imbalance", ours.imbalance, theirs.imbalance),
        bark=term("bark", ours.bark, theirs.bark),
    )


def audio_features(samples: Tensor, rate: int) -> AudioFeatures:
    """The features of a sound at the level that it has.

    samples  (1 or 2, time).
    """
    samples = as_stereo(samples)
    energy = _mean_square(samples)
    peak = samples.abs().amax(-1).double()
    mid_energy, side_energy = (_mean_square(sound) for sound in _mid_side(samples))
    return AudioFeatures(
        rms=energy.sqrt(),
        crest_db=20 * (peak / energy.sqrt().clamp(min=_TINY)).clamp(min=1).log10(),
        width=side_energy / mid_energy.clamp(min=_TINY),
        imbalance=(energy[1] - energy[0]) / energy.sum().clamp(min=_TINY),
        bark=bark_spectrum(samples, rate),
    )


def bark_spectrum(samples: Tensor, rate: int) -> Tensor:
    """ln of the time-averaged magnitude in Bark bands, of L+R and of L−R: (2, bands).

    samples  (2, time). L−R is floored 60 dB below the same band of L+R: below that, nobody hears a side.
    """
    bank = bark_bank(rate)
    mid, side = (bank @ mean_magnitude(sound) for sound in _mid_side(samples))
    return (torch.stack((mid, side.maximum(SIDE_FLOOR * mid))) + 1e-8).log()


def mean_magnitude(samples: Tensor, frames_at_once: int = 16) -> Tensor:
    """Magnitude spectrum of a (time,) sound averaged over time; a full-scale sine reads 1/2 in its bin."""
    if samples.shape[-1] < WINDOW_FRAMES:
        samples = torch.nn.functional.pad(samples, (0, WINDOW_FRAMES - samples.shape[-1]))
    window = torch.hann_window(WINDOW_FRAMES, dtype=torch.float64)
    pieces = samples.unfold(-1, WINDOW_FRAMES, HOP_FRAMES)
    total = torch.zeros(WINDOW_FRAMES // 2 + 1, dtype=torch.float64)
    for block in torch.split(pieces, frames_at_once):
        total += torch.fft.rfft(block.double() * window).abs().sum(0)
    return total / (pieces.shape[0] * window.sum())


def bark_bank(rate: int, lowest_hz: float = 20.0, highest_hz: float = 20_000.0) -> Tensor:
    """Triangles (bands, bins) equally spaced on the Bark scale, each with weights that sum to 1.

    Bands beyond half the rate are empty. Source of the scale: Traunmüller, "Analytical expressions for
    the tonotopic sensory scale", JASA 88(1), 1990, with its corrections at both ends.
    """
    hertz = torch.linspace(0, rate / 2, WINDOW_FRAMES // 2 + 1, dtype=torch.float64)
    ends = _bark(torch.tensor([lowest_hz, highest_hz], dtype=torch.float64))
    corners = _hertz(torch.linspace(float(ends[0]), float(ends[1]), BARK_BANDS + 2, dtype=torch.float64))
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (hertz - low) / (centre - low), (high - hertz) / (high - centre)
    triangles = rising.minimum(falling).clamp(min=0)
    return triangles / triangles.sum(-1, keepdim=True).clamp(min=_TINY)


def as_stereo(samples: Tensor) -> Tensor:
    """(2, time), where a mono sound gives two equal channels."""
    if samples.ndim != 2 or samples.shape[0] not in (1, 2) or samples.shape[1] == 0:
        raise ValueError(f"samples must be (1 or 2 channels, time), not {tuple(samples.shape)}")
    return samples.expand(2, -1)


def joint_rms(samples: Tensor) -> float:
    """RMS over all channels together, linear."""
    return float(_mean_square(samples).mean().sqrt())


def _mid_side(samples: Tensor) -> tuple[Tensor, Tensor]:
    return samples[0] + samples[1], samples[0] - samples[1]


def _mean_square(samples: Tensor) -> Tensor:
    return samples.double().square().mean(-1)


def _bark(hertz: Tensor) -> Tensor:
    bark = 26.81 * hertz / (1960 + hertz) - 0.53
    bark = torch.where(bark < 2, bark + 0.15 * (2 - bark), bark)
    return torch.where(bark > 20.1, bark + 0.22 * (bark - 20.1), bark)


def _hertz(bark: Tensor) -> Tensor:
    bark = torch.where(bark < 2, (bark - 0.3) / 0.85, bark)
    bark = torch.where(bark > 20.1, (bark + 4.422) / 1.22, bark)
    return 1960 * (bark + 0.53) / (26.28 - bark)
