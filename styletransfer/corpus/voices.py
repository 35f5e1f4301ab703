"""Who sings a melody? A speaker of the right split is drawn and sings it phrase by phrase, maybe not alone.

Singers(cache, "train").sing([(0.0, 0.5, 69), (0.5, 1.0, 72)], duration_s=3.0, generator=generator)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import singing, speech, voiceprint
from .folder import RATE
from .singing import Manner, Note
from .speech import Speaker
from .split import split_of
from .voiceprint import Array, Voice

FORMAT = 4
"""Of the analyses in the cache; another number, and they are made anew."""

FEWEST = 8
"""Syllables without which a voice doesn't sing."""
LONGEST_PHRASE_S = 7.0
BREAK_S = 0.35
LEVEL_DBFS = -20.0
"""Root mean square of a song's sung passages."""
PEAK = 0.89


class Singers:
    """The voices of one split. Packages and WORLD's analyses are kept in `cache`.

    ResourceError, when singing, where pyworld, a package or apt-get is missing.
    """

    def __init__(self, cache: Path, split: str) -> None:
        self.cache = Path(cache)
        self.speakers = tuple(
            speaker for speaker in speech.speakers() if split_of(f"voice:{speaker.person}") == split
        )
        if not self.speakers:
            raise ValueError(f"no voice is in the split {split!r}")
        self._voices: dict[str, Voice | None] = {}

    def sing(
        self, notes: Sequence[Note], duration_s: float, generator: torch.Generator
    ) -> tuple[Tensor, list[str]]:
        """A melody sung without effects: (2, frames) float32 at 44.1 kHz, and its sources, as `voice:name`.

        notes       (start and duration in seconds, MIDI pitch); where they overlap, the highest is sung.
                    The melody is moved by octaves into the singer's range.
        duration_s  how long the sound is; what would sound beyond it is cut.
        Silence and no sources without any note.
        """
        line = melody(notes, duration_s)
        frames = round(duration_s * RATE)
        sound = np.zeros((2, frames))
        if not line:
            return torch.zeros(2, frames), []
        random = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        speaker, voice = self._drawn(random)
        line = in_range(line, voice.pitch)
        manner = _manner(random)
        lyrics = _Lyrics(voice, random)
        plan = random.choice(("alone", "doubled", "harmony"), p=(0.6, 0.2, 0.2))
        for phrase in phrases(line):
            words = lyrics.set(phrase)
            sung, begin_s = singing.sing(voice, phrase, words, manner, random)
            _add(sound, sung, begin_s, (1.0, 1.0))
            if begin_s > 0.6 and random.uniform() < 0.4:
                air = singing.breath(voice, random.uniform(0.25, 0.45), random)
                _add(sound, air, begin_s - len(air) / RATE, (1.0, 1.0), only_where_silent=True)
            if plan != "alone" and random.uniform() < 0.5:
                for side in (0, 1):
                    part = harmony(phrase, line, 2 if side else -3) if plan == "harmony" else phrase
                    sung, begin_s = singing.sing(voice, part, words, _twin(manner, random), random)
                    gain = 10 ** (random.uniform(-10, -6) / 20)
                    _add(sound, sung, begin_s, (gain, 0.25 * gain) if side else (0.25 * gain, gain))
        return torch.from_numpy(_levelled(sound)).float(), [f"voice:{speaker.name}"]

    def credits(self, sources: Sequence[str]) -> list[tuple[str, str]]:
        """(package, licence) of sources that `sing` named."""
        named = {f"voice:{speaker.name}": speaker for speaker in speech.speakers()}
        return [(named[name].package, speech.licence(named[name], self.cache)) for name in sources]

    def voice(self, speaker: Speaker) -> Voice | None:
        """What WORLD found in a speaker's clips, analysed once (some 10 s); None where they are too few."""
        if speaker.name not in self._voices:
            path = self.cache / "voices" / str(FORMAT) / f"{speaker.name.replace('/', '-')}.npz"
            if not path.is_file():
                self._analyse(speaker, path)
            voice = voiceprint.load(path)
            self._voices[speaker.name] = voice if voice and len(voice.syllables) >= FEWEST else None
        return self._voices[speaker.name]

    def _analyse(self, speaker: Speaker, path: Path) -> None:
        """Write the analysis of a speaker's clips; processes that want the same one wait for each other."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.parent / ".packages"):
            speech.fetch(speaker, self.cache)
        with _alone(path.with_suffix(".lock")):
            if not path.is_file():
                voiceprint.save(voiceprint.analyse(speech.clips(speaker, self.cache)), path)

    def _drawn(self, random: np.random.Generator) -> tuple[Speaker, Voice]:
        for index in random.permutation(len(self.speakers)):
            if (voice := self.voice(self.speakers[index])) is not None:
                return self.speakers[index], voice
        raise ValueError("none of the voices has enough syllables")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """While one process is inside, others that name the same file wait."""
    import fcntl

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def melody(notes: Sequence[Note], duration_s: float) -> list[Note]:
    """One note at a time, the highest where several sound, none shorter than 80 ms or past the end."""
    line: list[Note] = []
    for start_s, length_s, pitch in sorted(notes, key=lambda note: (note[0], -note[2])):
        length_s = min(length_s, duration_s - 0.05 - start_s)
        if start_s < 0 or length_s < 0.08:
            continue
        if line and start_s < line[-1][0] + line[-1][1]:
            before = line[-1]
            if pitch < before[2] or start_s - before[0] < 0.08:
                continue
            line[-1] = (before[0], start_s - before[0], before[2])
        line.append((start_s, length_s, float(pitch)))
    return line


def in_range(line: Sequence[Note], speech_pitch: float) -> list[Note]:
    """The melody moved by octaves to where someone who speaks at that MIDI pitch sings: 4 below to 14 above.

    The whole moves together; only notes that would lie outside are folded on their own.
    """
    low, high = speech_pitch - 4, speech_pitch + 14
    pitches = np.array([pitch for *_, pitch in line])
    lengths = np.array([length_s for _, length_s, _ in line])

    def misfit(octaves: int) -> float:
        moved = pitches + 12 * octaves
        outside = np.clip(low - moved, 0, None) + np.clip(moved - high, 0, None)
        return float((lengths * (outside + 0.1 * np.abs(moved - speech_pitch - 4))).sum())

    moved = pitches + 12 * min(range(-6, 7), key=misfit)
    moved -= 12 * np.ceil(np.clip(moved - high, 0, None) / 12)
    moved += 12 * np.ceil(np.clip(low - moved, 0, None) / 12)
    return [
        (start_s, length_s, float(pitch)) for (start_s, length_s, _), pitch in zip(line, moved, strict=True)
    ]


def phrases(line: Sequence[Note]) -> list[list[Note]]:
    """A melody cut where it rests, and after a long note once a phrase lasts; that note is then shorter."""
    found: list[list[Note]] = [[line[0]]]
    for note in line[1:]:
        phrase = found[-1]
        start_s, length_s, pitch = phrase[-1]
        lasted_s = note[0] - phrase[0][0]
        if note[0] - start_s - length_s > BREAK_S:
            found.append([note])
        elif lasted_s > LONGEST_PHRASE_S or (lasted_s > LONGEST_PHRASE_S / 2 and length_s > 0.6):
            phrase[-1] = (start_s, max(0.6 * length_s, length_s - 0.35), pitch)
            found.append([note])
        else:
            phrase.append(note)
    return found


def harmony(phrase: Sequence[Note], line: Sequence[Note], steps: int) -> list[Note]:
    """The phrase some steps of the melody's scale higher: of the major scale that fits most of it."""
    classes = np.zeros(12)
    for _, length_s, pitch in line:
        classes[round(pitch) % 12] += length_s
    major = np.array((0, 2, 4, 5, 7, 9, 11))
    tonic = max(range(12), key=lambda key: classes[(major + key) % 12].sum())
    scale = np.concatenate([major + tonic + 12 * octave for octave in range(-2, 12)])
    return [
        (start_s, length_s, float(scale[int(np.abs(scale - pitch).argmin()) + steps]))
        for start_s, length_s, pitch in phrase
    ]


