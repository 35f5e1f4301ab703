"""What linear knobs do to a passage's long-term spectra, from cross-spectra that are taken once.

Equalizers, width, balance and gain turn the spectra of stems by known 2 × 2 matrices per frequency. So the
mix's and every stem's spectrum, width and balance follow from the stems' cross-spectra at any setting, with
gradients, in milliseconds. Whatever else acts (compressors and the like) is taken as it sounds at the
settings at which the cross-spectra were taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from styletransfer.converter import fx
from styletransfer.converter.mixing import bands_of
from styletransfer.converter.parameters import Values
from styletransfer.encoder.magnitude import magnitude

RATE = 44100
WINDOW, HOP = 8192, 4096
BARK_BANDS = 24
LINEAR = ("eq", "side_eq", "width", "balance", "gain")
"""The stages that act by matrices alone."""

_FINE_PER_OCTAVE = 12
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 20000.0
_SIDE_FLOOR = 1e-3
_NARROWEST = 0.05  # a width below this is taken for this, or there would be no way back
_TINY = 1e-12


class Spectra(NamedTuple):
    """Long-term spectra of several sounds: of a mix, then of its stems.

    energy  (sounds, 4) mean power of left, right, L+R and L−R.
    bark    (sounds, 2, BARK_BANDS) time-averaged magnitude per Bark band of L+R and of L−R.
    """

    energy: Tensor
    bark: Tensor


def spectra_of(sounds: Tensor) -> Spectra:
    """Measured of sounds (sounds, 2, time ≥ WINDOW) at RATE."""
    bank = _bark_bank().to(sounds)
    energies, barks = [], []
    for sound in sounds:
        left, right = _transformed(sound)
        signals = torch.stack((left, right, left + right, left - right))
        heard = magnitude(signals)
        energies.append(heard.square().mean(1).sum(1))
        barks.append(heard[2:].mean(1) @ bank.T)
    return Spectra(torch.stack(energies), _floored(torch.stack(barks)))


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """Cross-spectra of a passage's parts at some settings; what linear knobs make of them from there.

    across     (points, 2 · parts, 2 · parts) of left and right of each strip's sound and of the rest.
    back       (strips, points, 2, 2) undoes the strips' linear part at those settings.
    powers     (sounds, points, 2) of L+R and L−R there; shares (sounds, 2, BARK_BANDS, points): of magnitude.
    beyond     (sounds, …) factors of what isn't linear in the master.
    """

    across: Tensor
    back: Tensor
    powers: Tensor
    shares: Tensor
    beyond: Spectra

    def spectra(self, strips: Values, master: Values) -> Spectra:
        """Of the mix and of the stems behind the master, with strips and master at other settings."""
        passed = response(master, _points())[0]
        powers = _powers(self.across, passed @ (response(strips, _points()) @ self.back), passed)
        change = (powers[..., 2:] / self.powers).clamp(min=_TINY).sqrt().transpose(1, 2)
        bark = torch.einsum("scbk,sck->scb", self.shares, change)
        return Spectra(powers.sum(1) * self.beyond.energy, _floored(bark * self.beyond.bark))


@torch.no_grad()
def anchor(stems: Tensor, rest: Tensor, strips: Values, master: Values, mix: Tensor) -> Anchor:
    """Taken from a passage: stems (strips, 2, time) behind their strips at these settings, rest (2, time).

    master  its values, (1,) each; mix: (2, time) what comes out of it.
    """
    parts = torch.cat([_transformed(sound) for sound in (*stems, rest)])  # (2 · parts, frames, bins)
    inside = parts.permute(2, 0, 1)
    across = _gathered(inside @ inside.mH / parts.shape[1])
    points, every = _points(), torch.arange(WINDOW // 2 + 1) * (RATE / WINDOW)
    narrow = {**strips, "width": {"width": strips["width"]["width"].clamp(min=_NARROWEST)}}
    back = torch.linalg.inv(response(narrow, points))
    passed = response(master, points)[0]
    resting = torch.eye(2, dtype=passed.dtype).expand(len(stems), len(points), 2, 2)
    powers = _powers(across, passed @ resting, passed)[..., 2:].clamp(min=_TINY)
    left, right = _through(response(master, every)[0], parts.unflatten(0, (-1, 2)).sum(0))
    magnitudes = [_mid_side(left, right)]
    for number in range(len(stems)):
        part = parts[2 * number : 2 * number + 2]
        magnitudes.append(_mid_side(*_through(response(master, every)[0], part)))
    bank = _bark_bank()
    weighted = torch.stack(magnitudes)[:, :, None] * bank  # (sounds, 2, bands, bins)
    shares = _gathered(weighted.permute(3, 0, 1, 2)).permute(1, 2, 3, 0)
    sounds = len(stems) + 1
    beyond = Spectra(torch.ones(sounds, 4), torch.ones(sounds, 2, BARK_BANDS))
    told, heard = Anchor(across, back, powers, shares, beyond).spectra(strips, master), spectra_of(mix[None])
    for factors, there, here in zip(beyond, heard, told, strict=True):
        factors[0] = there[0] / here[0].clamp(min=_TINY)
    return Anchor(across, back, powers, shares, beyond)


def response(values: Values, frequencies_hz: Tensor) -> Tensor:
    """The linear stages' matrices from left and right to left and right: (batch, points, 2, 2) complex."""
    middle = fx.equalizer_response(frequencies_hz, RATE, **bands_of(values["eq"])._asdict())
    side = middle * fx.equalizer_response(frequencies_hz, RATE, **bands_of(values["side_eq"])._asdict())
    side = side * values["width"]["width"][:, None]
    same, other = (middle + side) / 2, (middle - side) / 2
    offset = values["balance"]["balance"] * (math.pi / 4)
    amplitude = 10 ** (values["gain"]["gain_db"] / 20)
    left = ((torch.cos(offset) - torch.sin(offset)) * amplitude)[:, None]
    right = ((torch.cos(offset) + torch.sin(offset)) * amplitude)[:, None]
    rows = torch.stack((left * same, left * other), -1), torch.stack((right * other, right * same), -1)
    return torch.stack(rows, -2)


