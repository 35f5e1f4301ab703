"""How does a score sound with a sound bank? FluidSynth, from its shared library: one pass, a bus per stem.

Reverb and chorus are off: what is rendered is dry.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from styletransfer.errors import AudioError, ResourceError

from .folder import RATE

BUSES = ("drums", "bass", "other")
"""The stems that instruments are played into; a synthesizer channel is 3 · MIDI channel + bus."""

_BLOCK = 64  # frames that FluidSynth renders between two looks at its events
_MELODIC, _DRUMS = 0, 1  # channel types
_DRUM_BANK = 128


@dataclass(frozen=True, slots=True)
class Message:
    """What a synthesizer channel is told at `time_s`.

    kind  "on" (pitch, velocity), "off" (pitch), "control" (number, value), "bend" (0 to 16383),
          "pressure" (value), "program" (number; on the drum channel a kit).
    """

    time_s: float
    midi_channel: int
    bus: str
    kind: str
    first: int
    second: int = 0

    @property
    def channel(self) -> int:
        return 3 * self.midi_channel + BUSES.index(self.bus)


@cache
def _library() -> ctypes.CDLL:
    for name in ("libfluidsynth.so.3", "libfluidsynth.so.2", ctypes.util.find_library("fluidsynth")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None:
            break
    else:
        raise ResourceError("FluidSynth's library is not here; install the Debian package libfluidsynth3")
    pointer, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    for function, result, arguments in (
        ("new_fluid_settings", pointer, []),
        ("delete_fluid_settings", None, [pointer]),
        ("fluid_settings_setint", integer, [pointer, text, integer]),
        ("fluid_settings_setnum", integer, [pointer, text, ctypes.c_double]),
        ("new_fluid_synth", pointer, [pointer]),
        ("delete_fluid_synth", None, [pointer]),
        ("fluid_synth_sfload", integer, [pointer, text, integer]),
        ("fluid_synth_set_channel_type", integer, [pointer, integer, integer]),
        ("fluid_synth_program_select", integer, [pointer, integer, integer, integer, integer]),
        ("fluid_synth_noteon", integer, [pointer, integer, integer, integer]),
        ("fluid_synth_noteoff", integer, [pointer, integer, integer]),
        ("fluid_synth_cc", integer, [pointer, integer, integer, integer]),
        ("fluid_synth_pitch_bend", integer, [pointer, integer, integer]),
        ("fluid_synth_channel_pressure", integer, [pointer, integer, integer]),
        ("fluid_synth_process", integer, [pointer, integer, integer, pointer, integer, pointer]),
        ("fluid_set_log_function", pointer, [integer, pointer, pointer]),
    ):
        declared = getattr(library, function)
        declared.restype, declared.argtypes = result, arguments
    for level in range(5):
        library.fluid_set_log_function(level, None, None)
    return library


def check_library() -> None:
    """ResourceError where FluidSynth is not installed."""
    _library()


def render(
    messages: Sequence[Message], duration_s: float, bank: Path, drum_bank: Path | None = None
) -> dict[str, Tensor]:
    """Each bus that is heard, (2, frames) float32 at 44.1 kHz, of messages in order of time.

    bank       a General MIDI sound bank (SF2 or SF3); drum_bank another for the drum channel.
    Times are rounded to 1.5 ms. Not limited: sums may exceed full scale.
    AudioError where a bank can't be loaded.
    """
    frames = round(duration_s * RATE)
    padded = -(-frames // _BLOCK) * _BLOCK
    sound = np.zeros((2 * len(BUSES), padded), np.float32)
    with _synthesizer() as synth:
        library = _library()
        fonts = [
            library.fluid_synth_sfload(synth, str(path).encode(), 0) for path in (bank, drum_bank) if path
        ]
        if min(fonts) < 0:
            raise AudioError(
                f"{bank if fonts[0] < 0 else drum_bank} is no sound bank that FluidSynth can load"
            )
        player = _Player(synth, fonts[0], fonts[-1], {message.channel for message in messages})
        place = 0
        for message in messages:
            block = max(place, int(message.time_s * RATE / _BLOCK))
            if block * _BLOCK >= padded:
                break
            _play(synth, sound, place * _BLOCK, (block - place) * _BLOCK)
            place = block
            player.tell(message)
        _play(synth, sound, place * _BLOCK, padded - place * _BLOCK)
    samples = torch.from_numpy(sound[:, :frames]).reshape(len(BUSES), 2, frames)
    return {
        bus: samples[index].clone() for index, bus in enumerate(BUSES) if samples[index].abs().max() > 1e-4
    }


@contextmanager
def _synthesizer() -> Iterator[int]:
    library = _library()
    settings = library.new_fluid_settings()
    library.fluid_settings_setnum(settings, b"synth.sample-rate", float(RATE))
    library.fluid_settings_setnum(settings, b"synth.gain", 0.3)
    for name, value in (
        (b"synth.reverb.active", 0),
        (b"synth.chorus.active", 0),
        (b"synth.midi-channels", 16 * len(BUSES)),
        (b"synth.audio-channels", len(BUSES)),
        (b"synth.audio-groups", len(BUSES)),
        (b"synth.polyphony", 256),
        (b"synth.dynamic-sample-loading", 1),
        (b"synth.lock-memory", 0),
    ):
        library.fluid_settings_setint(settings, name, value)
    synth = library.new_fluid_synth(settings)
    try:
        yield synth
    finally:
        library.delete_fluid_synth(synth)
        library.delete_fluid_settings(settings)


def _play(synth: int, sound: np.ndarray, start: int, frames: int) -> None:
    """Add the next frames to the buses' (left, right, left, …) rows."""
    if frames:
        rows = [sound[row].ctypes.data + 4 * start for row in range(len(sound))]
        buffers = (ctypes.c_void_p * len(rows))(*rows)
        _library().fluid_synth_process(synth, frames, 0, None, len(rows), buffers)


