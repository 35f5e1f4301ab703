from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from styletransfer.converter.fx import ballistics

RATE = 44_100
HOPS = 5000


def followed_step_by_step(targets: Tensor, rise_ms: float, fall_ms: float, start: float) -> Tensor:
    """The recursion as its definition reads."""
    hop_ms = 1000 * ballistics.hop_frames(RATE) / RATE
    rise, fall = (math.exp(-hop_ms / max(time, 1e-3)) for time in (rise_ms, fall_ms))
    value, values = start, []
    for target in targets.tolist():
        decay = rise if target > value else fall
        value = decay * value + (1 - decay) * target
        values.append(value)
    return torch.tensor(values, dtype=torch.float64)


def course(kind: str) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    hop = torch.arange(HOPS, dtype=torch.float64)
    if kind == "noise":
        return 30 * torch.rand(HOPS, generator=generator, dtype=torch.float64)
    if kind == "walk":
        return torch.randn(HOPS, generator=generator, dtype=torch.float64).cumsum(0).abs()
    if kind == "swell":
        return 15 + 15 * torch.sin(0.01 * hop)
    if kind == "ripple":  # a steady tone, read in float32
        return (97.3 + 1e-5 * torch.rand(HOPS, generator=generator, dtype=torch.float64)).float().double()
    return torch.where(hop % 1000 < 500, 20.0, 0.0)


EVERY_KIND = pytest.mark.parametrize("kind", ["noise", "walk", "swell", "plateaus", "ripple"])
EVERY_TIME = pytest.mark.parametrize(
    ("rise_ms", "fall_ms"),
    [(1, 1000), (1000, 1), (10, 100), (300, 300), (300, 301), (0, 50), (2000, 0), (1, 2000)],
)


@EVERY_KIND
@EVERY_TIME
@pytest.mark.parametrize("learning", [False, True], ids=["rendering", "learning"])
def test_smoothing_follows_its_definition(kind: str, rise_ms: float, fall_ms: float, learning: bool) -> None:
    targets = course(kind).requires_grad_(learning)
    found = ballistics.smooth(
        targets[None], RATE, rise_ms=rise_ms, fall_ms=fall_ms, start=torch.tensor([[7.0]])
    )
    expected = followed_step_by_step(targets.detach(), rise_ms, fall_ms, 7.0)
    assert (found[0].detach() - expected).abs().max() < 1e-6
    assert found.requires_grad == learning


@EVERY_KIND
@EVERY_TIME
def test_all_hops_at_once_rise_where_they_do_one_by_one(
    kind: str, rise_ms: float, fall_ms: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []
    recursion = ballistics._recursion
    monkeypatch.setattr(ballistics, "_recursion", lambda *given: (rounds.append(1), recursion(*given))[1])
    targets, start = course(kind)[None].double(), torch.tensor([[7.0]], dtype=torch.float64)
    rise, fall = (ballistics._decay_per_hop(time, RATE, targets) for time in (rise_ms, fall_ms))
    rising = ballistics._rising(targets, rise, fall, start)
    found = ballistics._recursion(torch.where(rising, rise, fall), targets, start)
    assert (found[0] - followed_step_by_step(targets[0], rise_ms, fall_ms, 7.0)).abs().max() < 1e-6
    assert len(rounds) <= 14  # else long songs would stall


def test_smoothing_carries_on_where_it_was_cut() -> None:
    targets = course("walk")[None]
    times = {"rise_ms": 5.0, "fall_ms": 300.0}
    whole = ballistics.smooth(targets, RATE, **times, start=torch.zeros(1, 1))
    first = ballistics.smooth(targets[:, :777], RATE, **times, start=torch.zeros(1, 1))
    second = ballistics.smooth(targets[:, 777:], RATE, **times, start=first[:, -1:])
    assert (torch.cat((first, second), dim=1) - whole).abs().max() < 1e-9


def test_each_row_has_its_own_times_even_in_opposite_order() -> None:
    targets = course("noise")
    times = torch.tensor([[3.0], [200.0]], dtype=torch.float64)
    found = ballistics.smooth(
        targets.expand(2, -1), RATE, rise_ms=times, fall_ms=times.flip(0), start=torch.zeros(2, 1)
    )
    for row, (rise_ms, fall_ms) in zip(found, [(3.0, 200.0), (200.0, 3.0)], strict=True):
        assert (row - followed_step_by_step(targets, rise_ms, fall_ms, 0.0)).abs().max() < 1e-6


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 192_000])
def test_the_control_grid_is_a_third_of_a_millisecond(rate: int) -> None:
    assert ballistics.hop_frames(rate) / rate == pytest.approx(0.00036, abs=0.00002)
    assert ballistics.detector_reach(rate) % ballistics.hop_frames(rate) == 0
    assert ballistics.detector_reach(rate) / rate == pytest.approx(0.04, abs=0.0004)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_broken_course_does_not_hang(value: float) -> None:
    broken = course("noise")[None].clone()
    broken[0, 100] = value
    found = ballistics.smooth(broken, RATE, rise_ms=5.0, fall_ms=50.0, start=torch.zeros(1, 1))
    assert found[:, :100].isfinite().all()
