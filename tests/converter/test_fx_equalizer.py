from __future__ import annotations

import math

import pytest
import torch
from fx_sounds import check_gradients, difference_db, level_db, music, noise, tone

from styletransfer.converter import fx

FREQUENCY_HZ = (80.0, 200.0, 600.0, 1800.0, 5000.0, 10_000.0)
Q = (0.71, 1.0, 1.4, 0.7, 2.0, 0.71)
MID = fx.Bands((4.0, -3.0, 6.0, -12.0, 2.0, -5.0), FREQUENCY_HZ, Q)
SIDE = fx.Bands((-6.0, 0.0, 3.0, 0.0, 5.0, 8.0), FREQUENCY_HZ, Q)


def peak_only(gain_db: float, frequency_hz: float, q: float = 1.0) -> fx.Bands:
    return fx.Bands((0.0, gain_db, 0.0), (100.0, frequency_hz, 10_000.0), (0.71, q, 0.71))


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
@pytest.mark.parametrize("rendered", [False, True])
def test_a_peak_of_minus_12_db_at_1_khz_measures_minus_12_db_there(rate: int, rendered: bool) -> None:
    sound = tone(1000, rate, 1.0, 0.5)
    bands = peak_only(-12.0, 1000.0)._asdict()
    if rendered:
        filtered = fx.render(sound[0].float(), [fx.Equalizer(rate, **bands)])[None]
    else:
        filtered = fx.equalize(sound, rate, **bands)
    middle = slice(rate // 4, 3 * rate // 4)
    assert level_db(filtered[..., middle]) - level_db(sound[..., middle]) == pytest.approx(-12, abs=0.1)


def test_a_peak_is_half_as_high_one_bandwidth_apart_and_gone_far_away() -> None:
    q = 2.0
    ratio = (1 / (2 * q)) + math.sqrt(1 + 1 / (4 * q * q))  # analog half-gain points
    frequencies = torch.tensor([500 / ratio, 500.0, 500 * ratio, 10.0, 20_000.0], dtype=torch.float64)
    response = fx.equalizer_response_db(frequencies, 44_100, **peak_only(8.0, 500.0, q)._asdict())
    assert response.tolist() == pytest.approx([4, 8, 4, 0, 0], abs=0.05)


def test_shelves_reach_their_gain_at_the_ends_and_half_of_it_at_their_frequency() -> None:
    bands = fx.Bands((6.0, -9.0), (100.0, 5000.0), (0.71, 0.71))
    frequencies = torch.tensor([1.0, 100.0, 700.0, 5000.0, 22_000.0], dtype=torch.float64)
    response = fx.equalizer_response_db(frequencies, 44_100, **bands._asdict())
    assert response.tolist() == pytest.approx([6, 3, 0, -4.5, -9], abs=0.1)


def test_the_response_is_what_a_click_measures() -> None:
    click = torch.zeros(1, 2, 1 << 16, dtype=torch.float64)
    click[..., 0] = 1
    measured = torch.fft.rfft(fx.equalize(click, 44_100, **MID._asdict())[0, 0])
    frequencies = torch.fft.rfftfreq(1 << 16, 1 / 44_100, dtype=torch.float64)
    expected = fx.equalizer_response_db(frequencies, 44_100, **MID._asdict())
    assert (20 * torch.log10(measured.abs()) - expected).abs().max() < 1e-3


def test_side_bands_leave_a_mono_sound_alone_and_mid_bands_a_pure_side() -> None:
    flat = fx.Bands((0.0, 0.0), (100.0, 5000.0), (0.71, 0.71))
    mono = noise(44_100, 0.3)[:, :1].expand(-1, 2, -1)
    side = torch.stack((mono[:, 0], -mono[:, 1]), dim=1)
    assert difference_db(fx.mid_side_equalize(mono, 44_100, mid=flat, side=SIDE), mono) < -200
    assert difference_db(fx.mid_side_equalize(side, 44_100, mid=MID, side=flat), side) < -200
    both = fx.mid_side_equalize(mono, 44_100, mid=MID, side=SIDE)
    assert difference_db(both, fx.equalize(mono, 44_100, **MID._asdict())) < -200


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 192_000])
def test_training_and_rendering_agree_at_any_block_size(rate: int) -> None:
    sound = music(rate, 2.0)
    function = fx.mid_side_equalize(sound, rate, mid=MID, side=SIDE)[0]
    whole = fx.render(sound[0], [fx.MidSideEqualizer(rate, mid=MID, side=SIDE)])
    pieces = fx.render(sound[0], [fx.MidSideEqualizer(rate, mid=MID, side=SIDE)], 1237)
    assert difference_db(function, whole) < -100
    assert difference_db(pieces, whole) < -140


