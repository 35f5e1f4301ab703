"""Who plays what? A score's notes dealt to drums, bass and other, with instruments of the same kind swapped.

Source: General MIDI 1 sound set (MMA RP-003) for what a program number means.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import median

import torch

from .fluidsynth import Message
from .midi_file import DRUM_CHANNEL, Note, Score

_BASS_PROGRAMS = range(32, 40)
_DRUM_PROGRAMS = (113, 115, 116, 117, 118, 119)
_ALIKE: tuple[tuple[int, ...], ...] = (
    (0, 1, 2, 3, 4, 5),
    (6, 7),
    (8, 9, 10, 11, 12, 13, 14),
    (16, 17, 18, 19, 20),
    (21, 22, 23),
    (24, 25, 26, 27),
    (29, 30),
    (32, 33, 34, 35),
    (36, 37, 33),
    (38, 39),
    (40, 41, 42),
    (44, 48, 49, 50, 51),
    (52, 53, 54),
    (56, 57, 59, 60),
    (61, 62, 63),
    (64, 65, 66, 67),
    (68, 69, 70, 71),
    (72, 73, 74, 75),
    (76, 77, 78, 79),
    (80, 81, 82, 84, 85, 87),
    (88, 89, 90, 91, 92, 93, 94, 95),
)
_KEPT_CONTROLS = (1, 6, 7, 10, 11, 38, 64, 66, 67, 98, 99, 100, 101)  # not banks, nor reverb and chorus

MelodyNotes = list[tuple[float, float, float]]
"""Start and duration in seconds and MIDI pitch of each note of one voice."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A stretch of a score as it is to be played.

    start_s, length_s  of the stretch, in the score's own time; it is played `tempo` times as fast.
    transposition      in semitones, of all but the drums.
    programs           (MIDI channel, program) → the program that plays instead.
    melody_channel     what a voice may sing, or None; `melody_is_played` by its instrument too.
    """

    start_s: float
    length_s: float
    tempo: float
    transposition: int
    programs: dict[tuple[int, int], int]
    bass_channel: int | None
    melody_channel: int | None
    melody_is_played: bool

    @property
    def duration_s(self) -> float:
        return self.length_s / self.tempo


def arrange(score: Score, longest_s: float, generator: torch.Generator) -> Arrangement:
    """Draw an arrangement: a stretch where most plays, instruments, key and tempo.

    longest_s  of the result. The tempo varies by ±8 %, the key by three semitones.
    """
    tempo = 0.92 + 0.16 * _draw(generator)
    transposition = int(_draw(generator) * 7) - 3
    bass_channel = _bass_channel(score)
    start_s, length_s = _stretch(score, longest_s * tempo, bass_channel, generator)
    programs = {}
    for channel, program in sorted({(note.channel, note.program) for note in score.notes}):
        group = next((group for group in _ALIKE if program in group), (program,))
        swapped = group[int(_draw(generator) * len(group))] if _draw(generator) < 0.6 else program
        programs[channel, program] = program if channel == DRUM_CHANNEL else swapped
    notes = [note for note in score.notes if start_s <= note.start_s < start_s + length_s]
    melody = _melody_channel(notes, length_s, bass_channel)
    played = _draw(generator) < 0.3
    return Arrangement(start_s, length_s, tempo, transposition, programs, bass_channel, melody, played)


def messages(score: Score, arrangement: Arrangement, melody_is_played: bool = True) -> list[Message]:
    """What to tell the synthesizer, the drums included, with times from the stretch's start."""
    start_s, end_s = arrangement.start_s, arrangement.start_s + arrangement.length_s
    told: list[Message] = []
    programs = [0] * 16
    sounding: dict[tuple[int, int], str] = {}
    for event in score.events:
        if event.time_s >= end_s:
            break
        time_s = max(event.time_s - start_s, 0.0) / arrangement.tempo
        channel = event.channel
        pitch = event.first + (0 if channel == DRUM_CHANNEL else arrangement.transposition)
        if event.kind == 0xC:
            programs[channel] = event.first
            program = arrangement.programs.get((channel, event.first), event.first)
            told += [Message(time_s, channel, bus, "program", program) for bus in _buses(channel)]
        elif event.kind == 0x9 and event.second:
            sung = channel == arrangement.melody_channel and not melody_is_played
            if event.time_s >= start_s and 0 <= pitch < 128 and not sung:
                bus = _bus(channel, programs[channel], arrangement.bass_channel)
                sounding[channel, pitch] = bus
                told.append(Message(time_s, channel, bus, "on", pitch, event.second))
        elif event.kind in (0x8, 0x9):
            if bus := sounding.pop((channel, pitch), ""):
                told.append(Message(time_s, channel, bus, "off", pitch))
        elif event.kind == 0xB and event.first in _KEPT_CONTROLS:
            told += [
                Message(time_s, channel, b, "control", event.first, event.second) for b in _buses(channel)
            ]
        elif event.kind == 0xE:
            told += [
                Message(time_s, channel, b, "bend", event.first + 128 * event.second) for b in _buses(channel)
            ]
        elif event.kind == 0xD:
            told += [Message(time_s, channel, b, "pressure", event.first) for b in _buses(channel)]
    first = [
        Message(0.0, channel, bus, "program", arrangement.programs[channel, 0])
        for channel in range(16)
        for bus in _buses(channel)
        if (channel, 0) in arrangement.programs
    ]
    return first + told


