from __future__ import annotations

import pytest
import torch

from styletransfer.encoder.frontend import BANDS, FAST_HOP, FAST_SIGNALS, HOP, RATE, Frontend


def tone(frequency_hz: float, seconds: float = 1.0) -> torch.Tensor:
    time = torch.arange(round(seconds * RATE)) / RATE
    return torch.sin(2 * torch.pi * frequency_hz * time)


def noise(seconds: float = 1.0, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 2, round(seconds * RATE), generator=torch.Generator().manual_seed(seed)) * 0.1


def test_a_tone_is_heard_in_its_band_at_its_level() -> None:
    features = Frontend()(tone(1000).expand(1, 2, -1))
    power = (10 ** (features.spectrum[0, :, :, 4:-4] / 10)).sum(1).mean(-1)
    assert 10 * torch.log10(power[0]) == pytest.approx(-3.01, abs=0.2)
    assert int(features.spectrum[0, 0].mean(-1).argmax()) == pytest.approx(35, abs=1)


def test_mono_has_no_side_and_one_sided_sound_is_told_apart() -> None:
    mono = Frontend()(tone(500).expand(1, 2, -1)).spectrum
    assert mono[0, 1].amax() <= mono[0, 0].amax() - 59
    left = Frontend()(torch.stack((tone(500), torch.zeros(RATE)))[None]).spectrum
    assert left[0, 2].amax() > left[0, 3].amax() + 80


def test_shapes_and_how_frames_line_up() -> None:
    features = Frontend()(noise())
    frames = RATE // HOP
    assert features.spectrum.shape == (1, 4, BANDS, frames)
    assert features.envelope.shape == (1, FAST_SIGNALS, frames * HOP // FAST_HOP)
    click = torch.zeros(1, 2, RATE)
    click[..., 20 * HOP + HOP // 2] = 1
    features = Frontend()(click)
    assert int(features.spectrum[0, 0].sum(0).argmax()) == 20
    assert int(features.envelope[0, 0].argmax()) == (20 * HOP + HOP // 2) // FAST_HOP


def test_level_is_not_normalized_away() -> None:
    sound = noise()
    loud, soft = Frontend()(sound).spectrum, Frontend()(sound / 10).spectrum
    torch.testing.assert_close(loud - soft, torch.full_like(loud, 20.0), atol=0.01, rtol=0)


@pytest.mark.parametrize("shape", [(2, 4096), (1, 1, 4096), (1, 2, 1000)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="samples must be"):
        Frontend()(torch.zeros(shape))
