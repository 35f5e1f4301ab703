"""Between two references: settings, equalizer curves, what is rendered, and a sweep that doesn't zip."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from styletransfer import STEMS, Audio, Interpolation, UsageError, apply, interpolate, transfer
from styletransfer.applying import render
from styletransfer.closeness import distance
from styletransfer.converter.console import MASTER, STRIP, Settings, neutral
from styletransfer.converter.fx.ballistics import hop_frames
from styletransfer.desk import Desk
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.encoder.measures import measure
from styletransfer.files import read
from styletransfer.interpolation.equalizers import between_equalizers, curve_db
from styletransfer.interpolation.settings import between
from styletransfer.interpolation.sweeping import Rung, _grid_s, distance_db, ladder, settling_s, sweep
from styletransfer.reference import mixed
from styletransfer.tasks import draw_settings


def residual_db(first: torch.Tensor, second: torch.Tensor) -> float:
    difference = (first - second).square().mean()
    return float(10 * torch.log10(difference / second.square().mean() + 1e-30))


def changed(**stages: dict[str, float]) -> Settings:
    settings = neutral(STRIP)
    return settings | {name: settings[name] | knobs for name, knobs in stages.items()}


def test_knobs_meet_in_the_middle_of_their_scales() -> None:
    first = changed(gain={"gain_db": -4.0}, compressor={"ratio": 2.0, "attack_ms": 2.0, "release_ms": 50.0})
    second = changed(gain={"gain_db": 2.0}, compressor={"ratio": 8.0, "attack_ms": 8.0, "release_ms": 50.0})
    half = between(STRIP, first, second, 0.5)
    assert half["gain"]["gain_db"] == pytest.approx(-1.0)
    assert half["compressor"]["ratio"] == pytest.approx(4.0)
    assert half["compressor"]["attack_ms"] == pytest.approx(4.0)
    assert half["compressor"]["release_ms"] == pytest.approx(50.0)
    assert between(STRIP, first, second, 0.0) == first
    assert between(STRIP, first, second, 1.0) == second


def test_a_neutral_stage_takes_the_others_frequency_q_and_times() -> None:
    busy = changed(
        compressor={"ratio": 4.0, "threshold_db": -35.0, "attack_ms": 30.0},
        reverb={"wet": 0.4, "decay_s": 4.0},
        eq={"peak_1_gain_db": 6.0, "peak_1_frequency_hz": 350.0, "peak_1_q": 2.0},
    )
    for at in (0.3, 0.7):
        for first, second, strength in ((neutral(STRIP), busy, at), (busy, neutral(STRIP), 1 - at)):
            found = between(STRIP, first, second, at)
            assert found["compressor"]["threshold_db"] == pytest.approx(-35.0)
            assert found["compressor"]["attack_ms"] == pytest.approx(30.0)
            assert found["compressor"]["ratio"] == pytest.approx(4.0**strength)
            assert found["reverb"]["decay_s"] == pytest.approx(4.0)
            assert found["reverb"]["wet"] == pytest.approx(0.4 * strength)
            assert found["eq"]["peak_1_frequency_hz"] == pytest.approx(350.0)
            assert found["eq"]["peak_1_q"] == pytest.approx(2.0)
            assert found["eq"]["peak_1_gain_db"] == pytest.approx(6.0 * strength, abs=0.3)


def mean_missed_db(table: dict, first: dict[str, float], second: dict[str, float], at: float) -> float:
    stage = table["eq"]
    found = between_equalizers(stage, first, second, at)
    for name, value in found.items():
        assert stage.knobs[name].low <= value <= stage.knobs[name].high
    wanted = (1 - at) * curve_db(stage, first) + at * curve_db(stage, second)
    return float((curve_db(stage, found) - wanted).abs().max())


def test_curves_of_aligned_bands_meet_in_the_middle() -> None:
    generator = torch.Generator().manual_seed(1)
    for table in (STRIP, MASTER):
        for _ in range(10):
            first, second = (
                {
                    name: knob.neutral + (18 * float(torch.rand((), generator=generator)) - 9) * knob.strength
                    for name, knob in table["eq"].knobs.items()
                }
                for _ in range(2)
            )
            assert mean_missed_db(table, first, second, 0.5) < 0.3


@pytest.mark.parametrize("seed", range(4))
def test_curves_of_random_pairs_meet_in_the_middle(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    pair = [draw_settings(generator, STEMS[seed])["eq"] for _ in range(2)]
    assert mean_missed_db(STRIP, *pair, 0.5) < 1.0


@pytest.mark.slow
def test_curves_of_many_random_pairs_meet_in_the_middle() -> None:
    generator = torch.Generator().manual_seed(100)
    for number in range(100):
        pair = [draw_settings(generator, STEMS[number % 4])["eq"] for _ in range(2)]
        assert mean_missed_db(STRIP, *pair, 0.5) < 1.0


@pytest.fixture(scope="module")
def excerpts(songs: dict[str, Path]) -> list[Audio]:
    every = [read(songs[name]) for name in ("input", "reference", "electronic")]
    return [audio.excerpt(*audio.loudest_s(5.0)) for audio in every]


@pytest.fixture(scope="module")
def way(excerpts: list[Audio]) -> Interpolation:
    return interpolate(*excerpts, separator="builtin")


def test_the_ends_are_the_plain_transfers_and_are_reached_without_a_jump(
    way: Interpolation, excerpts: list[Audio]
) -> None:
    for at in (0, 1):
        plain = transfer(excerpts[0], excerpts[1 + at], separator="builtin")
        assert plain.document.console.master["gain"]["gain_db"] != 0
        assert torch.equal(way.at(at).mix.samples, plain.mix.samples)
        assert residual_db(way.at(abs(at - 1e-7)).mix.samples, plain.mix.samples) < -80


def test_a_mix_between_tells_its_references_and_settings(way: Interpolation) -> None:
    middle = way.at(0.25)
    assert [told.weight for told in middle.document.references] == [0.75, 0.25]
    levels = [one.document.console.master["gain"]["gain_db"] for one in (way.first, middle, way.second)]
    assert levels[1] == pytest.approx(0.75 * levels[0] + 0.25 * levels[2])
    rung = way.rung_at(0.25)
    again = render(middle.song.audio, middle.dry_stems, rung.strips, rung.master)
    assert torch.equal(again.samples, middle.mix.samples)
    gate = middle.document.gate
    assert gate is not None
    between_both = mixed(way._references, (0.75, 0.25)).measures.mix
    heard = measure(middle.mix.samples, middle.mix.rate)
    assert gate.distance_kept == pytest.approx(distance(heard, between_both).total, abs=1e-6)
    assert gate.distance_kept < gate.distance_input
    assert not [told for told in middle.warnings if told.code == "between-farther"]
    ends = [end.document.proposed["drums"] for end in (way.first, way.second)]
    told = middle.document.proposed["drums"]
    drawn = [one.closed_form["gain"]["gain_db"] for one in (ends[0], told, ends[1])]
    assert drawn[0] != drawn[2]
    assert drawn[1] == pytest.approx(0.75 * drawn[0] + 0.25 * drawn[2])
    for end in (way.first, way.second):
        assert end.document.gate is not None
        assert end.document.gate.amounts["drums"] == 1
    for stage, knobs in told.total(STRIP).items():
        assert rung.strips["drums"][stage] == pytest.approx(knobs, rel=1e-6, abs=1e-4)
    with pytest.raises(UsageError, match="way"):
        way.at(1.2)


@pytest.mark.parametrize("source", [0, 2], ids=["44.1 kHz", "48 kHz, above stems of 44.1"])
def test_a_sweep_starts_in_the_first_and_ends_in_the_second(excerpts: list[Audio], source: int) -> None:
    song, first, second = (excerpts[(source + step) % 3] for step in range(3))
    way = interpolate(song, first, second, separator="builtin", converter="closed")
    swept = way.sweep().samples
    edge = round(0.05 * swept.shape[1])
    assert residual_db(swept[:, :edge], way.first.mix.samples[:, :edge]) < -80
    assert residual_db(swept[:, -edge:], way.second.mix.samples[:, -edge:]) < -80
    middle = slice(round(0.499 * swept.shape[1]), round(0.501 * swept.shape[1]))
    assert residual_db(swept[:, middle], way.at(0.5).mix.samples[:, middle]) < -35


def test_a_mix_between_that_comes_no_closer_says_so(
    way: Interpolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    mono = neutral(MASTER) | {"width": {"width": 0.0}}
    away = Rung({name: neutral(STRIP) for name in STEMS}, mono)
    monkeypatch.setattr(way, "rung_at", lambda at: away)
    found = way.at(0.5)
    assert [told.code for told in found.warnings].count("between-farther") == 1


@pytest.mark.parametrize("asked", [-30.0, "match-input"])
def test_a_loudness_that_is_asked_for_is_kept_between_references(
    excerpts: list[Audio], asked: float | str
) -> None:
    short = [audio.excerpt(0.0, 3.0) for audio in excerpts]
    way = interpolate(*short, separator="builtin", converter="closed", polish=False, lufs=asked)
    wanted = integrated_lufs(short[0].samples, short[0].rate) if asked == "match-input" else asked
    for at in (0.0, 1e-7, 0.5, 1.0):
        mix = way.at(at).mix
        assert integrated_lufs(mix.samples, mix.rate) == pytest.approx(wanted, abs=0.5), at
    middle = way.at(0.5)
    again = apply(middle.document, middle.song.audio)
    assert residual_db(again.mix.samples, middle.mix.samples) < -80


def test_an_end_that_the_gate_closed_is_the_input(
    excerpts: list[Audio], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = [audio.excerpt(0.0, 2.0) for audio in excerpts]
    way = interpolate(*short, separator="builtin", converter="closed")
    with monkeypatch.context() as strict:
        strict.setattr("styletransfer.gate.MARGIN", 1.5)  # no gain is enough
        assert way.first.unchanged
    assert not way.second.unchanged
    assert torch.equal(way.at(0).mix.samples, short[0].samples)
    assert residual_db(way.at(1e-7).mix.samples, short[0].samples) < -80


def test_the_embedding_space_converts_what_lies_between(excerpts: list[Audio], way: Interpolation) -> None:
    asked = {"separator": "builtin", "polish": False}
    other = interpolate(*excerpts, space="embedding", **asked)
    both = transfer(excerpts[0], excerpts[1:], weights=[0.4, 0.6], **asked)
    assert residual_db(other.at(0.6).mix.samples, both.mix.samples) < -80
    with pytest.raises(UsageError, match="space"):
        interpolate(*excerpts, space="latent")
    with pytest.raises(UsageError, match="no sound to refine by"):
        interpolate(*excerpts, space="embedding", refine=10)


def test_the_embedding_space_takes_its_ends_polish_along(
    excerpts: list[Audio], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [4.0, -2.0]

    def polish(desk: Desk, *rest: object) -> Desk:
        eq = desk.master["eq"]
        return desk.with_master(
            desk.master | {"eq": eq | {"peak_3_gain_db": eq["peak_3_gain_db"] + left.pop(0)}}
        )

    monkeypatch.setattr("styletransfer.pipeline.polished", polish)
    short = [audio.excerpt(0.0, 3.0) for audio in excerpts]
    way = interpolate(*short, separator="builtin", converter="closed", space="embedding")
    first, second = way.first.document.proposed["master"], way.second.document.proposed["master"]
    assert [end.refinement["eq"]["peak_3_gain_db"] for end in (first, second)] == pytest.approx([4.0, -2.0])
    between = way.at(0.25).document.proposed["master"].refinement
    assert between == {"eq": {"peak_3_gain_db": pytest.approx(2.5)}}
    beside = way.at(1e-4).document.console.master["eq"]
    assert beside == pytest.approx(way.first.document.console.master["eq"], rel=1e-3, abs=0.1)


def test_a_sweep_through_the_embedding_space_passes_what_was_converted_on_the_way(
    excerpts: list[Audio],
) -> None:
    short = [audio.excerpt(0.0, 3.0) for audio in excerpts]
    way = interpolate(*short, separator="builtin", converter="closed", polish=False, space="embedding")
    rungs = {at: way.rung_at(at) for at in (0.0, 0.125, 0.25, 1.0)}
    for at in (0.0, 0.25, 1.0):
        told = way.at(at).document.console
        assert rungs[at].strips["drums"]["eq"] == pytest.approx(told.drums["eq"], rel=1e-6)
        assert rungs[at].master["gain"] == pytest.approx(told.master["gain"], abs=1e-6)
    gains = [rungs[at].master["gain"]["gain_db"] for at in (0.0, 0.125, 0.25)]
    assert gains[0] != gains[2]
    assert gains[1] == pytest.approx((gains[0] + gains[2]) / 2)
    assert distance_db(rungs[0.0], rungs[0.25]) < distance_db(rungs[0.0], rungs[1.0])


RATE = 44100


def tone(frequency_hz: float, seconds: float = 6.0, level: float = 0.25) -> Audio:
    time_s = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    return Audio(
        (level * torch.sin(2 * math.pi * frequency_hz * time_s)).float().expand(2, -1).contiguous(), RATE
    )


def moving_ends() -> tuple[Rung, Rung]:
    """Far apart in tone, level, dynamics and room, on a stem and on the master."""
    one = changed(
        eq={"peak_2_gain_db": 8.0, "peak_3_gain_db": -6.0},
        compressor={"ratio": 3.0, "threshold_db": -20.0, "makeup_db": 3.0},
        reverb={"wet": 0.2, "decay_s": 0.4, "predelay_ms": 12.0},
    )
    other = changed(
        eq={"peak_2_gain_db": -8.0, "high_shelf_gain_db": 6.0},
        gain={"gain_db": -6.0},
        reverb={"wet": 0.3, "decay_s": 0.8, "predelay_ms": 30.0},
    )
    loud = neutral(MASTER) | {"gain": {"gain_db": 4.0}, "limiter": {"ceiling_db": -6.0, "release_ms": 80.0}}
    rest = neutral(STRIP)
    first, second = (
        {name: settings if name == "other" else rest for name in STEMS} for settings in (one, other)
    )
    return Rung(first, neutral(MASTER)), Rung(second, loud)


def rung_between(first: Rung, second: Rung, at: float) -> Rung:
    strips = {n: between(STRIP, settings, second.strips[n], at) for n, settings in first.strips.items()}
    return Rung(strips, between(MASTER, first.master, second.master, at))


@pytest.mark.parametrize("frequency_hz", [220.0, 1000.0, 5000.0])
def test_a_steady_tone_gets_no_sidebands(frequency_hz: float) -> None:
    song = tone(frequency_hz)
    nothing = Audio(torch.zeros(2, song.frames), RATE)
    ends = moving_ends()
    rungs = ladder(lambda at: rung_between(*ends, at))
    assert max(distance_db(*pair) for pair in pairwise(rungs)) < 1.2
    swept = sweep(song, {name: song if name == "other" else nothing for name in STEMS}, rungs, lambda _: None)
    steady = swept.samples[0, RATE // 2 : -RATE // 2].double()
    assert float(steady.abs().max() - steady.abs().min()) > 0.01
    position = torch.arange(len(steady), dtype=torch.float64) / len(steady) * 2 * math.pi
    window = (
        0.35875 - 0.48829 * position.cos() + 0.14128 * (2 * position).cos() - 0.01168 * (3 * position).cos()
    )
    spectrum = torch.fft.rfft(steady * window).abs()
    frequency = torch.fft.rfftfreq(len(steady), 1 / RATE)
    spectrum_db = 20 * torch.log10(spectrum / spectrum.max() + 1e-12)
    beside = (frequency - frequency_hz).abs() > 10
    assert float(spectrum_db[beside].max()) < -80


def test_neighbouring_rungs_blend_as_the_setting_between_them() -> None:
    """No comb: on noise, half of both is what the setting half-way gives, in every third octave."""
    noise = 0.1 * torch.randn(2, 2 * RATE, generator=torch.Generator().manual_seed(0))
    song, nothing = Audio(noise, RATE), Audio(torch.zeros_like(noise), RATE)
    stems = {name: song if name == "other" else nothing for name in STEMS}
    first, second = moving_ends()
    for settings in (first, second):
        settings.strips["other"]["reverb"]["wet"] = 0.0
    count = len(ladder(lambda at: rung_between(first, second, at))) - 1
    for place in (1, count // 2, count - 2):
        ends = [rung_between(first, second, (place + by) / count) for by in (0, 0.5, 1)]
        sounds = [render(song, stems, rung.strips, rung.master).samples for rung in ends]
        blend = (sounds[0] + sounds[2]) / 2
        power = [torch.fft.rfft(one[:, RATE // 2 :]).abs().square().sum(0) for one in (blend, sounds[1])]
        edges = (len(power[0]) * 2 ** (-torch.arange(0, 8, 1 / 3))).long().tolist()
        for high, low in pairwise(edges):
            ratio = power[0][low:high].sum() / power[1][low:high].sum()
            assert abs(float(10 * torch.log10(ratio))) < 0.1


@pytest.mark.parametrize("rates", [{44100}, {48000}, {44100, 48000}, {96000, 44100}, {44100, 88200}])
def test_a_rung_starts_where_hops_of_all_rates_begin_and_soon(rates: set[int]) -> None:
    grid_s = _grid_s(rates)
    assert all((grid_s * rate / hop_frames(rate)).denominator == 1 for rate in rates)
    assert grid_s < 2


def test_a_rung_starts_early_enough() -> None:
    rung = moving_ends()[0]
    assert settling_s(rung) > 9 * 0.15
    rung.strips["other"]["reverb"] |= {"decay_s": 6.0}
    assert settling_s(rung) > 9.0
