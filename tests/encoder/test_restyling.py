from __future__ import annotations

import torch
from torch import Generator

from styletransfer.chains.loudness import k_weighted_energy
from styletransfer.encoder.frontend import BANDS, RATE, Frontend
from styletransfer.encoder.restyling import Restyling, draw, restyle

FRONTEND = Frontend()


def sound() -> torch.Tensor:
    generator = Generator().manual_seed(0)
    common = torch.randn(1, 1, RATE, generator=generator)
    return 0.1 * (common + 0.5 * torch.randn(1, 2, RATE, generator=generator))


def none() -> Restyling:
    return Restyling(torch.zeros(1, BANDS), torch.zeros(1, BANDS), torch.zeros(1, 2), torch.zeros(1))


def test_no_change_changes_nothing() -> None:
    features = FRONTEND(sound())
    same = restyle(features, none())
    torch.testing.assert_close(same.spectrum, features.spectrum, atol=0.01, rtol=0)
    torch.testing.assert_close(same.envelope, features.envelope, atol=0.01, rtol=0)


def test_gain_pan_and_width_are_what_they_are_on_samples() -> None:
    samples = sound()
    gained = restyle(FRONTEND(samples), none()._replace(gain_db=torch.tensor([6.0])))
    expected = FRONTEND(samples * 10 ** (6 / 20))
    torch.testing.assert_close(gained.spectrum, expected.spectrum, atol=0.01, rtol=0)
    torch.testing.assert_close(gained.envelope, expected.envelope, atol=0.01, rtol=0)
    left, right = 10 ** (4 / 20), 10 ** (-4 / 20)
    panned = samples * torch.tensor([[left], [right]])
    mid = panned.mean(1, keepdim=True)
    for changed, change in (
        (panned, none()._replace(channels_db=torch.tensor([[4.0, -4.0]]))),
        (
            samples.mean(1, keepdim=True) + 2 * (samples - samples.mean(1, keepdim=True)),
            none()._replace(side_db=torch.full((1, BANDS), 20 * torch.log10(torch.tensor(2.0)).item())),
        ),
    ):
        level = (k_weighted_energy(samples, RATE) / k_weighted_energy(changed, RATE)).sqrt()
        got, expected = restyle(FRONTEND(samples), change), FRONTEND(changed * level)
        torch.testing.assert_close(got.spectrum, expected.spectrum, atol=0.2, rtol=0)
        assert (got.envelope - expected.envelope).mean(-1).abs().max() < 1.0
    assert mid.shape == (1, 1, RATE)


def test_drawn_changes_are_smooth_bounded_and_repeat_with_the_seed() -> None:
    change, again = (draw(Generator().manual_seed(3), 200, 0.5) for _ in range(2))
    for one, other in zip(change, again, strict=True):
        assert torch.equal(one, other)
        assert one.isfinite().all()
        assert one.abs().max() < 60
    assert (change.both_db[:, 1:] - change.both_db[:, :-1]).abs().max() < 8
    share = (change.gain_db != 0).float().mean()
    assert 0.35 < share < 0.65
    assert torch.equal(change.select(torch.tensor([5, 5])).gain_db, change.gain_db[[5, 5]])
