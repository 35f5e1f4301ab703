"""A strip's gain is what makes its stem as loud as asked, whatever else the strip does to loudness."""

from __future__ import annotations

import pytest
import torch

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.converter.console import STRIP, Settings, neutral
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.levelling import levelled
from styletransfer.mixdown import processed_stem

RATE = 44100
SET = {
    "eq": {"peak_1_gain_db": 6.0},
    "compressor": {"threshold_db": -40.0, "ratio": 6.0, "makeup_db": 9.0},
    "reverb": {"wet": 0.5},
    "gain": {"gain_db": 3.0},
}


def drums() -> Stems:
    """Bursts of noise, two a second, some of them loud."""
    chance = torch.Generator().manual_seed(1)
    time = torch.arange(6 * RATE) / RATE
    burst = torch.exp(-20 * (time % 0.5)) * (1 + 2 * ((time // 0.5) % 3 == 0))
    return {"drums": Audio(0.1 * burst * torch.randn(2, len(time), generator=chance), RATE)}


def strips(**stages: dict[str, float]) -> dict[str, Settings]:
    found = {name: neutral(STRIP) for name in STEMS}
    for stage, knobs in stages.items():
        found["drums"][stage] |= knobs
    return found


def louder_lu(stems: Stems, settings: Settings) -> float:
    after = processed_stem(stems["drums"], settings)
    return integrated_lufs(after.samples, RATE) - integrated_lufs(stems["drums"].samples, RATE)


@pytest.mark.parametrize("wanted", [-4.0, 0.0, 2.5])
def test_what_else_a_strip_does_to_loudness_the_gain_makes_up_for(wanted: float) -> None:
    stems, before = drums(), strips(**SET)
    assert abs(louder_lu(stems, before["drums"]) - wanted) > 0.5
    after = levelled(before, stems, {"drums": wanted})
    assert louder_lu(stems, after["drums"]) == pytest.approx(wanted, abs=0.05)
    assert after["drums"] | {"gain": before["drums"]["gain"]} == before["drums"]


def test_a_strip_at_rest_and_one_that_nothing_is_asked_of_stay() -> None:
    assert levelled(strips(), drums(), {"drums": 3.0}) == strips()
    assert levelled(strips(**SET), drums(), {}) == strips(**SET)


def test_silence_keeps_its_gain() -> None:
    silence = {"drums": Audio(torch.zeros(2, 3 * RATE), RATE)}
    assert levelled(strips(**SET), silence, {"drums": 3.0}) == strips(**SET)


def test_a_gain_ends_where_its_knob_does() -> None:
    after = levelled(strips(**SET), drums(), {"drums": 200.0})
    assert after["drums"]["gain"]["gain_db"] == STRIP["gain"].knobs["gain_db"].high