def test_the_left_right_equalizer_renders_what_it_trains() -> None:
    sound = music(44_100, 2.0)
    function = fx.equalize(sound, 44_100, **MID._asdict())[0]
    assert difference_db(function, fx.render(sound[0], [fx.Equalizer(44_100, **MID._asdict())], 4001)) < -100


def test_a_long_ringing_band_does_not_wrap_around() -> None:
    bands = fx.Bands((0.0, 18.0, 0.0), (20.0, 30.0, 10_000.0), (0.71, 8.0, 0.71))._asdict()
    sound = torch.zeros(1, 2, 44_100)
    sound[..., -2000:] = 1
    rendered = fx.render(sound[0], [fx.Equalizer(44_100, **bands)])
    assert difference_db(fx.equalize(sound, 44_100, **bands)[0], rendered) < -90
    assert fx.equalize(sound, 44_100, **bands)[..., :40_000].abs().max() < 1e-4


def test_neutral_is_the_identity_with_living_gradients() -> None:
    sound = music(44_100, 1.0)
    gain_db = torch.zeros(1, 6, requires_grad=True)
    neutral = fx.equalize(sound, 44_100, gain_db=gain_db, frequency_hz=FREQUENCY_HZ, q=Q)
    assert difference_db(neutral.detach(), sound) < -120
    (neutral * sound).sum().backward()  # type: ignore[no-untyped-call]
    assert gain_db.grad is not None
    assert (gain_db.grad.abs() > 0).all()
    flat = fx.Bands((0.0,) * 6, FREQUENCY_HZ, Q)
    assert torch.equal(fx.render(sound[0], [fx.Equalizer(44_100, **flat._asdict())]), sound[0])
    assert torch.equal(fx.render(sound[0], [fx.MidSideEqualizer(44_100, mid=flat, side=flat)]), sound[0])


def test_each_example_of_a_batch_has_its_own_bands() -> None:
    sound = music(44_100, 0.5)
    batch = fx.equalize(
        sound.expand(2, -1, -1),
        44_100,
        gain_db=torch.tensor([MID.gain_db, SIDE.gain_db]),
        frequency_hz=FREQUENCY_HZ,
        q=Q,
    )
    for example, bands in zip(batch, (MID, SIDE), strict=True):
        assert difference_db(example, fx.equalize(sound, 44_100, **bands._asdict())[0]) < -120


def test_bands_beyond_the_rate_move_below_it() -> None:
    sound = noise(8000, 0.5)
    beyond, at_the_edge = (
        fx.equalize(sound, 8000, gain_db=(0.0, 6.0), frequency_hz=(80.0, top), q=(0.71, 0.71))
        for top in (10_000.0, 8000 * fx.HIGHEST_FREQUENCY)
    )
    assert torch.equal(beyond, at_the_edge)


def test_gradients_agree_with_differences() -> None:
    def both(samples: torch.Tensor, **bands: torch.Tensor) -> torch.Tensor:
        mid = fx.Bands(bands["gain_db"], bands["frequency_hz"], bands["q"])
        return fx.mid_side_equalize(samples, 44_100, mid=mid, side=mid)

    check_gradients(both, noise(44_100, 0.1), MID._asdict())


@pytest.mark.parametrize("bands", [((1.0,), (100.0,), (1.0,)), (1.0, 100.0, 1.0)])
def test_fewer_than_two_bands_are_refused(bands: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="2 or more"):
        fx.equalize(torch.zeros(1, 2, 100), 44_100, gain_db=bands[0], frequency_hz=bands[1], q=bands[2])  # type: ignore[arg-type]
