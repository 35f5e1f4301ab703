from __future__ import annotations

import torch
from torch import Generator, Tensor

from styletransfer.encoder.frontend import RATE, Frontend
from styletransfer.encoder.movements import _AROUND_HOPS, _ceilings, _crest_by_level, _onsets, movements

FRONTEND = Frontend()


def beats(decay_per_s: float = 8.0, *, curve: float = 1.0) -> Tensor:
    noise = torch.randn(2, 4 * RATE, generator=Generator().manual_seed(0)) * 0.2
    time = torch.arange(4 * RATE) / RATE
    return noise * torch.exp(-(time % 0.5) * decay_per_s) ** curve


def envelope(samples: Tensor) -> Tensor:
    return FRONTEND(samples[None]).envelope


def total(samples: Tensor) -> Tensor:
    return envelope(samples)[:, 6:18].exp().sum(1, keepdim=True).log()


def test_a_gain_changes_nothing_that_moves() -> None:
    sound, loud = envelope(beats()), envelope(2 * beats())
    level = torch.tensor([-20.0])
    torch.testing.assert_close(movements(sound, level), movements(loud, level + 6.0206), atol=1e-2, rtol=0)


def test_a_ceiling_shows_in_how_many_peaks_reach_it() -> None:
    free, limited = beats(), beats().clamp(-0.1, 0.1)
    shares = []
    for sound in (free, limited):
        high, low, _ = envelope(sound)[:, :6].unflatten(1, (2, 3)).unbind(2)
        shares.append(_ceilings(high, low)[0].exp()[0, 0, 0])
    assert shares[0] < 0.01
    assert shares[1] > 0.1


def test_clipping_lowers_the_crest_of_the_loud_and_not_of_the_soft() -> None:
    crests = []
    for sound in (beats(), beats().clamp(-0.1, 0.1)):
        high, low, level = envelope(sound)[:, :6].unflatten(1, (2, 3)).unbind(2)
        crests.append(torch.stack(_crest_by_level(torch.maximum(high, low) - level, level), -1)[0, 0])
    assert crests[1][-2] < crests[0][-2] - 1.5
    assert (crests[1][1] - crests[0][1]).abs() < 0.5


def test_slow_decays_stay_up_after_an_onset() -> None:
    after = _AROUND_HOPS.index(96)
    dry, wet = (_onsets(total(beats(decay)))[after][0, 0] for decay in (16.0, 4.0))
    assert dry < wet - 2


def test_it_counts_how_often_not_when() -> None:
    sound = beats()
    later = movements(envelope(sound.roll(RATE // 3, -1)), torch.tensor([-20.0]))
    now = movements(envelope(sound), torch.tensor([-20.0]))
    faster = movements(envelope(beats(curve=3.0)), torch.tensor([-20.0]))
    assert (later - now).abs().mean() < 0.2 * (faster - now).abs().mean()
