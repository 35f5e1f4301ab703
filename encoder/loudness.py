"""How loud is it? Loudness, loudness range and true peak after ITU-R BS.1770-4 and EBU R 128.

Sources: ITU-R BS.1770-4 (K-weighting, gating, true peak); EBU Tech 3341 (momentary, short-term);
EBU Tech 3342 (loudness range); De Man, "Evaluation of implementations of the EBU R128 loudness
measurement", AES 145, 2018 (the K-weighting's analogue prototype, from which it is made for any rate).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import sosfilt
from torch import Tensor

_STEPS_PER_S = 10  # energies are kept per 100 ms: momentary windows are 4 of them, short-term ones 30
_TAPS = 24  # per phase of the true-peak interpolator
_CHUNK = 256  # frames that the true-peak search takes or skips together


def k_weighting(rate: int) -> NDArray[np.float64]:
    """The K-weighting filter at any rate from 8 to 192 kHz: two second-order sections, (2, 6)."""
    k = math.tan(math.pi * 1681.974450955533 / rate)  # a high shelf of 4 dB: the head
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / norm,
        2 * (k * k - high) / norm,
        (high - band * k / q + k * k) / norm,
        1,
        2 * (k * k - 1) / norm,
        (1 - k / q + k * k) / norm,
    ]
    k = math.tan(math.pi * 38.13547087602444 / rate)  # a high-pass: low frequencies sound less loud
    q = 0.5003270373238773
    norm = 1 + k / q + k * k
    high_pass = [1, -2, 1, 1, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm]
    return np.array([shelf, high_pass])


def interpolator(rate: int) -> Tensor:
    """FIR phases (phases, taps) that find the peaks between samples: 4× below 96 kHz, 2× below 192 kHz.

    A sinc under a Kaiser window. The phase that falls on the samples is left out, being the samples.
    """
    factor = 4 if rate < 96_000 else 2 if rate < 192_000 else 1
    offsets = torch.arange(_TAPS, dtype=torch.float64) - _TAPS // 2 + 1
    times = offsets - torch.arange(1, factor, dtype=torch.float64)[:, None] / factor
    window = torch.special.i0(8.0 * (1 - (2 * times / _TAPS) ** 2).clamp(min=0).sqrt())
    phases = torch.sinc(times) * window
    unit_gain: Tensor = phases / phases.sum(-1, keepdim=True)
    return unit_gain.float()


@dataclass(frozen=True, slots=True)
class Loudness:
    """What a meter has read of a whole sound: LUFS, LU and dBTP; −inf, 0 and −inf of silence."""

    integrated_lufs: float
    range_lu: float
    true_peak_db: float


class LoudnessMeter:
    """Measures a sound that comes in blocks of any size; keeps ten numbers per second of it.

    Silence, and what is shorter than a measure's window (0.4 s, or 3 s for short-term), reads −inf
    for loudness and peaks and 0 for the range. One channel counts once, as BS.1770 has it: mono
    reads 3.01 LU below the same sound on both sides of a stereo pair.
    """

    def __init__(self, rate: int, channels: int, *, true_peak: bool = True) -> None:
        """`true_peak=False` saves half of the time where only loudness is asked for."""
        if not 8_000 <= rate <= 192_000:
            raise ValueError(f"rate must be 8000 to 192000 Hz, not {rate}")
        if channels not in (1, 2):
            raise ValueError(f"channels must be 1 or 2, not {channels}")
        self.rate, self.channels = rate, channels
        self._filter = k_weighting(rate)
        self._filter_state = np.zeros((2, channels, 2))
        self._energies: list[float] = []  # of whole steps: the channels' summed mean squares
        self._open_energy = 0.0  # of the step that is not whole yet
        self._frames = 0
        self._phases = interpolator(rate) if true_peak else None
        self._sample_peak = 0.0
        self._between_peak = 0.0  # the largest value between samples so far
        self._tail = torch.zeros(channels, _TAPS - 1)

    def add(self, block: Tensor) -> None:
        """Take the next block (channels, time) of the sound."""
        if block.ndim != 2 or block.shape[0] != self.channels:
            raise ValueError(f"block must be ({self.channels}, time), not {tuple(block.shape)}")
        if block.shape[1] == 0:
            return
        block = block.detach().to("cpu")
        self._sample_peak = max(self._sample_peak, block.abs().max().item())
        self._add_energy(block.numpy())
        if self._phases is not None:
            signal = torch.cat([self._tail, block.float()], -1)
            self._between_peak = self._peak_between(signal)
            self._tail = signal[:, 1 - _TAPS :].clone()

    def _add_energy(self, block: NDArray[np.float32]) -> None:
        weighted, self._filter_state = sosfilt(self._filter, block, axis=-1, zi=self._filter_state)
        squares = np.einsum("ct,ct->t", weighted, weighted)
        first = self._step_of(self._frames)
        self._frames += len(squares)
        last = self._step_of(self._frames)
        ends = [self._start_of(step) - self._frames + len(squares) for step in range(first + 1, last + 1)]
        for step, part in enumerate(np.split(squares, ends), first):
            self._open_energy += float(part.sum())
            if step < last:
                self._energies.append(self._open_energy / (self._start_of(step + 1) - self._start_of(step)))
                self._open_energy = 0.0

    def _start_of(self, step: int) -> int:
        return step * self.rate // _STEPS_PER_S

    def _step_of(self, frame: int) -> int:
        return ((frame + 1) * _STEPS_PER_S - 1) // self.rate

    def _peak_between(self, signal: Tensor) -> float:
        """The largest value between samples of a signal (channels, time), or of those before it.

        Interpolation can raise a value no further than by its phases' largest sum of absolute
        taps, so stretches that stay below the highest peak divided by that sum are skipped.
        """
        assert self._phases is not None
        highest = max(self._between_peak, self._sample_peak)
        if len(self._phases) == 0 or highest == 0:
            return self._between_peak
        limit = highest / self._phases.abs().sum(-1).max().item()
        length = min(_CHUNK + _TAPS - 1, signal.shape[-1])
        windows = torch.cat([signal.unfold(-1, length, _CHUNK), signal[:, None, -length:]], 1).flatten(0, 1)
        windows = windows[windows.abs().amax(-1) > limit]
        if len(windows) == 0:
            return self._between_peak
        between = torch.nn.functional.conv1d(windows[:, None], self._phases[:, None])
        return max(self._between_peak, between.abs().max().item())

    @property
    def sample_peak_db(self) -> float:
        """Highest sample in dBFS."""
        return _decibel(self._sample_peak**2)

    @property
    def true_peak_db(self) -> float:
        """Highest value of the sound between its samples, in dBTP."""
        if self._phases is None:
            raise ValueError("this meter was made with true_peak=False")
        ending = torch.nn.functional.pad(self._tail, (0, _TAPS - 1))
        return _decibel(max(self._sample_peak, self._peak_between(ending)) ** 2)

    @property
    def momentary_lufs(self) -> NDArray[np.float64]:
        """Loudness of each window of 0.4 s, every 0.1 s."""
        return _lufs(self._windows(4))

    @property
    def short_term_lufs(self) -> NDArray[np.float64]:
        """Loudness of each window of 3 s, every 0.1 s."""
        return _lufs(self._windows(30))

    @property
    def integrated_lufs(self) -> float:
        """Loudness of the whole: of the momentary windows above −70 LUFS and 10 LU below their mean."""
        return gated_lufs(self._windows(4))

    @property
    def range_lu(self) -> float:
        """Loudness range: from the 10th to the 95th percentile of the gated short-term loudness.

        Of one window per second (2 s of overlap, Tech 3342's least), as other meters take them:
        on half a minute of music the choice alone moves the result by up to 1 LU.
        """
        loud = _gated(self._windows(30)[::_STEPS_PER_S], below_mean_lu=20)
        if len(loud) == 0:
            return 0.0
        low, high = np.percentile(_lufs(loud), (10, 95), method="nearest")
        return float(high - low)

    @property
    def reading(self) -> Loudness:
        """What it has read so far, for keeping."""
        return Loudness(self.integrated_lufs, self.range_lu, self.true_peak_db)

    def _windows(self, steps: int) -> NDArray[np.float64]:
        """Mean energies of all windows of so many steps, one per step."""
        if len(self._energies) < steps:
            return np.zeros(0)
        windows = np.lib.stride_tricks.sliding_window_view(np.array(self._energies), steps)
        return np.asarray(windows.mean(-1))


def gated_lufs(energies: NDArray[np.float64]) -> float:
    """Integrated loudness of gating blocks of 0.4 s, from the K-weighted mean squares (blocks,) of all
    channels together; −inf where all are below −70 LUFS."""
    loud = _gated(energies, below_mean_lu=10)
    return float(_lufs(loud.mean())) if len(loud) else -math.inf


def integrated_lufs(samples: Tensor, rate: int) -> float:
    """Integrated loudness of (channels, time) in LUFS; −inf for silence or less than 0.4 s."""
    return _measured(samples, rate, true_peak=False).integrated_lufs


def true_peak_db(samples: Tensor, rate: int) -> float:
    """True peak of (channels, time) in dBTP; −inf for silence."""
    return _measured(samples, rate, true_peak=True).true_peak_db


def _measured(samples: Tensor, rate: int, *, true_peak: bool) -> LoudnessMeter:
    meter = LoudnessMeter(rate, samples.shape[0], true_peak=true_peak)
    for start in range(0, samples.shape[-1], 2**18):
        meter.add(samples[:, start : start + 2**18])
    return meter


def _gated(energies: NDArray[np.float64], below_mean_lu: float) -> NDArray[np.float64]:
    """Those above −70 LUFS and above the gate that lies so far below their mean."""
    audible = energies[_lufs(energies) > -70]
    if len(audible) == 0:
        return audible
    return np.asarray(audible[audible > audible.mean() * 10 ** (-below_mean_lu / 10)])


def _lufs(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(energy))


def _decibel(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
