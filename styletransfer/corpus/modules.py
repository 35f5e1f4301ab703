"""Which of a module's instruments are drums, bass, other? Its stems, told apart by name, sound and use."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from styletransfer.errors import AudioError

from .arrangement import MelodyNotes
from .folder import RATE
from .openmpt import Module

_DRUM_NAMES = re.compile(
    r"kick|snare|snr|hi-?hat|h\.?hat|\bc?hh\b|\bhat|cymb|crash|\bride|\btoms?\b|clap|perc|drum|conga|bongo|shaker"
    r"|tamb|rim ?shot|cowb|\bbd\b|\bsd\b|\bbdrum|\b[79]0[89]\b|break ?beat|maraca|timbale"
)
_BASS_NAMES = re.compile(r"\bbass?(?!\s*-?dr)|bassl|slap ?b|b-?line|\w+bass\b")
_LOOK_RATE = 22_050
_FFT = 1024

Strike = tuple[float, int, int]
"""Second, instrument and note number."""


@dataclass(frozen=True, slots=True)
class ModuleSong:
    """A rendered stretch: stems (2, frames) at 44.1 kHz, what a voice may sing, the title it gives itself."""

    stems: dict[str, Tensor]
    melody: MelodyNotes
    title: str


@dataclass(frozen=True, slots=True)
class Look:
    """How an instrument sounds by itself.

    low_share   of its energy below 200 Hz; flatness of its spectrum (noise 0.5, a tone 0.001).
    decay_s     until a strike has fallen by 20 dB, or the next comes; strikes and distinct notes counted.
    """

    energy: float
    low_share: float
    flatness: float
    decay_s: float
    strikes: int
    notes: int


def render(content: bytes, longest_s: float, generator: torch.Generator) -> ModuleSong:
    """A stretch of a module in which most of its instruments play, as stems that sum to its mix.

    Its tempo varies by ±6 %, its pitch by two semitones, the width of its channels as players set it.
    AudioError where it is no module, or has no stretch of 10 s with two stems.
    """
    tempo = 0.94 + 0.12 * float(torch.rand((), generator=generator))
    pitch = 2 ** ((int(torch.randint(5, (), generator=generator)) - 2) / 12)
    separation = 25 + int(torch.randint(50, (), generator=generator))
    with Module(content) as module:
        title, names, duration_s = module.title, module.names, module.duration_s
        strikes = module.strikes(0.0, min(duration_s, 900.0))
    start_s, length_s = _stretch(strikes, min(duration_s, 900.0), longest_s * tempo, generator)
    within = [
        ((time_s - start_s) / tempo, instrument, note)
        for time_s, instrument, note in strikes
        if start_s <= time_s < start_s + length_s and instrument < len(names)
    ]

    def play(instruments: Sequence[int], rate: int, interpolation: int) -> Tensor:
        with Module(content) as module:
            module.set_up(separation_percent=separation, tempo=tempo, pitch=pitch)
            module.play_only(instruments)
            return module.render(rate, start_s, length_s / tempo, interpolation)

    groups: dict[str, list[int]] = defaultdict(list)
    leads: list[tuple[float, MelodyNotes]] = []
    for instrument in range(len(names)):
        # all are heard, since a note may have been struck before the stretch, or by name of another sample
        own = [strike for strike in within if strike[1] == instrument]
        alone = play([instrument], _LOOK_RATE, 2)
        look = listen(alone, own)
        if look.energy < 1e-9:
            continue
        stem = classify(names[instrument], look)
        groups[stem].append(instrument)
        if stem == "other" and (line := _sung_line(alone, own)):
            leads.append((look.energy * len(line), line))
    stems = {stem: play(instruments, RATE, 8) for stem, instruments in sorted(groups.items())}
    frames = min((samples.shape[1] for samples in stems.values()), default=0)
    stems = {
        stem: samples[:, :frames] for stem, samples in stems.items() if samples[:, :frames].abs().max() > 1e-3
    }
    if len(stems) < 2 or frames < 10 * RATE:
        raise AudioError("this module has no stretch of 10 s with two stems")
    melody = max(leads, key=lambda lead: lead[0])[1] if leads else []
    return ModuleSong(stems, melody, title)


def classify(name: str, look: Look) -> str:
    """drums, bass or other: by name where it tells, else by sound and use."""
    name = name.lower()
    if _DRUM_NAMES.search(name):
        return "drums"
    if _BASS_NAMES.search(name):
        return "bass"
    same_notes = look.notes <= 2 or look.strikes / look.notes > 25
    if same_notes and look.flatness > 0.06:
        return "drums"
    if look.notes <= 2 and look.decay_s < 0.35 and look.strikes >= 4:
        return "drums"
    if look.flatness > 0.2:
        return "drums"
    return "bass" if look.low_share > 0.55 and look.notes > 1 else "other"


def listen(samples: Tensor, strikes: Sequence[Strike]) -> Look:
    """What is to be heard of one instrument alone, (2, frames) at 22.05 kHz, and its strikes."""
    mono = samples.mean(0)
    if mono.numel() < 2 * _FFT or float(mono.square().mean()) < 1e-9:
        return Look(0.0, 0.0, 0.0, 0.0, len(strikes), 1)
    frames = mono.unfold(0, _FFT, _FFT) * torch.hann_window(_FFT)
    power = torch.fft.rfft(frames).abs().square() + 1e-12
    hertz = torch.fft.rfftfreq(_FFT, 1 / _LOOK_RATE)
    band = power[:, (hertz > 150) & (hertz < 9000)]
    weight = power.sum(1)
    flatness = (band.log().mean(1).exp() / band.mean(1) * weight).sum() / weight.sum()
    hop = _LOOK_RATE // 100
    envelope = mono.unfold(0, hop, hop).square().mean(1)
    decays = []
    ends = [*(strike[0] for strike in strikes[1:]), 1e9]
    for (time_s, _, _), end_s in list(zip(strikes, ends, strict=False))[:80]:
        stretch = envelope[round(100 * time_s) : round(100 * min(end_s, time_s + 1.5))]
        if len(stretch) > 1 and float(stretch.max()) > 1e-8:
            peak = int(stretch.argmax())
            below = (stretch[peak:] < 0.01 * stretch[peak]).nonzero()
            decays.append((int(below[0]) if len(below) else len(stretch)) / 100)
    return Look(
        energy=float(mono.square().mean()),
        low_share=float(power[:, hertz < 200].sum() / power.sum()),
        flatness=float(flatness),
        decay_s=median(decays) if decays else 1.5,
        strikes=max(len(strikes), 1),
        notes=max(len({note for _, _, note in strikes}), 1),
    )


def _stretch(
    strikes: Sequence[Strike], duration_s: float, longest_s: float, generator: torch.Generator
) -> tuple[float, float]:
    """Start and length of one of the stretches in which most instruments are struck."""
    seconds = int(duration_s)
    if duration_s <= longest_s or seconds <= longest_s:
        return 0.0, duration_s
    active: dict[int, Tensor] = defaultdict(lambda: torch.zeros(seconds + 1))
    for time_s, instrument, _ in strikes:
        active[instrument][int(time_s) : int(time_s) + 2] = 1
    if not active:
        return 0.0, longest_s
    played = sum(flags[:seconds].unfold(0, int(longest_s), 1).mean(-1) for flags in active.values())
    assert isinstance(played, Tensor)
    good = (played >= 0.85 * played.max()).nonzero().flatten()
    return float(good[int(torch.randint(len(good), (), generator=generator))]), longest_s


def _sung_line(alone: Tensor, strikes: Sequence[Strike]) -> MelodyNotes:
    """An instrument's strikes as a melody, if it is one line and its sample has a clear pitch; else none.

    What pitch a note number sounds is taken from the sound: the median over the strikes.
    """
    line: list[Strike] = []
    for strike in sorted(strikes, key=lambda strike: (strike[0], -strike[2])):
        if not line or strike[0] - line[-1][0] > 0.04:
            line.append(strike)
    if len(line) < 12 or len(line) < 0.7 * len(strikes) or len({note for _, _, note in line}) < 4:
        return []
    ends = [strike[0] for strike in line[1:]] + [line[-1][0] + 1]
    mono = alone.mean(0)
    offsets = []
    for (time_s, _, note), end_s in list(zip(line, ends, strict=True))[:40]:
        if end_s - time_s > 0.1:
            start = round((time_s + 0.03) * _LOOK_RATE)
            pitch = pitch_of(mono[start : start + 2048], _LOOK_RATE)
            if pitch is not None:
                offsets.append(pitch - note)
    if len(offsets) < 6:
        return []
    offset = median(offsets)
    if sum(abs(value - offset) < 0.5 for value in offsets) < 0.6 * len(offsets):
        return []
    return [
        (round(time_s, 4), round(min(end_s - time_s, 1.2), 4), note + offset)
        for (time_s, _, note), end_s in zip(line, ends, strict=True)
        if end_s - time_s >= 0.05 and 24 <= note + offset <= 108
    ]


def pitch_of(samples: Tensor, rate: int) -> float | None:
    """The MIDI pitch (with fractions) of a short mono excerpt (time,), by autocorrelation; None if unclear.

    Source: the first peak of the normalized autocorrelation above 0.8, from 60 to 1,500 Hz.
    """
    if len(samples) < 1024 or float(samples.square().mean()) < 1e-8:
        return None
    samples = samples - samples.mean()
    size = 2 * len(samples)
    correlation = torch.fft.irfft(torch.fft.rfft(samples, size).abs().square())[: len(samples)]
    correlation = correlation / correlation[0] * len(samples) / (len(samples) - torch.arange(len(samples)))
    least, most = int(rate / 1500), min(int(rate / 60), len(samples) // 2)
    middle = correlation[least:most]
    peaks = (middle > correlation[least - 1 : most - 1]) & (middle >= correlation[least + 1 : most + 1])
    clear = (peaks & (middle > 0.8)).nonzero().flatten()
    if not len(clear):
        return None
    lag = least + int(clear[0])
    before, at, after = (float(correlation[lag + step]) for step in (-1, 0, 1))
    lag_exact = lag + 0.5 * (before - after) / (before - 2 * at + after - 1e-12)
    return float(69 + 12 * torch.log2(torch.tensor(rate / lag_exact / 440)))