class _Player:
    """Tells a synthesizer what messages say; falls back where a bank lacks a program."""

    def __init__(self, synth: int, font: int, drum_font: int, channels: set[int]) -> None:
        self.synth, self.font, self.drum_font = synth, font, drum_font
        library = _library()
        for channel in sorted(channels):
            library.fluid_synth_set_channel_type(
                synth, channel, _DRUMS if self._is_drums(channel) else _MELODIC
            )
            self._program(channel, 0)

    @staticmethod
    def _is_drums(channel: int) -> bool:
        return channel == 3 * 9 + BUSES.index("drums")

    def _program(self, channel: int, number: int) -> None:
        select = _library().fluid_synth_program_select
        if not self._is_drums(channel):
            for program in (number, number // 8 * 8, 0):
                if select(self.synth, channel, self.font, 0, program) == 0:
                    return
        elif self.drum_font != self.font:
            for bank in (_DRUM_BANK, 0):
                if select(self.synth, channel, self.drum_font, bank, 0) == 0:
                    return
        else:
            for kit in (number, 0):
                if select(self.synth, channel, self.font, _DRUM_BANK, kit) == 0:
                    return

    def tell(self, message: Message) -> None:
        library, synth, channel = _library(), self.synth, message.channel
        if message.kind == "on":
            library.fluid_synth_noteon(synth, channel, message.first, message.second)
        elif message.kind == "off":
            library.fluid_synth_noteoff(synth, channel, message.first)
        elif message.kind == "control":
            library.fluid_synth_cc(synth, channel, message.first, message.second)
        elif message.kind == "bend":
            library.fluid_synth_pitch_bend(synth, channel, message.first)
        elif message.kind == "pressure":
            library.fluid_synth_channel_pressure(synth, channel, message.first)
        elif message.kind == "program":
            self._program(channel, message.first)
        else:
            raise ValueError(f"there is no message {message.kind!r}")
