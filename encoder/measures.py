"""What of a mixing style can be measured: spectrum of mid and side, level, punch, width and balance.

Everything is gathered block by block, so memory doesn't grow with the song, and only *active*
frames count, or loud ones where it is loudness: a stem that is silent for half a song is judged by the other
half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.signal import sosfreqz
from torch import Tensor

from .loudness import gated_lufs, k_weighting

BAND_HZ: Tensor = 1000 * 2 ** (torch.arange(-16, 14, dtype=torch.float64) / 3)
"""Centres of the 30 third-octave bands, 25 Hz to 20 kHz (IEC 61260-1, base two)."""

ACTIVE_DB = 40.0
"""A frame counts as active if it is at most this far below the loudest (95th percentile) frame."""

FLOOR_DB = -120.0
"""Levels in dB never go below this."""

_FINE_PER_OCTAVE = 24  # bands in which the end of the music is looked for
_CLIFF_DB = (
    20.0  # all above lies so far below the half octave before: filters for codecs fall so, music doesn't
)
_EMPTY_DB = -110.0  # a fine band below this holds nothing: about the dither of 16 bit
_WINDOW_S = 8192 / 44100
_FRAMES_PER_BLOCK = 4
_CREST_S = 0.4
_K_RATE = 48000


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """What was measured of one sound over its active frames; levels in dB re full scale.

    mid_db, side_db  (30,) mean magnitude per third-octave band of (L+R)/2 and (L−R)/2; FLOOR_DB where empty.
    bandwidth_hz     where the music ends, in a cliff or in nothing: 16 kHz for an MP3 low-passed there.
    loudness_lufs    integrated loudness (BS.1770's gates), from the bands: within 0.5 LU of a meter.
    crest_db         sample peak over RMS of the whole sound, both over its channels together.
    punch_db         short-term crest: median of peak over RMS in 400 ms blocks that are active.
    spread_db        dynamics: 95th minus 50th percentile of active 400 ms levels.
    width_db         side energy over mid energy.
    balance_db       right energy over left energy.
    activity         share of frames that are active, 0 to 1.
    """

    mid_db: Tensor
    side_db: Tensor
    bandwidth_hz: float
    loudness_lufs: float
    crest_db: float
    punch_db: float
    spread_db: float
    width_db: float
    balance_db: float
    activity: float

    @property
    def spectrum_lufs(self) -> float:
        """K-weighted level of the mean spectra, which no gate took anything from: what brings two spectra to
        one level."""
        return k_weighted_lufs(10 ** (self.mid_db / 10), 10 ** (self.side_db / 10))


def moved(sound: Measures, before: Measures, after: Measures) -> Measures:
    """A sound's measures with what changed from one to another added, in dB and LU.

    Changes of less than a ten-thousandth, as rounding leaves, are none.
    """
    bands = ("mid_db", "side_db")
    scalars = ("loudness_lufs", "crest_db", "punch_db", "spread_db", "width_db", "balance_db")
    steps: dict[str, Any] = {n: (getattr(after, n) - getattr(before, n)).round(decimals=4) for n in bands}
    steps |= {name: round(getattr(after, name) - getattr(before, name), 4) for name in scalars}
    return replace(sound, **{name: getattr(sound, name) + step for name, step in steps.items()})


def measure(samples: Tensor, rate: int) -> Measures:
    """Measure a sound (1 or 2, time) at `rate` Hz; silence gives FLOOR_DB levels and activity 0.

    Source   third-octave long-term average spectrum (Ma, Reiss and Black, AES 134, 2013, match the
             same); short-term crest after Vickers, AES 129, 2010.
    """
    frames = _walk(samples, rate)
    energy = frames.mid.sum(1) + frames.side.sum(1)
    active = active_frames(energy)
    blocks = active_frames(frames.block_energy)
    if not active.any() or not blocks.any():
        empty = torch.full_like(BAND_HZ, FLOOR_DB)
        return Measures(empty, empty.clone(), 0.0, FLOOR_DB, 0.0, 0.0, 0.0, FLOOR_DB, 0.0, 0.0)
    mid, side = frames.mid[active], frames.side[active]
    block_db = _db(frames.block_energy[blocks])
    punch = _db(frames.block_peak_power[blocks]) - block_db
    left, right = frames.channel_energy[active].sum(0)
    mid_db = _db(mid.sqrt().mean(0) ** 2)
    side_db = _db(side.sqrt().mean(0) ** 2)
    return Measures(
        mid_db=mid_db,
        side_db=side_db,
        bandwidth_hz=_bandwidth_hz(frames.spectrum, rate),
        loudness_lufs=_integrated_lufs(frames.mid, frames.side),
        crest_db=float(_db(frames.peak_power) - _db(frames.mean_energy)),
        punch_db=float(punch.median()),
        spread_db=float(block_db.quantile(0.95) - block_db.median()),
        width_db=float(_db(side.sum()) - _db(mid.sum())),
        balance_db=float(_db(right) - _db(left)),
        activity=float(active.double().mean()),
    )


class Peaks(NamedTuple):
    """How far peaks stand out: in active 400 ms blocks (median) and over all, in dB; and the mean square."""

    punch_db: float
    crest_db: float
    mean_square: float


def peaks(samples: Tensor, rate: int) -> Peaks:
    """Of a sound (1 or 2, time) at `rate` Hz; 0 dB for silence. Source: short-term crest, as `measure`."""
    block_peak_power, energy, peak_power, mean = _crest_blocks(samples, rate)
    active = active_frames(energy)
    punch = (_db(block_peak_power[active]) - _db(energy[active])).median() if active.any() else 0.0
    return Peaks(float(punch), float(_db(peak_power) - _db(mean)), float(mean))


def k_weighted_lufs(mid: Tensor, side: Tensor) -> float:
    """Loudness of a sound from its mean power (30,) per band in mid and side (L² + R² = 2 M² + 2 S²).

    Source   BS.1770-4's K-weighting, taken at the band centres.
    """
    return float(_db(_k_weighted(mid, side))) - 0.691


def _k_weighted(mid: Tensor, side: Tensor) -> Tensor:
    """Power (…) of both channels together behind the K-weighting, from power (…, 30) in mid and side."""
    _, response = sosfreqz(k_weighting(_K_RATE), BAND_HZ.numpy(), fs=_K_RATE)
    return 2 * (mid + side) @ torch.from_numpy(np.abs(response) ** 2)


def _integrated_lufs(mid: Tensor, side: Tensor) -> float:
    """From frames (frames, 30), four of which last about as long as a gating block, 0.4 s."""
    energies = _k_weighted(mid, side)
    blocks = energies.unfold(0, min(_FRAMES_PER_BLOCK, len(energies)), 1).mean(-1)
    return max(gated_lufs(blocks.numpy()), FLOOR_DB)


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    mid: Tensor  # (frames, bands) power per band
    side: Tensor
    channel_energy: Tensor  # (frames, 2) mean square
    spectrum: Tensor  # (bins,) mean power of mid plus side over all frames
    block_peak_power: Tensor  # (blocks,) square of the louder channel's peak
    block_energy: Tensor  # (blocks,) its mean square
    peak_power: Tensor  # over the whole sound
    mean_energy: Tensor  # mean square over the whole sound


def _walk(samples: Tensor, rate: int) -> _Frames:
    window = 2 ** round(math.log2(_WINDOW_S * rate))
    hop = window // 2
    taper = torch.hann_window(window)
    bands = _band_matrix(window, rate, BAND_HZ, 3).float()
    total = torch.zeros(window // 2 + 1, dtype=torch.float64)
    step = hop * max(1, round(10 * rate / hop))
    mid, side, channels = [], [], []
    for block in _overlapping(samples, step, window):
        framed = block.unfold(1, window, hop)  # (2, frames, window)
        both = torch.stack([framed.sum(0) / 2, (framed[0] - framed[1]) / 2])
        spectrum = torch.fft.rfft(both * taper)
        power = spectrum.real**2 + spectrum.imag**2
        total += power.sum((0, 1))
        banded = power @ bands
        mid.append(banded[0])
        side.append(banded[1])
        channels.append(framed.square().mean(-1).T)
    return _Frames(
        torch.cat(mid).double(),
        torch.cat(side).double(),
        torch.cat(channels).double(),
        total / sum(map(len, mid)),
        *_crest_blocks(samples, rate),
    )


def _crest_blocks(samples: Tensor, rate: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Peak power and mean square of the louder channel per 400 ms (blocks,); both over all."""
    length = max(1, round(_CREST_S * rate))
    step = length * max(1, round(10 * rate / length))
    peak_powers, energies = [], []
    highest, total = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for start in range(0, samples.shape[1], step):
        power = samples[:, start : start + step].square()
        highest = torch.maximum(highest, power.amax().double())
        total += power.sum(dtype=torch.float64) / len(power)
        if power.shape[1] >= length:
            cut = power.unfold(1, length, length)
            mean = cut.mean(-1)
            energies.append(mean.amax(0))
            peak_powers.append(cut.amax(-1).gather(0, mean.argmax(0, keepdim=True))[0])
    mean = total / max(1, samples.shape[1])
    if not energies:
        peak_powers, energies = [highest.reshape(1)], [mean.reshape(1)]
    return torch.cat(peak_powers).double(), torch.cat(energies).double(), highest, mean


def _overlapping(samples: Tensor, step: int, window: int) -> Iterator[Tensor]:
    """Stereo blocks whose windows, a half apart, cover the sound once; the end is padded with silence."""
    stereo = samples.expand(2, -1)
    frames = samples.shape[1]
    for start in range(0, max(1, frames - window // 2), step):
        block = stereo[:, start : start + step + window // 2]
        missing = max(window, -(-block.shape[1] * 2 // window) * window // 2) - block.shape[1]
        yield torch.nn.functional.pad(block, (0, missing)) if missing else block


def _band_matrix(window: int, rate: int, centres: Tensor, per_octave: int) -> Tensor:
    """(bins, bands): power spectrum → power per band, a full-scale sine being −3 dB."""
    bins = torch.arange(window // 2 + 1, dtype=torch.float64) * rate / window
    width = rate / window
    half = 2 ** (0.5 / per_octave)
    overlap = torch.minimum(bins[:, None] + width / 2, centres * half) - torch.maximum(
        bins[:, None] - width / 2, centres / half
    )
    share = overlap.clamp(min=0) / width
    share[bins == 0] = 0
    energy = torch.hann_window(window, dtype=torch.float64).square().sum() * window
    return share * 2 / energy


def active_frames(energy: Tensor) -> Tensor:
    """Which frames (frames,) of a sound count by their energy (frames,): not silent, and within ACTIVE_DB of
    the 95th percentile of what isn't silent."""
    audible = energy > 10 ** (FLOOR_DB / 10)
    if not audible.any():
        return audible
    return audible & (energy >= energy[audible].quantile(0.95) * 10 ** (-ACTIVE_DB / 10))


def _bandwidth_hz(spectrum: Tensor, rate: int) -> float:
    """The first cliff or emptiness above 500 Hz that nothing rises from again; half the rate without one."""
    count = int(_FINE_PER_OCTAVE * math.log2(rate / 2 / 500))
    centres = 500 * 2 ** ((torch.arange(count, dtype=torch.float64) + 0.5) / _FINE_PER_OCTAVE)
    window = 2 * (len(spectrum) - 1)
    level_db = _db(spectrum @ _band_matrix(window, rate, centres, _FINE_PER_OCTAVE))
    highest_from = level_db.flip(0).cummax(0).values.flip(0)
    half_octave, gap = _FINE_PER_OCTAVE // 2, _FINE_PER_OCTAVE // 6
    for band in range(count):
        before = level_db[max(0, band - gap - half_octave) : max(1, band - gap)].median()
        if highest_from[band] < max(float(before) - _CLIFF_DB, _EMPTY_DB):
            return float(centres[band]) * 2 ** (-0.5 / _FINE_PER_OCTAVE)
    return rate / 2


def _db(power: Tensor) -> Tensor:
    return 10 * torch.log10(power.clamp(min=10 ** (FLOOR_DB / 10)))
