"""Measures against sounds whose spectrum, width, balance, crest and bandwidth are known beforehand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import butter, firwin, oaconvolve, sosfilt
from torch import Tensor

from styletransfer import files
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.encoder.measures import BAND_HZ, FLOOR_DB, measure, peaks

EXAMPLES = Path(__file__).parents[2] / "examples"


def noise(channels: int = 2, duration_s: float = 20.0, rate: int = 44_100, level: float = 0.1) -> Tensor:
    chance = torch.Generator().manual_seed(5)
    return level * torch.randn(channels, round(duration_s * rate), generator=chance)


def tone(frequency: float, level: float = 0.5, duration_s: float = 5.0, rate: int = 44_100) -> Tensor:
    times = torch.arange(round(duration_s * rate), dtype=torch.float64) / rate
    return (level * torch.sin(2 * math.pi * frequency * times)).float()[None]


def pink(rate: int = 44_100, duration_s: float = 30.0) -> Tensor:
    """The same noise at any rate, up to 20 kHz: equal power in each third of an octave."""
    chance = np.random.default_rng(1)
    bins = round(20_000 * duration_s)
    spectrum = np.zeros(round(rate * duration_s) // 2 + 1, dtype=complex)
    phases = np.exp(2j * math.pi * chance.random(bins - 1))
    spectrum[1:bins] = phases / np.sqrt(np.maximum(np.arange(1, bins) / duration_s, 10)) * rate
    return torch.from_numpy(0.3 * np.fft.irfft(spectrum, round(rate * duration_s))).float()[None]


def filtered(samples: Tensor, taps: np.ndarray) -> Tensor:
    return torch.from_numpy(oaconvolve(samples.numpy(), taps[None], mode="same", axes=1)).float()


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("band", [8, 16, 20, 24])
def test_a_tone_shows_its_level_in_its_band_only(rate: int, band: int) -> None:
    levels = measure(tone(float(BAND_HZ[band]), 0.5, rate=rate), rate)
    assert levels.mid_db[band] == pytest.approx(20 * math.log10(0.5) - 3.01, abs=0.1)
    others = levels.mid_db[torch.arange(len(BAND_HZ)) != band]
    assert others.max() < levels.mid_db[band] - 40
    assert levels.side_db.max() == FLOOR_DB


def test_white_noise_rises_3_db_per_octave_and_sums_to_its_power() -> None:
    levels = measure(noise(1), 44_100).mid_db
    steps = levels[9:29].diff()  # 200 Hz to 16 kHz
    assert steps.mean() == pytest.approx(10 * math.log10(2) / 3, abs=0.03)
    assert steps.std() < 0.25
    in_band = 10 ** (levels[16].item() / 10)  # 1 kHz
    width = 1000 * (2 ** (1 / 6) - 2 ** (-1 / 6))
    assert 10 * math.log10(in_band) == pytest.approx(10 * math.log10(0.1**2 * width / 22_050), abs=0.3)


def test_pink_noise_is_level() -> None:
    levels = measure(pink(), 44_100).mid_db[6:28]  # 100 Hz to 12.5 kHz
    assert levels.max() - levels.min() < 1.5
    slope = np.polyfit(np.arange(22), levels.numpy(), 1)[0]
    assert abs(slope) < 0.03


def test_the_rate_does_not_matter() -> None:
    one, two = measure(pink(44_100), 44_100), measure(pink(48_000), 48_000)
    assert (one.mid_db - two.mid_db)[2:29].abs().max() < 0.3
    assert one.loudness_lufs == pytest.approx(two.loudness_lufs, abs=0.1)
    assert one.punch_db == pytest.approx(two.punch_db, abs=0.3)


@pytest.mark.parametrize("width_db", [-30.0, -10.0, 0.0, 6.0])
def test_width_is_side_over_mid(width_db: float) -> None:
    mid, side = noise()
    side = side * 10 ** (width_db / 20)
    measures = measure(torch.stack([mid + side, mid - side]), 44_100)
    assert measures.width_db == pytest.approx(width_db, abs=0.1)
    assert (measures.side_db - measures.mid_db)[12:29].mean() == pytest.approx(width_db, abs=0.1)


def test_mono_has_no_width() -> None:
    sound = noise(1)
    one, both = measure(sound, 44_100), measure(sound.expand(2, -1), 44_100)
    assert one.width_db == both.width_db < -90
    assert torch.equal(one.mid_db, both.mid_db)
    assert one.balance_db == 0


@pytest.mark.parametrize("right_db", [-12.0, 0.0, 3.0])
def test_balance_is_right_over_left(right_db: float) -> None:
    sound = noise() * torch.tensor([[1.0], [10 ** (right_db / 20)]])
    assert measure(sound, 44_100).balance_db == pytest.approx(right_db, abs=0.1)


def test_crest_of_sine_square_and_click() -> None:
    sine = tone(1000).expand(2, -1)
    assert measure(sine, 44_100).crest_db == pytest.approx(3.01, abs=0.05)
    assert measure(sine, 44_100).punch_db == pytest.approx(3.01, abs=0.05)
    assert measure(sine.sign(), 44_100).crest_db == pytest.approx(0, abs=0.05)
    late = sine.clone()
    late[1, -1] = -0.99  # in the last, broken block, of the other channel
    assert measure(late, 44_100).crest_db == pytest.approx(3.01 + 20 * math.log10(0.99 / 0.5), abs=0.05)
    assert measure(late, 44_100).punch_db == pytest.approx(3.01, abs=0.05)


def test_punch_falls_under_a_limiter_and_ignores_level() -> None:
    sound = noise()
    sound[:, ::11_025] = 1.0
    assert peaks(sound, 44_100).punch_db == measure(sound, 44_100).punch_db == pytest.approx(20, abs=0.3)
    assert peaks(sound / 8, 44_100).punch_db == pytest.approx(peaks(sound, 44_100).punch_db, abs=1e-3)
    assert peaks(sound.clamp(-0.25, 0.25), 44_100).punch_db < peaks(sound, 44_100).punch_db - 10


def test_spread_is_the_step_from_quiet_to_loud() -> None:
    sound = noise()
    steady = measure(sound, 44_100).spread_db
    assert steady < 0.3
    sound[:, : 3 * sound.shape[1] // 4] *= 0.25
    assert measure(sound, 44_100).spread_db == pytest.approx(12 + steady, abs=0.3)


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_gives_floors(channels: int) -> None:
    measures = measure(torch.zeros(channels, 60_000), 44_100)
    assert (measures.mid_db == FLOOR_DB).all()
    assert (measures.side_db == FLOOR_DB).all()
    assert measures.loudness_lufs == measures.width_db == FLOOR_DB
    assert (measures.activity, measures.balance_db, measures.punch_db) == (0, 0, 0)
    assert peaks(torch.zeros(channels, 60_000), 44_100).punch_db == 0


def test_a_silent_half_changes_nothing() -> None:
    sound = noise()
    gap = torch.cat([sound, torch.zeros_like(sound) + 1e-5 * noise(level=1.0)], 1)
    whole, half = measure(sound, 44_100), measure(gap, 44_100)
    assert (whole.mid_db - half.mid_db)[3:].abs().max() < 0.1
    assert half.loudness_lufs == pytest.approx(whole.loudness_lufs, abs=0.1)
    assert half.punch_db == pytest.approx(whole.punch_db, abs=0.1)
    assert half.width_db == pytest.approx(whole.width_db, abs=0.1)
    assert whole.activity == pytest.approx(1, abs=0.02)
    assert half.activity == pytest.approx(0.5, abs=0.02)


def test_a_sound_shorter_than_a_window_is_measured() -> None:
    measures = measure(tone(1000, duration_s=0.1), 44_100)
    assert measures.mid_db.argmax() == 16
    assert all(math.isfinite(value) for value in (measures.crest_db, measures.punch_db, measures.spread_db))


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_loudness_agrees_with_bs_1770_on_steady_sounds(rate: int) -> None:
    mid, side = noise(rate=rate)
    for sound in (
        noise(rate=rate),
        torch.stack([mid + 0.3 * side, mid - 0.3 * side]),
        pink(rate).expand(2, -1),
    ):
        measured = measure(sound, rate).loudness_lufs
        assert measured == pytest.approx(integrated_lufs(sound, rate), abs=0.5)


@pytest.mark.parametrize("every_s", [0.5, 1.5])
def test_loudness_agrees_with_bs_1770_on_sparse_hits(every_s: float) -> None:
    sound = noise(duration_s=12.0)
    sound *= torch.exp(-12 * (torch.arange(sound.shape[1]) / 44_100 % every_s))
    assert measure(sound, 44_100).loudness_lufs == pytest.approx(integrated_lufs(sound, 44_100), abs=0.5)


@pytest.mark.parametrize("song", sorted(EXAMPLES.glob("*.flac")), ids=lambda song: song.stem)
def test_loudness_agrees_with_bs_1770_on_music(song: Path) -> None:
    audio = files.read(song)
    measured = measure(audio.samples, audio.rate).loudness_lufs
    assert measured == pytest.approx(integrated_lufs(audio.samples, audio.rate), abs=0.5)


@pytest.mark.parametrize("edge_hz", [4000, 8000, 16_000])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_low_passed_noise_ends_where_it_was_cut(edge_hz: int, rate: int) -> None:
    cut = filtered(noise(rate=rate, duration_s=5), firwin(801, edge_hz, fs=rate))
    assert measure(cut, rate).bandwidth_hz == pytest.approx(edge_hz, rel=0.04)
    dithered = cut + 2**-16 * noise(rate=rate, duration_s=5, level=1.0)  # as 16 bits hold it
    assert measure(dithered, rate).bandwidth_hz == pytest.approx(edge_hz, rel=0.04)


def test_gentle_slopes_and_quiet_treble_are_no_end() -> None:
    sloped = sosfilt(butter(2, 2000, fs=44_100, output="sos"), noise().numpy())  # 12 dB per octave
    assert (
        measure(torch.from_numpy(sloped).float(), 44_100).bandwidth_hz > 20_000
    )  # a digital slope ends in 0
    hissing = tone(440).expand(2, -1) + noise(duration_s=5, level=1e-3)
    assert measure(hissing, 44_100).bandwidth_hz == 22_050
    assert measure(pink(48_000), 48_000).bandwidth_hz == pytest.approx(20_000, rel=0.03)


@pytest.mark.parametrize("song", ["input", "reference", "vocal"])
def test_low_passed_music_ends_where_it_was_cut(song: str, tmp_path: Path) -> None:
    audio = files.read(EXAMPLES / f"{song}.flac").excerpt(5, 15)
    for edge_hz in (4000, 8000, 11_000):
        cut = filtered(audio.samples, firwin(801, edge_hz, fs=44_100))
        assert measure(cut, 44_100).bandwidth_hz == pytest.approx(edge_hz, rel=0.04)
    as_found = measure(audio.samples, 44_100).bandwidth_hz
    ogg = files.read(files.write(tmp_path / "a.ogg", audio))
    assert measure(ogg.samples, 44_100).bandwidth_hz == pytest.approx(as_found, rel=0.04)


@pytest.mark.parametrize(("kbps", "edge_hz"), [(64, 11_000), (128, 17_000)])
def test_mp3_ends_where_its_encoder_cut(kbps: int, edge_hz: int, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    audio = files.read(EXAMPLES / "reference.flac").excerpt(5, 15)
    with av.open(str(tmp_path / "a.mp3"), "w") as container:
        stream = container.add_stream("libmp3lame", rate=44_100)
        stream.layout, stream.bit_rate = "stereo", 1000 * kbps
        frame = av.AudioFrame.from_ndarray(audio.samples.contiguous().numpy(), "fltp", "stereo")
        frame.sample_rate, frame.pts = 44_100, 0
        for part in (frame, None):
            for packet in stream.encode(part):
                container.mux(packet)
    coded = files.read(tmp_path / "a.mp3")
    assert measure(coded.samples, 44_100).bandwidth_hz == pytest.approx(edge_hz, rel=0.04)
