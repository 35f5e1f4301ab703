"""What does a MIDI file play, and when? Standard MIDI files, and those inside a game's WAD archive.

Source: MIDI Manufacturers Association, "Standard MIDI Files 1.0" (RP-001).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from styletransfer.errors import AudioError

DRUM_CHANNEL = 9
"""General MIDI's tenth channel, counted from 0, plays drums."""


@dataclass(frozen=True, slots=True)
class Event:
    """A channel message at `time_s`: its status' upper four bits in `kind`, and its data bytes."""

    time_s: float
    channel: int
    kind: int
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it is played: `program` is the channel's at its start; pitch and velocity are MIDI's."""

    start_s: float
    duration_s: float
    channel: int
    pitch: int
    velocity: int
    program: int


@dataclass(frozen=True, slots=True)
class Score:
    """A MIDI file in seconds: all events by time, and its notes by start."""

    events: tuple[Event, ...]
    notes: tuple[Note, ...]

    @property
    def duration_s(self) -> float:
        return max((note.start_s + note.duration_s for note in self.notes), default=0.0)

    @property
    def fingerprint(self) -> str:
        """Equal for files that play the same notes in the same rhythm, whatever else they say."""
        text = " ".join(f"{note.start_s:.1f},{note.channel},{note.pitch}" for note in self.notes[:2000])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read(content: bytes) -> Score:
    """The score in a Standard MIDI file of format 0 or 1. AudioError where it is none or is damaged."""
    try:
        if content[:4] != b"MThd":
            raise ValueError("no header")
        form, tracks, division = struct.unpack(">HHH", content[8:14])
        if form > 1 or division & 0x8000 or not division:
            raise ValueError("an unusual time base")
        place = 8 + int.from_bytes(content[4:8], "big")
        messages: list[tuple[int, int, bytes]] = []  # tick, order, status and data
        tempi: list[tuple[int, int]] = []  # tick, microseconds per beat
        for _ in range(tracks):
            if place + 8 > len(content):
                break
            size = int.from_bytes(content[place + 4 : place + 8], "big")
            if content[place : place + 4] == b"MTrk":
                _read_track(content[place + 8 : place + 8 + size], messages, tempi)
            place += 8 + size
    except (ValueError, IndexError, struct.error) as error:
        raise AudioError(f"this is no MIDI file that can be read ({error})") from error
    messages.sort(key=lambda message: message[:2])
    clock = _Clock(tempi, division)
    events = tuple(
        Event(clock.seconds(tick), data[0] & 0x0F, data[0] >> 4, data[1], data[2] if len(data) > 2 else 0)
        for tick, _, data in messages
    )
    return Score(events, _notes(events))


def _read_track(data: bytes, messages: list[tuple[int, int, bytes]], tempi: list[tuple[int, int]]) -> None:
    tick, place, status = 0, 0, 0
    while place < len(data):
        delta, place = _variable(data, place)
        tick += delta
        if data[place] & 0x80:
            status = data[place]
            place += 1
        if status == 0xFF:
            kind = data[place]
            size, place = _variable(data, place + 1)
            if kind == 0x51 and size == 3:
                tempi.append((tick, int.from_bytes(data[place : place + 3], "big")))
            if kind == 0x2F:
                return
            place += size
        elif status in (0xF0, 0xF7):
            size, place = _variable(data, place)
            place += size
        elif 0x80 <= status < 0xF0:
            size = 1 if status >> 4 in (0xC, 0xD) else 2
            if place + size > len(data):
                return
            messages.append((tick, len(messages), bytes([status]) + data[place : place + size]))
            place += size
        else:
            raise ValueError("a status byte is missing")


def _variable(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[place] & 0x7F
        place += 1
        if not data[place - 1] & 0x80:
            return value, place


class _Clock:
    """Ticks to seconds under a map of tempi."""

    def __init__(self, tempi: list[tuple[int, int]], division: int) -> None:
        self.marks = [(0, 0.0, 500_000 / division / 1e6)]  # tick, second, seconds per tick
        for tick, microseconds in sorted(tempi, key=lambda tempo: tempo[0]):
            start, second, slope = self.marks[-1]
            self.marks.append((tick, second + (tick - start) * slope, microseconds / division / 1e6))
        self.at = 0

    def seconds(self, tick: int) -> float:
        """Of ticks that never go back."""
        while self.at + 1 < len(self.marks) and self.marks[self.at + 1][0] <= tick:
            self.at += 1
        start, second, slope = self.marks[self.at]
        return second + (tick - start) * slope


def _notes(events: tuple[Event, ...]) -> tuple[Note, ...]:
    programs = [0] * 16
    open_notes: dict[tuple[int, int], tuple[float, int, int]] = {}
    notes = []

    def close(channel: int, pitch: int, time_s: float) -> None:
        if (channel, pitch) in open_notes:
            start, velocity, program = open_notes.pop((channel, pitch))
            notes.append(Note(start, time_s - start, channel, pitch, velocity, program))

    for event in events:
        if event.kind == 0xC:
            programs[event.channel] = event.first
        elif event.kind == 0x9 and event.second:
            close(event.channel, event.first, event.time_s)
            open_notes[event.channel, event.first] = (event.time_s, event.second, programs[event.channel])
        elif event.kind in (0x8, 0x9):
            close(event.channel, event.first, event.time_s)
    end_s = events[-1].time_s if events else 0.0
    for channel, pitch in [*open_notes]:
        close(channel, pitch, end_s)
    return tuple(sorted(notes, key=lambda note: (note.start_s, note.channel, note.pitch)))


def in_wad(path: Path) -> dict[str, bytes]:
    """Lump name → MIDI file, of those in a WAD archive. AudioError where it is none."""
    data = path.read_bytes()
    try:
        if data[:4] not in (b"IWAD", b"PWAD"):
            raise ValueError("no header")
        count, directory = struct.unpack("<II", data[4:12])
        found = {}
        for index in range(count):
            offset, size, name = struct.unpack_from("<II8s", data, directory + 16 * index)
            if data[offset : offset + 4] == b"MThd":
                found[name.rstrip(b"\0").decode("ascii", "replace").lower()] = data[offset : offset + size]
    except (ValueError, struct.error) as error:
        raise AudioError(f"{path} is no WAD archive ({error}); fetch its package again") from error
    return found
