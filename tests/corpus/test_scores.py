"""MIDI files are read in seconds, and dealt to drums, bass and other."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from corpus_sounds import END, midi, notes

from styletransfer.corpus import arrangement, midi_file
from styletransfer.corpus.arrangement import Arrangement
from styletransfer.errors import AudioError

TUNE = [60, 62, 64, 65, 67, 69, 71, 72]


def a_song(repeats: int = 8) -> midi_file.Score:
    return midi_file.read(
        midi(
            notes(0, TUNE * repeats, program=73),
            notes(1, [36, 43] * 4 * repeats, program=33),
            notes(9, [36, 38] * 4 * repeats),
            notes(2, [48, 52] * 4 * repeats, program=0),
        )
    )


def test_times_follow_the_tempo() -> None:
    slow = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big")  # a beat of 1 s from the start,
    fast = b"\x60\xff\x51\x03" + (250_000).to_bytes(3, "big")  # of 0.25 s from the second beat on
    score = midi_file.read(midi(slow + fast + END, notes(0, [60, 62, 64], ticks=96)))
    assert [note.start_s for note in score.notes] == pytest.approx([0.0, 1.0, 1.25])
    assert [note.duration_s for note in score.notes] == pytest.approx([1.0, 0.25, 0.25])


def test_running_status_and_silent_note_ons() -> None:
    track = bytes([0, 0x90, 60, 100, 48, 60, 0, 0, 64, 90, 48, 64, 0]) + END
    score = midi_file.read(midi(track))
    assert [(note.pitch, note.start_s, note.duration_s) for note in score.notes] == [
        (60, 0.0, 0.25),
        (64, 0.25, 0.25),
    ]


@pytest.mark.parametrize("content", [b"", b"RIFF1234", midi(notes(0, TUNE))[:12], midi(b"\x00\x40\x40")])
def test_what_is_no_midi_file_is_an_audio_error(content: bytes) -> None:
    with pytest.raises(AudioError, match="no MIDI file"):
        midi_file.read(content)


def test_midi_files_in_a_wad(tmp_path: Path) -> None:
    content = midi(notes(0, TUNE))
    directory = struct.pack("<II8s", 12, len(content), b"D_E1M1") + struct.pack("<II8s", 0, 4, b"PLAYPAL")
    path = tmp_path / "game.wad"
    path.write_bytes(b"IWAD" + struct.pack("<II", 2, 12 + len(content)) + content + directory)
    assert midi_file.in_wad(path) == {"d_e1m1": content}
    path.write_bytes(b"PNG")
    with pytest.raises(AudioError, match="no WAD"):
        midi_file.in_wad(path)


def test_each_plays_in_its_stem_and_the_flute_is_the_melody() -> None:
    score = a_song()
    arranged = arrangement.arrange(score, 60.0, torch.Generator().manual_seed(0))
    buses = {
        (message.midi_channel, message.bus)
        for message in arrangement.messages(score, arranged)
        if message.kind == "on"
    }
    assert buses == {(0, "other"), (1, "bass"), (9, "drums"), (2, "other")}
    assert arranged.melody_channel == 0
    sung = arrangement.melody_notes(score, arranged)
    assert [pitch for *_, pitch in sung] == [pitch + arranged.transposition for pitch in TUNE * 8]
    assert len(arrangement.drum_hits(score, arranged)) == 64


def test_a_sung_melody_is_not_played() -> None:
    score = a_song()
    arranged = arrangement.arrange(score, 60.0, torch.Generator().manual_seed(0))
    told = arrangement.messages(score, arranged, melody_is_played=False)
    assert {message.midi_channel for message in told if message.kind == "on"} == {1, 2, 9}


def test_the_lowest_channel_is_the_bass_where_no_bass_plays() -> None:
    score = midi_file.read(midi(notes(0, TUNE * 4, program=0), notes(1, [36, 43] * 16, program=43)))
    arranged = arrangement.arrange(score, 60.0, torch.Generator().manual_seed(0))
    assert arranged.bass_channel == 1


def test_a_stretch_lasts_as_long_as_was_asked_for_and_has_its_notes_within() -> None:
    score = a_song(repeats=60)
    for seed in range(5):
        arranged = arrangement.arrange(score, 20.0, torch.Generator().manual_seed(seed))
        assert arranged.duration_s == pytest.approx(20.0)
        told = arrangement.messages(score, arranged)
        assert told == sorted(told, key=lambda message: message.time_s)
        assert 0 <= told[0].time_s <= told[-1].time_s <= arranged.duration_s
        assert sum(message.kind == "on" for message in told) > 200


def test_programs_are_swapped_within_their_kind() -> None:
    score = a_song()
    flutes, basses = set(), set()
    for seed in range(40):
        arranged = arrangement.arrange(score, 60.0, torch.Generator().manual_seed(seed))
        flutes.add(arranged.programs[0, 73])
        basses.add(arranged.programs[1, 33])
    assert flutes == {72, 73, 74, 75}
    assert basses == {32, 33, 34, 35}


def test_the_same_seed_arranges_alike() -> None:
    score = a_song(repeats=40)

    def arranged(seed: int) -> Arrangement:
        return arrangement.arrange(score, 20.0, torch.Generator().manual_seed(seed))

    assert arranged(3) == arranged(3)
    assert arranged(3) != arranged(4)
