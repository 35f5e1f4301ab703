from __future__ import annotations

import pytest
import torch

from styletransfer.encoder.explicit import EXPLICIT_NAMES, explicit
from styletransfer.encoder.frontend import RATE, Frontend

FRONTEND = Frontend()


def said(samples: torch.Tensor) -> dict[str, float]:
    values = explicit(FRONTEND(samples[None]))[0].tolist()
    return dict(zip(EXPLICIT_NAMES, values, strict=True))


def noise(seed: int = 0, seconds: float = 3.0) -> torch.Tensor:
    return torch.randn(2, round(seconds * RATE), generator=torch.Generator().manual_seed(seed)) * 0.1


def test_a_gain_moves_only_the_loudness() -> None:
    before, after = said(noise()), said(noise() * 2)
    assert after.pop("loudness_lufs") - before.pop("loudness_lufs") == pytest.approx(6.02, abs=0.05)
    for name, value in before.items():
        assert after[name] == pytest.approx(value, abs=0.05), name


def test_balance_and_width_read_what_was_done() -> None:
    sound = noise()
    assert said(sound * torch.tensor([[1.0], [0.5]]))["balance_db"] == pytest.approx(-6.02, abs=0.1)
    mid = sound.mean(0, keepdim=True)
    assert said(mid + 0.5 * (sound - mid))["width_db"] == pytest.approx(-6.02, abs=0.2)


def test_a_clipped_sound_has_less_crest_and_punch() -> None:
    sound = noise()
    before, after = said(sound), said(sound.clamp(-0.1, 0.1))
    assert after["crest_db"] < before["crest_db"] - 6
    assert after["punch_db"] < before["punch_db"] - 5


def test_a_bent_sound_is_asymmetric() -> None:
    assert said(noise().clamp(min=-0.05))["asymmetry_db"] > 6
    assert said(noise().clamp(max=0.05))["asymmetry_db"] < -6


def test_a_long_decay_falls_slower() -> None:
    time = torch.arange(3 * RATE) / RATE
    beat = time % 0.5
    short, long = (said(noise() * torch.exp(-beat * rate)) for rate in (25, 5))
    assert short["decay_mid_db"] < long["decay_mid_db"] - 3
    assert short["spread_up_db"] + short["spread_down_db"] > long["spread_up_db"] + long["spread_down_db"]


def test_a_tilt_is_read_from_the_tone() -> None:
    sound = noise()
    dark = torch.nn.functional.avg_pool1d(sound[None], 9, 1, 4)[0]
    before, after = said(sound), said(dark)
    assert after["mid_22_db"] < before["mid_22_db"] - 10
    assert after["mid_2_db"] > before["mid_2_db"]


def test_silence_and_half_silence_are_finite_and_only_sound_counts() -> None:
    assert all(abs(value) < 200 for value in said(torch.zeros(2, RATE)).values())
    sound = noise()
    padded = torch.cat((sound, torch.zeros_like(sound)), 1)
    assert said(padded)["loudness_lufs"] == pytest.approx(said(sound)["loudness_lufs"], abs=0.2)