def _powers(across: Tensor, strips: Tensor, master: Tensor) -> Tensor:
    """(sounds, points, 4) of the mix and each stem; strips (strips, points, 2, 2) end behind the master."""
    every = torch.cat((strips, master[None]))  # the rest meets the master alone
    wide = every.permute(1, 2, 0, 3).flatten(2)  # (points, 2, 2 · parts)
    found = [wide @ across @ wide.mH]
    for number, strip in enumerate(strips):
        own = slice(2 * number, 2 * number + 2)
        found.append(strip @ across[:, own, own] @ strip.mH)
    both = torch.stack(found)
    left, right, common = both[..., 0, 0].real, both[..., 1, 1].real, both[..., 0, 1].real
    return torch.stack((left, right, left + right + 2 * common, left + right - 2 * common), -1).clamp(min=0)


def _through(matrices: Tensor, pair: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right (2, frames, bins) through (bins, 2, 2)."""
    left, right = torch.einsum("kij,jfk->ifk", matrices, pair)
    return left, right


def _mid_side(left: Tensor, right: Tensor) -> Tensor:
    """(2, bins) time-averaged magnitude of L+R and L−R."""
    return torch.stack((magnitude(left + right).mean(0), magnitude(left - right).mean(0)))


def _floored(bark: Tensor) -> Tensor:
    middle, side = bark.unbind(1)
    return torch.stack((middle, torch.maximum(side, _SIDE_FLOOR * middle)), 1)


def _transformed(sound: Tensor) -> Tensor:
    """(2, frames, bins) spectra of (2, time); a tone of amplitude 1 reads 1/2 in its bin."""
    window = torch.hann_window(WINDOW, device=sound.device)
    spectrum = torch.stft(sound, WINDOW, HOP, window=window, center=False, return_complex=True)
    return spectrum.transpose(1, 2) / window.sum()


def _edges() -> Tensor:
    """First bin of each fine band: single bins, then twelfths of an octave."""
    edges, bins = [0.0], WINDOW // 2 + 1
    while edges[-1] < bins:
        edges.append(max(edges[-1] + 1, math.floor(edges[-1] * 2 ** (1 / _FINE_PER_OCTAVE))))
    return torch.tensor([min(edge, bins) for edge in edges]).long()


def _points() -> Tensor:
    """The middle frequency of each fine band, in Hz."""
    edges = _edges()
    return ((edges[:-1] + edges[1:] - 1) / 2).clamp(min=0.5) * (RATE / WINDOW)


def _gathered(per_bin: Tensor) -> Tensor:
    """(bins, …) → sums (points, …) over the bins of each fine band."""
    edges = _edges()
    band = torch.repeat_interleave(torch.arange(len(edges) - 1), edges.diff())
    return torch.zeros(len(edges) - 1, *per_bin.shape[1:], dtype=per_bin.dtype).index_add_(0, band, per_bin)


def _bark_bank() -> Tensor:
    """Triangles (bands, bins) equally spaced on the Bark scale, weights that sum to 1.

    Source   z = 26.81 f/(1960 + f) − 0.53, Traunmüller, JASA 88(1), 1990.
    """

    def bark(hertz: Tensor) -> Tensor:
        return 26.81 * hertz / (1960 + hertz) - 0.53

    ends = bark(torch.tensor([_LOWEST_HZ, _HIGHEST_HZ]))
    corners = torch.linspace(float(ends[0]), float(ends[1]), BARK_BANDS + 2)
    place = bark(torch.arange(WINDOW // 2 + 1) * (RATE / WINDOW))
    width = float(corners[1] - corners[0])
    weights = (1 - (place - corners[1:-1, None]).abs() / width).clamp(min=0)
    return weights / weights.sum(1, keepdim=True)
