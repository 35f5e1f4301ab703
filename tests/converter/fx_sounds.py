"""Sounds and checks that the tests of the effects share."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def tone(frequency_hz: float, rate: int, seconds: float, amplitude: float = 1.0) -> Tensor:
    """(1, 2, time) float64, the same on both sides."""
    time_s = torch.arange(round(seconds * rate), dtype=torch.float64) / rate
    return (amplitude * torch.sin(2 * math.pi * frequency_hz * time_s)).expand(1, 2, -1).clone()


def noise(rate: int, seconds: float, seed: int = 0) -> Tensor:
    """(1, 2, time) float64, independent on both sides, RMS 0.1."""
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(1, 2, round(seconds * rate), generator=generator, dtype=torch.float64)


def music(rate: int, seconds: float, seed: int = 0) -> Tensor:
    """(1, 2, time) float32: plucked chords, a bass and noisy drum hits, up to 16 kHz, full scale."""
    generator = torch.Generator().manual_seed(seed)
    frames = round(seconds * rate)
    sound = 1e-4 * torch.randn(2, frames, generator=generator, dtype=torch.float64)
    for beat in range(math.ceil(seconds * 4)):
        start = round(beat * rate / 4)
        time_s = torch.arange(frames - start, dtype=torch.float64) / rate
        for voice in range(4):
            pitch_hz = 55 * 2 ** (float(torch.randint(0, 24, (1,), generator=generator)) / 12 + (voice > 0))
            side = float(torch.rand(1, generator=generator))
            for overtone in range(1, 9):
                if pitch_hz * overtone < 0.45 * rate:
                    wave = torch.sin(2 * math.pi * pitch_hz * overtone * time_s)
                    wave = wave * torch.exp(-time_s * (3 + 2 * overtone)) / overtone
                    sound[0, start:] += (1 - side) * wave
                    sound[1, start:] += side * wave
        hit = torch.randn(frames - start, generator=generator, dtype=torch.float64) * torch.exp(-time_s * 40)
        sound[:, start:] += (1.5 if beat % 2 else 0.3) * hit
    spectrum = torch.fft.rfft(sound)
    spectrum[:, torch.fft.rfftfreq(frames, 1 / rate) > 16_000] = 0
    sound = torch.fft.irfft(spectrum, frames)
    return (sound / sound.abs().max()).float().unsqueeze(0)


def difference_db(sound: Tensor, other: Tensor) -> float:
    """Energy of the difference over that of `other`, in dB."""
    ratio = float((sound - other).double().square().sum() / other.double().square().sum())
    return 10 * math.log10(ratio + 1e-30)


def level_db(sound: Tensor) -> float:
    """RMS in dB, that of a full-scale sine being 0."""
    return 10 * math.log10(2 * float(sound.double().square().mean()) + 1e-30)


def check_gradients(
    function: Callable[..., Tensor], samples: Tensor, parameters: dict[str, object], step: float = 1e-5
) -> None:
    """Autograd agrees with central differences for every element of every parameter, and for the samples."""
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in parameters.items()}
    weights = torch.randn(samples.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

    def loss(sound: Tensor, values: dict[str, Tensor]) -> Tensor:
        return (weights * function(sound, **values)).sum()

    leaves = {name: value.clone().requires_grad_() for name, value in tensors.items()}
    sound = samples.double().clone().requires_grad_()
    loss(sound, leaves).backward()  # type: ignore[no-untyped-call]
    for name, value in tensors.items():
        gradient = leaves[name].grad
        assert gradient is not None, name
        for index in range(value.numel()):
            change = torch.zeros_like(value).flatten()
            change[index] = step * max(1.0, abs(float(value.flatten()[index])))
            change = change.reshape(value.shape)
            with torch.no_grad():
                rise = loss(samples.double(), {**tensors, name: value + change})
                fall = loss(samples.double(), {**tensors, name: value - change})
            expected = float((rise - fall) / (2 * change.sum()))
            found = float(gradient.flatten()[index])
            assert abs(found - expected) <= 1e-3 * abs(expected) + 1e-6, (name, index, found, expected)
            assert found != 0, (name, index)
    direction = torch.randn(samples.shape, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    with torch.no_grad():
        rise = loss(samples.double() + 1e-7 * direction, tensors)
        fall = loss(samples.double() - 1e-7 * direction, tensors)
    assert sound.grad is not None
    found, expected = float((sound.grad * direction).sum()), float((rise - fall) / 2e-7)
    assert abs(found - expected) <= 1e-3 * abs(expected) + 1e-6, ("samples", found, expected)