class _Lyrics:
    """Syllables for notes: words in random order, each sung to its end where the phrase lasts."""

    def __init__(self, voice: Voice, random: np.random.Generator) -> None:
        self._random = random
        self._words = [np.flatnonzero(voice.words == word) for word in np.unique(voice.words)]
        self._order: list[int] = []

    def set(self, phrase: Sequence[Note]) -> list[int]:
        """A syllable's row per note; −1 where a note goes on with the syllable before it."""
        rows: list[int] = []
        waiting: list[int] = []
        for index, (start_s, length_s, _) in enumerate(phrase):
            joined = index > 0 and start_s - sum(phrase[index - 1][:2]) < 0.08
            short = index > 0 and min(length_s, phrase[index - 1][1]) < 0.11
            if joined and (short or self._random.uniform() < 0.1):
                rows.append(-1)
                continue
            if not waiting:
                if not self._order:
                    self._order = list(self._random.permutation(len(self._words)))
                waiting = list(self._words[self._order.pop()])
            rows.append(int(waiting.pop(0)))
        return rows


def _manner(random: np.random.Generator) -> Manner:
    return Manner(
        formants=float(np.exp(random.normal(0, 0.04))),
        vibrato_hz=random.uniform(4.8, 6.3),
        vibrato_cents=random.uniform(5, 32),
        drift_cents=random.uniform(4, 9),
        glide_s=random.uniform(0.04, 0.11),
        late_s=random.uniform(-0.01, 0.02),
    )


def _twin(manner: Manner, random: np.random.Generator) -> Manner:
    """Someone singing along: a little later or earlier, of another build."""
    return replace(
        manner,
        formants=manner.formants * float(np.exp(random.normal(0, 0.03))),
        vibrato_hz=manner.vibrato_hz * random.uniform(0.95, 1.05),
        late_s=manner.late_s + random.uniform(-0.015, 0.03),
    )


def _add(
    sound: Array, part: Array, begin_s: float, gains: tuple[float, float], only_where_silent: bool = False
) -> None:
    """Add a mono part to (2, frames), in place, from a time on; what lies outside is cut."""
    begin = round(begin_s * RATE)
    part = part[max(-begin, 0) :]
    begin = max(begin, 0)
    part = part[: sound.shape[1] - begin]
    here = sound[:, begin : begin + len(part)]
    if only_where_silent and np.abs(here).max(initial=0) > 1e-3:
        return
    here += np.array(gains)[:, None] * part


def _levelled(sound: Array) -> Array:
    """At LEVEL_DBFS where it sounds, its peaks within PEAK, without what is below 60 Hz, faded at the end."""
    from scipy.signal import butter, sosfilt

    sound = sosfilt(butter(2, 60, "highpass", fs=RATE, output="sos"), sound)
    hop = RATE // 20
    power = np.square(sound[:, : sound.shape[1] // hop * hop]).reshape(2, -1, hop).mean((0, 2))
    active = power[power > 1e-4 * power.max(initial=0)]
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(active.mean()) if len(active) else 1.0
    gain = min(gain, PEAK / max(float(np.abs(sound).max()), 1e-9))
    fade = min(RATE // 50, sound.shape[1])
    sound[:, sound.shape[1] - fade :] *= np.linspace(1, 0, fade)
    return gain * sound
