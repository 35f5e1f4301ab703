"""Sounds and a transfer for the report's tests: small, made here, alike at every run."""

from __future__ import annotations

import math

import torch

from styletransfer.audio import STEMS, Audio
from styletransfer.converter.console import MASTER, STRIP, neutral
from styletransfer.document import Asked, Console, Document, Figures, Gate, Referred, SeparatorUsed, Warned
from styletransfer.encoder.measures import measure
from styletransfer.mixdown import master_bus, meter_of, mix_bus
from styletransfer.result import Result
from styletransfer.sources import Song

HOSTILE = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)> $\\frac{a}{b}$ {{ 7*7 }} Ünï.wav"


def noise(seconds: float, level_db: float, *, rate: int = 44_100, channels: int = 2, seed: int = 0) -> Audio:
    """White noise with a slow swell, at about an RMS level in dBFS."""
    frames = round(seconds * rate)
    generator = torch.Generator().manual_seed(seed)
    swell = 0.6 + 0.4 * torch.sin(torch.arange(frames) / rate * 2 * math.pi * 0.7)
    return Audio(10 ** (level_db / 20) * swell * torch.randn(channels, frames, generator=generator), rate)


def song_of(audio: Audio, name: str) -> Song:
    return Song(audio, name, "0" * 64)


def transferred(name: str = "song.wav", seconds: float = 4.0) -> Result:
    """A result as the pipeline makes them, with every kind of stage at work, without separating anything."""
    stems = {stem: noise(seconds, -24, seed=number) for number, stem in enumerate(STEMS)}
    theirs = {stem: noise(seconds + 1, -18, seed=10 + number) for number, stem in enumerate(STEMS)}
    mix = Audio(sum((s.samples for s in stems.values()), torch.zeros(())), 44_100)
    reference = Audio(sum((s.samples for s in theirs.values()), torch.zeros(())), 44_100)
    strips = {stem: neutral(STRIP) for stem in STEMS}
    strips["drums"]["compressor"] |= {"threshold_db": -30.0, "ratio": 4.0, "makeup_db": 2.0}
    strips["drums"]["eq"]["peak_2_gain_db"] = 6.0
    strips["bass"]["side_eq"]["high_shelf_gain_db"] = -5.0
    strips["bass"]["gain"]["gain_db"] = 3.0
    strips["other"]["expander"] |= {"threshold_db": -20.0, "ratio": 2.0}
    strips["other"]["reverb"]["wet"] = 0.3
    master = neutral(MASTER)
    master["eq"]["peak_3_gain_db"] = -2.0
    master["width"]["width"] = 1.4
    finished = master_bus(mix_bus(mix, stems, strips), master)
    measured = [measure(sound.samples, sound.rate) for sound in (mix, finished, reference)]
    figures = [
        Figures.of(meter_of(sound), found, {})
        for sound, found in zip((mix, finished, reference), measured, strict=True)
    ]
    facts = {"name": name, "sha256": "0" * 64, "rate": 44_100, "channels": 2, "frames": mix.frames}
    document = Document(
        input=facts,
        references=[Referred(**facts)],
        separator=SeparatorUsed(name="builtin", fingerprint="test"),
        asked=Asked(amount=1),
        console=Console(**strips, master=master),
        gate=Gate(distance_input=1, distance_full=1, distance_kept=1, amounts={}),
        before=figures[0],
        after=figures[1],
        reference_figures=figures[2],
        warnings=[Warned(code="stem-absent", message=f"nothing in {name}", strip="vocals")],
    )
    return Result(
        mix=finished,
        document=document,
        song=song_of(mix, name),
        reference=song_of(reference, name),
        dry_stems=stems,
        reference_stems=theirs,
        unchanged=False,
    )
