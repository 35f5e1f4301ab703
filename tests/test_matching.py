"""The closed form finds what was done to a sound, and leaves alone what can't be told."""

from __future__ import annotations

import math

import pytest
import torch

from styletransfer import STEMS, mixdown
from styletransfer.audio import Audio
from styletransfer.closeness import distance
from styletransfer.converter.console import MASTER, MASTER_BANDS, STRIP, STRIP_BANDS, is_neutral, neutral
from styletransfer.encoder.measures import BAND_HZ, measure, peaks
from styletransfer.matching import SongMeasures, fit_glue, match_master, match_stems
from styletransfer.matching.tone import fit_equalizer, response_db

RATE = 44100


def music(seed: int, level: float = 0.1, width: float = 0.5) -> Audio:
    """Pink noise in bursts: something with a spectrum, a rhythm and a width."""
    generator = torch.Generator().manual_seed(seed)
    frames = 12 * RATE
    spectrum = torch.fft.rfft(torch.randn(2, frames, generator=generator))
    spectrum = spectrum / torch.arange(1, spectrum.shape[1] + 1).sqrt()
    mid, side = torch.fft.irfft(spectrum, frames)
    envelope = 0.2 + torch.exp(-(torch.arange(frames) % (RATE // 2)) / 4000)
    sound = torch.stack([mid + width * side, mid - width * side]) * envelope
    return Audio(level * sound / sound.std(), RATE)


def song_of(stems: dict[str, Audio]) -> SongMeasures:
    mix = sum(stem.samples for stem in stems.values())
    return SongMeasures(
        measure(mix, RATE), {name: measure(stem.samples, RATE) for name, stem in stems.items()}
    )


def through(audio: Audio, **stages: dict[str, float]) -> Audio:
    settings = neutral(STRIP)
    for name, knobs in stages.items():
        settings[name] = settings[name] | knobs
    return mixdown.processed_stem(audio, settings)


@pytest.fixture(scope="module")
def stems() -> dict[str, Audio]:
    return {name: music(seed) for seed, name in enumerate(STEMS)}


@pytest.mark.parametrize("bands", [STRIP_BANDS, MASTER_BANDS])
def test_an_equalizers_own_curve_is_found_again(bands: tuple) -> None:
    knobs = fit_equalizer(torch.zeros(30), torch.ones(30), bands, 9)
    for index, band in enumerate(bands):
        knobs[f"{band.name}_gain_db"] = 4.0 * (-1) ** (index // 2)
    found = fit_equalizer(response_db(knobs, bands), torch.ones(30), bands, 9)
    error = response_db(found, bands) - response_db(knobs, bands)
    assert error.abs().mean() < 0.6
    limited = fit_equalizer(torch.full((30,), 40.0), torch.ones(30), bands, 9)
    assert max(value for name, value in limited.items() if name.endswith("gain_db")) <= 9


def test_identical_songs_ask_for_nothing(stems: dict[str, Audio]) -> None:
    song = song_of(stems)
    strips, notes = match_stems(song, song)
    for settings in strips.values():
        for name, stage in STRIP.items():
            for knob, parameter in stage.knobs.items():
                if parameter.strength:
                    assert settings[name][knob] == pytest.approx(parameter.neutral, abs=1e-6)
    master, _ = match_master(song.mix, song.mix)
    assert all(abs(v) < 1e-6 for k, v in master["eq"].items() if k.endswith("gain_db"))
    assert notes == []


def test_a_louder_stem_is_heard_as_louder(stems: dict[str, Audio]) -> None:
    other = stems | {"vocals": through(stems["vocals"], gain={"gain_db": 6.0})}
    strips, _ = match_stems(song_of(stems), song_of(other))
    levels = {name: settings["gain"]["gain_db"] for name, settings in strips.items()}
    assert levels["vocals"] - levels["drums"] == pytest.approx(6.0, abs=0.5)
    capped, notes = match_stems(
        song_of(stems), song_of(stems | {"vocals": through(stems["vocals"], gain={"gain_db": 13.0})})
    )
    assert capped["vocals"]["gain"]["gain_db"] <= 8.1
    assert "level-capped" in {note.code for note in notes}


def test_a_stem_that_one_side_lacks_is_left_alone(stems: dict[str, Audio]) -> None:
    quiet = stems | {"vocals": Audio(stems["vocals"].samples * 1e-3, RATE)}
    strips, notes = match_stems(song_of(stems), song_of(quiet))
    assert all(is_neutral(stage, strips["vocals"][name]) for name, stage in STRIP.items())
    assert [(note.code, note.strip) for note in notes] == [("stem-absent", "vocals")]
    assert max(abs(strips[name]["gain"]["gain_db"]) for name in ("drums", "bass", "other")) < 0.5


def test_the_master_finds_tone_width_and_balance() -> None:
    plain = music(0)
    styled = through(
        plain,
        eq={"peak_3_gain_db": 5.0, "low_shelf_gain_db": -4.0},
        width={"width": 1.6},
        balance={"balance": 0.1},
    )
    ours, theirs = measure(plain.samples, RATE), measure(styled.samples, RATE)
    first, _ = match_master(ours, theirs)
    heard = mixdown.master_bus(plain, first)
    master, _ = match_master(measure(heard.samples, RATE), theirs, first)
    curve = response_db(master["eq"], MASTER_BANDS)
    at = {hertz: float(curve[(BAND_HZ - hertz).abs().argmin()]) for hertz in (50, 2000)}
    assert at[2000] - at[50] > 5
    result = mixdown.master_bus(plain, master)
    reached = measure(result.samples, RATE)
    assert reached.width_db == pytest.approx(theirs.width_db, abs=0.5)
    assert reached.balance_db == pytest.approx(theirs.balance_db, abs=0.3)
    assert distance(reached, theirs).total < 0.3 * distance(ours, theirs).total


@pytest.mark.parametrize("change_db", [-2.0, 1.5])
def test_the_glue_moves_punch_the_right_way(change_db: float) -> None:
    bus = music(3)
    ours = measure(bus.samples, RATE)
    wanted = ours.punch_db + change_db
    louder = through(bus, compressor={"threshold_db": -40.0, "ratio": 1.0})
    theirs = measure(louder.samples, RATE)
    object.__setattr__(theirs, "punch_db", wanted)
    knobs = fit_glue(bus, ours, theirs)
    assert knobs is not None
    assert (knobs["ratio"] > 1) == (change_db < 0)
    settings = neutral(MASTER) | {"compressor": knobs}
    reached = peaks(mixdown.master_bus(bus, settings).samples, RATE).punch_db
    assert abs(reached - wanted) < 0.7 * abs(change_db)
    rms = [float(a.samples.square().mean()) for a in (bus, mixdown.master_bus(bus, settings))]
    assert abs(10 * math.log10(rms[1] / rms[0])) < 1.0


def test_the_limiter_takes_peaks_rather_than_loudness() -> None:
    bus = music(6)
    settings, _ = match_master(measure(bus.samples, RATE), measure(bus.samples, RATE))
    meter = mixdown.loudness_of(bus)
    target_lufs, ceiling_db = meter.integrated_lufs + 6, meter.true_peak_db
    loud, slow = (
        mixdown.level(bus, meter, target_lufs, ceiling_db, release_ms)
        for release_ms in (settings["limiter"]["release_ms"], MASTER["limiter"].knobs["release_ms"].neutral)
    )
    assert loud.short_by_lu < slow.short_by_lu - 0.3
    crests_db = [measure(one.audio.samples, RATE).crest_db for one in (loud, slow)]
    assert crests_db[0] < crests_db[1] - 0.3


def test_nothing_is_matched_where_one_side_has_no_bandwidth() -> None:
    plain = music(0)
    spectrum = torch.fft.rfft(plain.samples)
    spectrum[:, round(8000 / RATE * plain.frames) :] = 0
    dull = torch.fft.irfft(spectrum, plain.frames)
    master, notes = match_master(measure(plain.samples, RATE), measure(dull, RATE))
    curve = response_db(master["eq"], MASTER_BANDS)
    assert curve[BAND_HZ > 12000].abs().max() < 2
    assert "bandwidth-limited" in {note.code for note in notes}


def test_a_mono_sound_is_not_widened() -> None:
    mono, wide = music(0, width=0.0), music(1)
    master, notes = match_master(measure(mono.samples, RATE), measure(wide.samples, RATE))
    assert is_neutral(MASTER["width"], master["width"])
    assert is_neutral(MASTER["side_eq"], master["side_eq"])
    assert "mono-input" in {note.code for note in notes}
