from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from styletransfer.encoder.band_loudness import balances, k_weighted, loudness
from styletransfer.encoder.frontend import RATE, Frontend
from styletransfer.encoder.loudness import integrated_lufs

FRONTEND = Frontend()


def weighted(samples: Tensor) -> Tensor:
    return k_weighted(10 ** (FRONTEND(samples[None]).spectrum / 10))


def tone(frequency_hz: float, seconds: float = 3.0) -> Tensor:
    time = torch.arange(round(seconds * RATE)) / RATE
    return (0.2 * torch.sin(2 * torch.pi * frequency_hz * time)).expand(2, -1)


@pytest.mark.parametrize("frequency_hz", [40, 60, 200, 1000, 4000, 12000])
def test_it_weighs_as_the_standard_does(frequency_hz: float) -> None:
    whole, gated = loudness(weighted(tone(frequency_hz)))
    expected = integrated_lufs(tone(frequency_hz), RATE)
    assert float(gated) == pytest.approx(expected, abs=0.1)
    assert float(whole) == pytest.approx(expected, abs=0.1)


def test_the_gate_leaves_out_what_is_soft_and_the_whole_doesn_t() -> None:
    white = torch.fft.rfft(torch.randn(2, 4 * RATE, generator=Generator().manual_seed(0)))
    noise = torch.fft.irfft(white / torch.arange(1, white.shape[1] + 1).sqrt())
    halting = torch.cat((noise, 0.01 * noise), 1)
    whole, gated = loudness(weighted(halting))
    assert float(gated) == pytest.approx(integrated_lufs(halting, RATE), abs=0.15)
    assert float(gated - whole) == pytest.approx(3.0, abs=0.4)


def test_the_right_is_positive_and_each_range_says_its_own() -> None:
    left, right = tone(100), tone(8000)
    sound = torch.stack((left[0], 2 * left[0])) + torch.stack((2 * right[0], right[0]))
    said = balances(weighted(sound))[0]
    assert said[1] == pytest.approx(6.02, abs=0.2)
    assert said[4] == pytest.approx(-6.02, abs=0.2)
    assert balances(weighted(tone(1000)))[0].abs().max() < 1e-3


def test_silence_is_finite() -> None:
    silent = weighted(torch.zeros(2, RATE))
    assert all(each.isfinite().all() for each in (*loudness(silent), balances(silent)))
