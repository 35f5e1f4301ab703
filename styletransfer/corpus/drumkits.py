"""How do the drums sound on a recorded kit? Hydrogen's drum kits, played hit by hit.

Source: the drumkit.xml of Hydrogen 1.x (instruments, velocity layers, pan); General MIDI's percussion map.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.errors import AudioError

from .folder import RATE

_PARTS: tuple[tuple[str, str, tuple[int, ...], tuple[str, ...]], ...] = (
    # part, what its names say, General MIDI notes, what may stand in
    ("kick", r"kick|bass ?drum", (35, 36), ()),
    ("stick", r"stick|rim ?click", (37,), ("rim", "clap", "snare")),
    ("clap", r"clap", (39,), ("snare",)),
    ("rim", r"rim ?shot", (), ("snare",)),
    ("snare", r"snare", (38, 40), ()),
    ("pedal hat", r"pedal|hat.* pd", (44,), ("closed hat",)),
    ("open hat", r"open(ed)? ?h|h(at|h).* op|hat.*open|hat op|side ohh", (46,), ("closed hat",)),
    ("closed hat", r"hat|closed hh|side hh", (42,), ()),
    ("bell", r"ride.?(bell|cup)|paiste bell", (53,), ("ride",)),
    ("ride", r"ride|cymbal 1", (51, 59), ("closed hat",)),
    ("crash", r"crash|splash|cymbal", (49, 52, 55, 57), ("open hat",)),
    ("low tom", r"tom.*(low|floor)|(low|floor).* tom|drum 1", (41, 43), ("middle tom", "high tom")),
    ("high tom", r"tom.*hi|hi.* tom|tom 1", (48, 50), ("middle tom", "low tom")),
    ("middle tom", r"tom|drum 2", (45, 47), ("low tom", "high tom")),
    ("cowbell", r"cowbell", (56,), ("bell",)),
    ("shaker", r"tambourine|maraca|shaker", (54, 69, 70, 82), ("closed hat",)),
)
_HATS = ("closed hat", "pedal hat", "open hat")


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A recording for velocities from `least` to `most` (0 to 1)."""

    least: float
    most: float
    gain: float
    samples: Tensor  # (2, time) at 44.1 kHz


@dataclass(frozen=True, slots=True, eq=False)
class Kit:
    """A drum kit: part → instruments of that kind, each a choice of layers."""

    name: str
    parts: dict[str, tuple[tuple[Layer, ...], ...]]


@lru_cache(maxsize=2)
def read_kit(folder: Path) -> Kit:
    """The kit in a folder with `drumkit.xml`. AudioError where it is damaged or lacks kick, snare or hat."""
    try:
        root = ElementTree.fromstring(
            re.sub(r' xmlns="[^"]+"', "", (folder / "drumkit.xml").read_text("utf-8"))
        )
    except (OSError, ElementTree.ParseError, UnicodeDecodeError) as error:
        raise AudioError(
            f"the drum kit in {folder} can't be read ({error}); fetch its package again"
        ) from error
    parts: dict[str, list[tuple[Layer, ...]]] = {}
    for instrument in root.iter("instrument"):
        name = (instrument.findtext("name") or "").lower()
        part = next((part for part, pattern, _, _ in _PARTS if re.search(pattern, name)), None)
        layers = _layers(instrument, folder) if part else ()
        if part and layers:
            parts.setdefault(part, []).append(layers)
    if not {"kick", "snare", "closed hat"} <= parts.keys():
        raise AudioError(f"the drum kit in {folder} has no kick, snare and hi-hat; leave it out")
    return Kit(folder.name, {part: tuple(choices) for part, choices in parts.items()})


def _layers(instrument: ElementTree.Element, folder: Path) -> tuple[Layer, ...]:
    volume = float(instrument.findtext("volume") or 1) * float(instrument.findtext("gain") or 1)
    pan = [float(instrument.findtext(f"pan_{side}") or 1) for side in "LR"]
    found = []
    for layer in instrument.iter("layer"):
        path = folder / (layer.findtext("filename") or "")
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, RuntimeError):
            continue
        sound = Audio(torch.from_numpy(samples[:, :2].T.copy()), rate).with_channels(2).at_rate(RATE)
        gain = volume * float(layer.findtext("gain") or 1)
        least, most = (float(layer.findtext(key) or default) for key, default in (("min", 0), ("max", 1)))
        found.append(Layer(least, most, gain, sound.samples[:, : 6 * RATE] * torch.tensor(pan)[:, None]))
    return tuple(found)


def render(
    kit: Kit, hits: Sequence[tuple[float, int, int]], duration_s: float, generator: torch.Generator
) -> Tensor:
    """The drums, (2, frames) at 44.1 kHz, of hits: second, General MIDI note, MIDI velocity.

    Of several instruments of a kind the generator picks one for the song. A hi-hat's hit ends the one
    before. Notes that the kit has nothing for are left out.
    """
    chosen = {
        part: choices[int(torch.randint(len(choices), (), generator=generator))]
        for part, choices in sorted(kit.parts.items())
    }
    frames = round(duration_s * RATE)
    sound = torch.zeros(2, frames)
    hat_hits = sorted(time_s for time_s, note, _ in hits if _part(note, chosen) in _HATS)
    following = dict(pairwise(hat_hits))
    for time_s, note, velocity in hits:
        part = _part(note, chosen)
        start = round(time_s * RATE)
        if part is None or not 0 <= start < frames:
            continue
        layer = _layer(chosen[part], velocity / 127)
        end = min(start + layer.samples.shape[1], frames)
        samples = layer.samples[:, : end - start]
        if part in _HATS and time_s in following:
            samples = _choked(samples, round((following[time_s] - time_s) * RATE))
        sound[:, start : start + samples.shape[1]] += samples * (layer.gain * (velocity / 127) ** 1.6)
    return sound


def _part(note: int, there: dict[str, tuple[Layer, ...]]) -> str | None:
    for part, _, notes, instead in _PARTS:
        if note in notes:
            return next((name for name in (part, *instead) if name in there), None)
    return None


def _layer(layers: tuple[Layer, ...], velocity: float) -> Layer:
    return next(
        (layer for layer in layers if layer.least <= velocity <= layer.most),
        max(layers, key=lambda layer: layer.most),
    )


def _choked(samples: Tensor, frames: int) -> Tensor:
    """Cut after so many frames with a fade of 20 ms."""
    fade = RATE // 50
    if samples.shape[1] <= frames + fade:
        return samples
    cut = samples[:, : frames + fade].clone()
    cut[:, frames:] *= torch.linspace(1, 0, fade)
    return cut
