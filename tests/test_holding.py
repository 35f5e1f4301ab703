"""What a strip may do to a stem's notes, and what it is held back from."""

from __future__ import annotations

import torch

from styletransfer.audio import STEMS, Audio
from styletransfer.converter.console import STRIP, Settings, neutral
from styletransfer.encoder.content import Content
from styletransfer.holding import CHROMA_KEPT, ONSETS_KEPT, held_back
from styletransfer.mixdown import processed_stem
from styletransfer.threads import single, spread

RATE = 44100


def plucked(seconds: int = 8) -> Audio:
    """Notes of different loudness, four a second, over a little noise."""
    chance = torch.Generator().manual_seed(3)
    time = torch.arange(RATE) / RATE
    samples = 1e-4 * torch.randn(2, seconds * RATE, generator=chance)
    for start in range(0, (seconds - 1) * RATE, RATE // 4):
        loud, degree = torch.rand(2, generator=chance).tolist()
        hertz = 110 * 2 ** (int(12 * degree) / 12)
        note = torch.exp(-8 * time) * torch.sin(6.2832 * hertz * time)
        samples[:, start : start + RATE] += (0.05 + 0.4 * loud) * note
    return Audio(samples, RATE)


def kept(settings: Settings, stem: Audio) -> float:
    after = processed_stem(stem, settings)
    return Content(after.samples, RATE).onsets_kept(Content(stem.samples, RATE))


def strips(**knobs: dict[str, float]) -> dict[str, Settings]:
    """Neutral strips, but for stages of the bass."""
    found = {name: neutral(STRIP) for name in STEMS}
    for stage, values in knobs.items():
        found["bass"][stage] |= values
    return found


SQUASHED = {"threshold_db": -45.0, "ratio": 12.0, "attack_ms": 1.0, "release_ms": 200.0, "makeup_db": 12.0}


def test_a_compressor_that_blurs_onsets_is_held_back_and_the_rest_of_the_strip_stays() -> None:
    stem = plucked()
    before = strips(compressor=SQUASHED, eq={"peak_1_gain_db": 4.0}, gain={"gain_db": 2.0})
    assert kept(before["bass"], stem) < ONSETS_KEPT - 0.02
    after, notes = held_back(before, {"bass": stem})
    held = after["bass"]
    assert kept(held, stem) >= ONSETS_KEPT - 0.005  # the equalizer's part isn't held
    assert 1 < held["compressor"]["ratio"] < 12
    assert held["compressor"]["threshold_db"] == -45
    assert {name: held[name] for name in ("eq", "gain")} == {
        name: before["bass"][name] for name in ("eq", "gain")
    }
    assert [(note.code, note.strip) for note in notes] == [("content-held", "bass")]


def test_a_room_that_drowns_the_notes_is_held_back() -> None:
    before = strips(reverb={"wet": 0.9, "decay_s": 6.0})
    after, _ = held_back(before, {"bass": plucked()})
    assert 0 <= after["bass"]["reverb"]["wet"] < 0.6
    assert after["bass"]["compressor"] == before["bass"]["compressor"]


def test_a_little_of_a_room_is_left_where_chords_follow_each_other() -> None:
    stem = plucked()
    before = strips(reverb={"wet": 0.5, "decay_s": 3.0})
    after, _ = held_back(before, {"bass": stem})
    assert 0.1 < after["bass"]["reverb"]["wet"] < 0.4
    heard = processed_stem(stem, after["bass"])
    chroma = Content(heard.samples, RATE).chroma_kept(Content(stem.samples, RATE))
    assert CHROMA_KEPT <= chroma < CHROMA_KEPT + 0.02


def test_a_room_that_rings_into_pauses_stays() -> None:
    stem = plucked()
    stem.samples[:, RATE * 3 : RATE * 6] = 0
    stem.samples[:, -RATE:] = 0
    before = strips(reverb={"wet": 0.1, "decay_s": 1.0})
    assert held_back(before, {"bass": stem}) == (before, [])


def test_what_keeps_the_music_stays_to_the_digit() -> None:
    before = strips(compressor={"threshold_db": -12.0, "ratio": 1.3, "makeup_db": 1.0}, width={"width": 1.5})
    assert held_back(before, {"bass": plucked()}) == (before, [])


def test_silence_is_left_as_it_was_set() -> None:
    before = strips(compressor=SQUASHED)
    assert held_back(before, {"bass": Audio(torch.zeros(2, 4 * RATE), RATE)}) == (before, [])


def test_work_is_spread_in_order_with_one_thread_each() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = spread(lambda number: (number, torch.get_num_threads()), range(5))
        assert found == [(number, 1) for number in range(5)]
        with single():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