def drum_hits(score: Score, arrangement: Arrangement) -> list[tuple[float, int, int]]:
    """Time in seconds, General MIDI drum note and velocity of each hit in the stretch."""
    return [
        ((note.start_s - arrangement.start_s) / arrangement.tempo, note.pitch, note.velocity)
        for note in score.notes
        if note.channel == DRUM_CHANNEL and 0 <= note.start_s - arrangement.start_s < arrangement.length_s
    ]


def melody_notes(score: Score, arrangement: Arrangement) -> MelodyNotes:
    """The melody channel's notes in the stretch, one at a time: the highest wins, the next cuts the last."""
    if arrangement.melody_channel is None:
        return []
    notes = [
        note
        for note in score.notes
        if note.channel == arrangement.melody_channel
        and 0 <= note.start_s - arrangement.start_s < arrangement.length_s
    ]
    return [
        (
            round((note.start_s - arrangement.start_s) / arrangement.tempo, 4),
            round(duration_s / arrangement.tempo, 4),
            float(note.pitch + arrangement.transposition),
        )
        for note, duration_s in _one_at_a_time(notes)
        if duration_s / arrangement.tempo >= 0.05
    ]


def _draw(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def _buses(channel: int) -> tuple[str, ...]:
    return ("drums",) if channel == DRUM_CHANNEL else ("drums", "bass", "other")


def _bus(channel: int, program: int, bass_channel: int | None) -> str:
    if channel == DRUM_CHANNEL or program in _DRUM_PROGRAMS:
        return "drums"
    return "bass" if program in _BASS_PROGRAMS or channel == bass_channel else "other"


def _bass_channel(score: Score) -> int | None:
    """Where no bass instrument plays, the lowest channel, if it is low and plays a good part."""
    pitched = [note for note in score.notes if note.channel != DRUM_CHANNEL]
    if any(note.program in _BASS_PROGRAMS for note in pitched):
        return None
    counts = Counter(note.channel for note in pitched)
    lows = {
        channel: median(note.pitch for note in pitched if note.channel == channel)
        for channel, count in counts.items()
        if count >= 0.05 * len(pitched)
    }
    if len(lows) < 2:
        return None
    lowest = min(lows, key=lambda channel: lows[channel])
    return lowest if lows[lowest] < 50 else None


def _stretch(
    score: Score, longest_s: float, bass_channel: int | None, generator: torch.Generator
) -> tuple[float, float]:
    """Start and length of one of the stretches in which most buses play most of the time."""
    first_s = min((note.start_s for note in score.notes), default=0.0)
    seconds = max(int(score.duration_s - first_s), 1)
    if seconds <= longest_s:
        return max(first_s - 0.05, 0.0), score.duration_s - first_s + 0.5
    active: dict[str, torch.Tensor] = defaultdict(lambda: torch.zeros(seconds + 1))
    for note in score.notes:
        bus = _bus(note.channel, note.program, bass_channel)
        start = int(note.start_s - first_s)
        active[bus][start : max(start + 1, int(note.start_s - first_s + min(note.duration_s, 8.0)))] = 1
    window = int(longest_s)
    played = torch.stack([flags.unfold(0, window, 1).mean(-1) for flags in active.values()])
    worth = played.mean(0) + played.amin(0)
    good = (worth >= worth.max() - 0.25).nonzero().flatten()
    start = int(good[int(_draw(generator) * len(good))])
    return first_s + max(start - 0.05, 0.0), longest_s


def _melody_channel(notes: list[Note], length_s: float, bass_channel: int | None) -> int | None:
    """The channel most like a sung melody: one note at a time, in a voice's range, for much of the time."""
    best: tuple[float, int] | None = None
    for channel in sorted({note.channel for note in notes} - {DRUM_CHANNEL, bass_channel}):
        own = [note for note in notes if note.channel == channel]
        if any(_bus(channel, note.program, bass_channel) != "other" for note in own):
            continue
        line = _one_at_a_time(own)
        alone = len({round(note.start_s, 2) for note in own}) / len(own)
        coverage = sum(duration_s for _, duration_s in line) / length_s
        pace = len(line) / length_s
        height = median(note.pitch for note in own)
        variety = len({note.pitch for note in own})
        if alone < 0.75 or coverage < 0.2 or not 0.3 <= pace <= 6 or not 48 <= height <= 88 or variety < 4:
            continue
        worth = alone + min(coverage, 0.7) + 0.02 * (height - 60) - 0.1 * abs(pace - 2)
        if best is None or worth > best[0]:
            best = (worth, channel)
    return None if best is None else best[1]


def _one_at_a_time(notes: list[Note]) -> list[tuple[Note, float]]:
    """Notes and durations of a single line: of notes that start together the highest, cut by the next."""
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start_s, -note.pitch)):
        if not line or note.start_s - line[-1].start_s > 0.03:
            line.append(note)
    ends = [following.start_s for following in line[1:]] + [float("inf")]
    return [(note, min(note.duration_s, end - note.start_s)) for note, end in zip(line, ends, strict=True)]
