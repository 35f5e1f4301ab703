"""Preset `small`: a filter bank's frames, dilated convolutions over them, and what they turn up and down.

Output is input plus what the network adds. Each frame and band gets its own gains for mid and side, for
what crosses between them, and for three companions of the sound that gains can't make: its overtones when
driven, and two rooms. Silence stays silent, and a network whose last layers are zero changes nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn
from torch.nn import functional

from ..fx.reverb import impulse_response
from ..fx.saturation import saturate
from .film import film

if TYPE_CHECKING:
    from .network import TCNConfig

FFT = 2048
HOP = 1024

_RATE = 44_100
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 18_000.0
_DRIVE_DB = 12.0
_DECAYS_S = (0.35, 1.4)
_DAMPING, _PREDELAY_MS = 0.5, 15.0
_MOST_NEPER = 3.0  # 26 dB
_FLOOR = 1e-8  # of a bin's power
_CALM = 0.05  # so many numbers move together that plain steps would overshoot
_COMPANIONS = 1 + len(_DECAYS_S)
_GAINS = 4 + 2 * _COMPANIONS


class Framed(nn.Module):
    """The small network. Its own filter bank has no learned weights."""

    window: Tensor
    rooms: Tensor
    spread: Tensor
    gather: Tensor
    context: int
    step = HOP

    def __init__(self, config: TCNConfig) -> None:
        super().__init__()
        self.config = config
        room_frames = config.reach * HOP
        self.context = room_frames + FFT
        heard, channels, hidden = 4 * config.bands, config.channels, config.hidden
        self.told = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(config.condition, hidden),
            nn.LeakyReLU(),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(),
        )
        self.inside = nn.Conv1d(heard, channels, 1)
        self.blocks = nn.ModuleList(
            _Block(channels, config.kernel, 2**number, hidden) for number in range(config.blocks)
        )
        self.moving = nn.Conv1d(channels, _GAINS * config.bands, 1)
        self.resting = nn.Linear(hidden, _GAINS * config.bands)
        self.straight = nn.Linear(config.condition, _GAINS * config.bands, bias=False)
        for last in (self.moving, self.resting, self.straight):
            for parameter in last.parameters():
                nn.init.zeros_(parameter)
        spread = band_weights(config.bands)
        gather = spread / spread.sum(1, keepdim=True)
        buffers = {
            "window": torch.hann_window(FFT).sqrt(),
            "rooms": _rooms(room_frames),
            "spread": spread,
            "gather": gather.T.contiguous(),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, samples: Tensor, condition: Tensor) -> Tensor:
        """(batch, 2, time) to the same; within `context` of the ends silence is heard where sound may be."""
        sources = self.analyse(samples)
        change = self.change(sources, condition)
        return samples + self.synthesize(change, samples.shape[-1])

    def analyse(self, samples: Tensor) -> Tensor:
        """Spectra (batch, 1 + companions, 2, frames, bins) of the sound and its companions, mid and side."""
        driven = saturate(samples, drive_db=_DRIVE_DB) - samples
        sources = torch.stack((samples, driven, *self._in_rooms(samples)), 1)
        left, right = sources.unbind(2)
        return self.spectra(torch.stack(((left + right) / 2, (left - right) / 2), 2))

    def spectra(self, samples: Tensor) -> Tensor:
        """Complex spectra (..., frames, bins) of (..., time), magnitudes over the window's sum."""
        flat = samples.reshape(-1, samples.shape[-1])
        found = torch.stft(
            flat, FFT, HOP, window=self.window, center=True, pad_mode="constant", return_complex=True
        )
        scaled: Tensor = found.transpose(1, 2) / self.window.sum()
        return scaled.reshape(*samples.shape[:-1], *scaled.shape[1:])

    def synthesize(self, spectra: Tensor, frames: int) -> Tensor:
        """Left and right (batch, 2, frames) of mid's and side's spectra (batch, 2, …)."""
        flat = spectra.flatten(0, 1).transpose(1, 2) * self.window.sum()
        found = torch.istft(flat, FFT, HOP, window=self.window, center=True, length=frames)
        mid, side = found.unflatten(0, (-1, 2)).unbind(1)
        return torch.stack((mid + side, mid - side), 1)

    def change(self, sources: Tensor, condition: Tensor) -> Tensor:
        """What is added to the sound: spectra (batch, 2, frames, bins) of mid and side."""
        gains = (self._gains(self._heard(sources[:, 0]), condition) @ self.spread).float()
        mid, side, side_to_mid, mid_to_side, *more = gains.unbind(1)
        level = _MOST_NEPER * torch.tanh(torch.stack((mid, side), 1) / _MOST_NEPER)
        dry, companions = sources[:, 0], sources[:, 1:]
        crossing = torch.stack((side_to_mid, mid_to_side), 1) * dry.flip(1)
        shares = torch.stack(more, 1).unflatten(1, (_COMPANIONS, 2))
        added = (shares * companions).sum(1) + crossing
        changed: Tensor = torch.expm1(level) * dry + torch.exp(level) * added
        return changed

    def _in_rooms(self, samples: Tensor) -> list[Tensor]:
        frames, length = samples.shape[-1], self.rooms.shape[-1]
        size = next_fast_len(frames + length, real=True)
        spectrum = torch.fft.rfft(samples, size)
        answers = torch.fft.rfft(self.rooms, size)
        return [torch.fft.irfft(spectrum * answer, size)[..., :frames] for answer in answers]

    def _heard(self, dry: Tensor) -> Tensor:
        """Levels (batch, 4 · bands, frames) of mid, side, left and right in 20 dB, 0 at −40 dB."""
        mid, side = dry.unbind(1)
        four = torch.stack((mid, side, mid + side, mid - side), 1)
        power = (four.real.square() + four.imag.square()) @ self.gather
        level = torch.log10(power + _FLOOR) / 2 + 2
        return level.transpose(2, 3).flatten(1, 2)

    def _gains(self, heard: Tensor, condition: Tensor) -> Tensor:
        """(batch, gains, frames, bands)"""
        told = self.told(condition)
        features = self.inside(heard)
        for block in self.blocks:
            features = block(features, told)
        resting = self.resting(told) + self.straight(condition * _CALM)
        both = self.moving(features) + resting.unsqueeze(-1)
        gains: Tensor = both.unflatten(1, (_GAINS, -1)).transpose(2, 3)
        return gains


