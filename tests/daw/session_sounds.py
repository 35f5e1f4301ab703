"""A result to export, made without a separator, and REAPER's arithmetic to play a session with."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import rpp
import torch
from eel2 import Effect
from torch import Tensor

from styletransfer import STEMS, mixdown
from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import MASTER, STRIP, Settings, neutral
from styletransfer.document import Console, Document, SeparatorUsed
from styletransfer.files import read
from styletransfer.result import Result, result_of, source_of
from styletransfer.sources import Song

RATE = 44100


def stems_of(seconds: float = 0.4, rate: int = RATE) -> Stems:
    """Four different sounds in stereo: bursts, a low tone, a wide chord, a wavering tone."""
    generator = torch.Generator().manual_seed(1)
    time_s = torch.arange(round(rate * seconds)) / rate
    noise = torch.randn(2, len(time_s), generator=generator)
    low = torch.sin(2 * math.pi * 70 * time_s)
    voice = torch.sin(2 * math.pi * 600 * time_s + 3 * torch.sin(2 * math.pi * 6 * time_s))
    chords = [
        sum(torch.sin(2 * math.pi * f * time_s) for f in side)
        for side in ((220, 331, 1760), (222, 440, 2640))
    ]
    sounds = {
        "drums": 0.2 * noise * torch.exp(-15 * (time_s * 6 % 1)),
        "bass": 0.3 * torch.stack((low, low)),
        "other": 0.08 * torch.stack([torch.as_tensor(chord) for chord in chords]),
        "vocals": 0.2 * torch.stack((voice, 0.8 * voice)) * (0.3 + 0.7 * (time_s * 3 % 1)),
    }
    return {name: Audio(sounds[name].float(), rate) for name in STEMS}


def song_of(stems: Stems, rate: int = RATE, name: str = "song.wav") -> Song:
    """The stems' sum at some rate, with a little that no stem has."""
    stem = next(iter(stems.values()))
    samples = (
        Audio(torch.stack([sound.samples for sound in stems.values()]).sum(0), stem.rate)
        .at_rate(rate)
        .samples
    )
    hiss = 0.01 * torch.randn(samples.shape, generator=torch.Generator().manual_seed(2))
    return Song(Audio(samples + hiss, rate), name, "0" * 64)


def moved() -> tuple[dict[str, Settings], Settings]:
    """Strips and master with every stage turned somewhere, but no reverb."""
    strips = {name: neutral(STRIP) for name in STEMS}
    strips["drums"]["eq"] |= {"low_shelf_gain_db": 4.0, "high_shelf_gain_db": -6.0}
    strips["drums"]["compressor"] |= {"threshold_db": -25.0, "ratio": 3.0, "makeup_db": 4.0}
    strips["drums"]["width"]["width"] = 1.6
    strips["bass"]["expander"] |= {"threshold_db": -12.0, "ratio": 2.0}
    strips["bass"]["gain"]["gain_db"] = -5.0
    strips["other"]["side_eq"] |= {"peak_2_gain_db": 6.0}
    strips["other"]["balance"]["balance"] = 0.35
    strips["vocals"]["saturation"]["drive_db"] = 9.0
    strips["vocals"]["balance"]["balance"] = -0.2
    strips["vocals"]["gain"]["gain_db"] = 3.0
    master = neutral(MASTER)
    master["eq"] |= {"peak_3_gain_db": -3.0, "high_shelf_gain_db": 3.0}
    master["side_eq"] |= {"peak_5_gain_db": 4.0}
    master["compressor"] |= {"threshold_db": -14.0, "ratio": 1.8}
    master["width"]["width"] = 1.2
    master["balance"]["balance"] = 0.1
    master["gain"]["gain_db"] = 5.0
    master["limiter"]["ceiling_db"] = -3.0
    return strips, master


def result_from(
    song: Song,
    stems: Stems,
    strips: dict[str, Settings] | None = None,
    master: Settings | None = None,
    reference: Song | None = None,
) -> Result:
    """What `transfer` gives for these settings."""
    strips = strips or {name: neutral(STRIP) for name in STEMS}
    master = master or neutral(MASTER)
    bus = mixdown.master_bus(mixdown.mix_bus(song.audio, stems, strips), master)
    audio = mixdown.apply_level(bus, master["gain"]["gain_db"], **master["limiter"])
    document = Document(
        input=source_of(song),
        separator=SeparatorUsed(name="builtin", fingerprint="none"),
        console=Console(**strips, master=master),
    )
    return result_of(audio, document, song, stems, reference=reference)


def residual_db(found: Tensor, wanted: Tensor) -> float:
    """How far two sounds (2, time) are apart, below the wanted one."""
    error = (found.double() - wanted.double()).square().mean()
    return 10 * math.log10(float(error / wanted.double().square().mean()) + 1e-30)


def fields(element: Any, name: str) -> list[str]:
    """What stands behind a name in a part of a REAPER project."""
    return list(element.find(name)[1:])


def panned(samples: Tensor, fader: float, pan: float) -> Tensor:
    """REAPER's fader and pan of a stereo track: a balance that turns one side down (pan law 0 dB)."""
    return samples * fader * torch.tensor([[1 - max(0.0, pan)], [1 - max(0.0, -pan)]], dtype=samples.dtype)


def played(project: Path, bypass: bool = False) -> Tensor:
    """A REAPER project's master output (2, time), its effects run from the sources beside it.

    bypass   without effects: those that are live, and reverbs that are rendered on tracks of their own.
    """
    root = rpp.loads(project.read_text(encoding="utf-8"))
    rate = int(fields(root, "SAMPLERATE")[0])
    assert fields(root, "PANLAW") == ["1"]
    bus: Tensor | float = 0.0
    for track in root.findall("TRACK"):
        if fields(track, "MUTESOLO")[0] == "1":
            continue
        if bypass and fields(track, "NAME")[0].endswith(" reverb"):
            continue
        item = track.find("ITEM")
        sound = read(project.parent / fields(item.find("SOURCE"), "FILE")[0])
        assert (sound.rate, fields(item, "POSITION")) == (rate, ["0"])
        assert float(fields(item, "LENGTH")[0]) == sound.frames / rate or rate == 48000
        samples = sound.samples.double()
        fader, pan = (1.0, 0.0) if bypass else (float(value) for value in fields(track, "VOLPAN")[:2])
        if not bypass:
            samples = _through(track.find("FXCHAIN"), samples, rate, project.parent)
        bus = bus + panned(samples, fader, pan)
    assert isinstance(bus, Tensor)
    return bus if bypass else _through(root.find("MASTERFXLIST"), bus, rate, project.parent)


def _through(chain: Any, samples: Tensor, rate: int, folder: Path) -> Tensor:
    frames = samples.shape[-1]
    samples = torch.nn.functional.pad(samples, (0, rate // 10))  # effects die away
    for effect in [] if chain is None else chain.findall("JS"):
        source = Effect((folder / "Effects" / effect.attrib[0]).read_text(encoding="utf-8"))
        values = [float(value) for value in effect.children[0] if value != "-"]
        assert len(effect.children[0]) == 64
        samples = source.render(samples, rate, values)
    return samples[..., :frames]
