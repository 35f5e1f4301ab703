from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from styletransfer.encoder.description import DESCRIPTION, MARKS, describe, marks
from styletransfer.encoder.explicit import EXPLICIT_NAMES, explicit
from styletransfer.encoder.frontend import RATE, Frontend

FRONTEND = Frontend()


def beats(seed: int = 0) -> Tensor:
    noise = torch.randn(1, 2, 3 * RATE, generator=Generator().manual_seed(seed))
    time = torch.arange(3 * RATE) / RATE
    return 0.2 * noise * torch.exp(-(time % 0.5) * 8)


def test_it_begins_with_the_explicit_features() -> None:
    features = FRONTEND(beats())
    described = describe(features)
    assert described.shape == (1, DESCRIPTION)
    torch.testing.assert_close(described[:, : len(EXPLICIT_NAMES)], explicit(features))


def test_silence_mono_and_one_sided_sound_are_finite() -> None:
    sound = beats()
    mono, one_sided = sound[:, :1].expand(1, 2, -1), sound * torch.tensor([[1.0], [0.0]])
    for samples in (torch.zeros_like(sound), mono, one_sided):
        assert describe(FRONTEND(samples)).isfinite().all()


def test_a_gain_moves_the_loudness_and_nothing_else() -> None:
    before, after = describe(FRONTEND(beats())), describe(FRONTEND(beats() * 0.5))
    change = (after - before)[0]
    assert float(change[0]) == pytest.approx(-6.02, abs=0.01)
    assert int((change.abs() > 0.01).sum()) == 2  # with the gates, and without


def test_marks_stand_where_the_loudness_is_and_move_with_it() -> None:
    loud, soft = (marks(describe(FRONTEND(beats() * gain))) for gain in (1.0, 10**-0.3))
    assert loud.shape == (1, MARKS)
    ruler = 28  # LUFS from −36 to −9
    assert int(loud[0, :ruler].argmax() - soft[0, :ruler].argmax()) == 6
    torch.testing.assert_close(loud[:, 2 * ruler :], soft[:, 2 * ruler :], atol=0.01, rtol=0)


def test_what_is_too_short_is_repeated() -> None:
    short = describe(FRONTEND(beats()[..., :4096]))
    assert short.shape == (1, DESCRIPTION)
    assert short.isfinite().all()


def test_later_or_earlier_makes_little_difference_and_another_style_a_large_one() -> None:
    sound = beats()
    later, crushed = sound.roll(RATE // 3, -1), sound.clamp(-0.05, 0.05)
    there, moved, changed = (describe(FRONTEND(each)) for each in (sound, later, crushed))
    assert (moved - there).abs().mean() < 0.2 * (changed - there).abs().mean()