class _Block(nn.Module):
    """x + what a dilated convolution makes of it, scaled and shifted as the condition says, and bent."""

    def __init__(self, channels: int, kernel: int, dilation: int, hidden: int) -> None:
        super().__init__()
        around = (kernel - 1) // 2 * dilation
        self.convolve = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=around)
        self.film = nn.Linear(hidden, 2 * channels)
        self.mix = nn.Conv1d(channels, channels, 1)
        with torch.no_grad():
            self.film.bias[:channels] = 1
            self.film.bias[channels:] = 0

    def forward(self, features: Tensor, told: Tensor) -> Tensor:
        bent = functional.leaky_relu(film(self.convolve(features), self.film(told)), 0.1)
        mixed: Tensor = self.mix(bent)
        return features + mixed


def band_weights(bands: int) -> Tensor:
    """(bands, bins): from gains per band to gains per bin, by straight lines on the ERB-rate scale.

    Each bin's weights sum to one; the outermost bands go on to the ends.
    Source   ERB-rate scale, Glasberg and Moore, Hearing Research 47, 1990.
    """
    low, high = _erb_rate(_LOWEST_HZ), _erb_rate(_HIGHEST_HZ)
    hertz = torch.arange(FFT // 2 + 1, dtype=torch.float64) * _RATE / FFT
    rate = 21.4 * torch.log10(1 + 0.00437 * hertz)
    place = ((rate - low) / (high - low) * (bands - 1)).clamp(0, bands - 1)
    distance = (torch.arange(bands, dtype=torch.float64)[:, None] - place).abs()
    return (1 - distance).clamp(min=0).float()


def _rooms(frames: int) -> Tensor:
    """(rooms, 2, frames): unit-energy answers of the console's reverb, as far as the context reaches."""
    values = (torch.tensor([[value]]) for value in (_DAMPING, _PREDELAY_MS))
    damping, predelay_ms = values
    found = []
    for decay_s in _DECAYS_S:
        answer = impulse_response(
            _RATE, decay_s=torch.tensor([[decay_s]]), damping=damping, predelay_ms=predelay_ms
        )[0, :, :frames]
        found.append(functional.pad(answer, (0, frames - answer.shape[1])))
    return torch.stack(found)


def _erb_rate(frequency_hz: float) -> float:
    return 21.4 * math.log10(1 + 0.00437 * frequency_hz)
