"""A tracker module as libopenmpt plays it: its instruments, which can be muted, and the notes it strikes."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterable
from functools import cache
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from styletransfer.errors import AudioError, ResourceError

_STEREO_SEPARATION, _INTERPOLATION = 2, 3  # openmpt_module_render_param
_NOTE, _INSTRUMENT = 0, 1  # openmpt_module_command_index
_MUTE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int)
_FACTOR = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_double)


class _Interactive(ctypes.Structure):
    """libopenmpt_ext.h: openmpt_module_ext_interface_interactive."""

    _fields_ = [
        (name, ctypes.c_void_p)
        for name in (
            "set_current_speed",
            "set_current_tempo",
            "set_tempo_factor",
            "get_tempo_factor",
            "set_pitch_factor",
            "get_pitch_factor",
            "set_global_volume",
            "get_global_volume",
            "set_channel_volume",
            "get_channel_volume",
            "set_channel_mute_status",
            "get_channel_mute_status",
            "set_instrument_mute_status",
            "get_instrument_mute_status",
            "play_note",
            "stop_note",
        )
    ]


@cache
def _library() -> ctypes.CDLL:
    for name in ("libopenmpt.so.0", ctypes.util.find_library("openmpt")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None:
            break
    else:
        raise ResourceError("libopenmpt is not here; install the Debian package libopenmpt0")
    pointer, integer, number, text = ctypes.c_void_p, ctypes.c_int32, ctypes.c_double, ctypes.c_char_p
    size = ctypes.c_size_t
    for function, result, arguments in (
        ("openmpt_module_ext_create_from_memory", pointer, [text, size, *[pointer] * 7]),
        ("openmpt_module_ext_destroy", None, [pointer]),
        ("openmpt_module_ext_get_module", pointer, [pointer]),
        ("openmpt_module_ext_get_interface", integer, [pointer, text, pointer, size]),
        ("openmpt_module_get_num_instruments", integer, [pointer]),
        ("openmpt_module_get_num_samples", integer, [pointer]),
        ("openmpt_module_get_num_channels", integer, [pointer]),
        ("openmpt_module_get_instrument_name", pointer, [pointer, integer]),
        ("openmpt_module_get_sample_name", pointer, [pointer, integer]),
        ("openmpt_module_get_metadata", pointer, [pointer, text]),
        ("openmpt_free_string", None, [pointer]),
        ("openmpt_module_get_duration_seconds", number, [pointer]),
        ("openmpt_module_set_position_seconds", number, [pointer, number]),
        ("openmpt_module_set_repeat_count", integer, [pointer, integer]),
        ("openmpt_module_set_render_param", integer, [pointer, ctypes.c_int, integer]),
        ("openmpt_module_get_current_pattern", integer, [pointer]),
        ("openmpt_module_get_current_order", integer, [pointer]),
        ("openmpt_module_get_current_row", integer, [pointer]),
        (
            "openmpt_module_get_pattern_row_channel_command",
            ctypes.c_uint8,
            [pointer, integer, integer, integer, ctypes.c_int],
        ),
        ("openmpt_module_read_interleaved_float_stereo", size, [pointer, integer, size, pointer]),
    ):
        declared = getattr(library, function)
        declared.restype, declared.argtypes = result, arguments
    return library


def _silent(library: ctypes.CDLL) -> ctypes.c_void_p:
    """The log function that says nothing."""
    return ctypes.cast(library.openmpt_log_func_silent, ctypes.c_void_p)


def check_library() -> None:
    """ResourceError where libopenmpt is not installed."""
    _library()


class Module:
    """An open module. A context manager; AudioError where the content is no module."""

    def __init__(self, content: bytes) -> None:
        library = _library()
        self._extended = library.openmpt_module_ext_create_from_memory(
            content, len(content), _silent(library), *[None] * 6
        )
        if not self._extended:
            raise AudioError("this is no tracker module that libopenmpt can read; fetch its package again")
        self._module = library.openmpt_module_ext_get_module(self._extended)
        self._interactive = _Interactive()
        library.openmpt_module_ext_get_interface(
            self._extended, b"interactive", ctypes.byref(self._interactive), ctypes.sizeof(self._interactive)
        )
        library.openmpt_module_set_repeat_count(self._module, 0)
        instruments = library.openmpt_module_get_num_instruments(self._module)
        self.names = tuple(
            self._text(
                library.openmpt_module_get_instrument_name
                if instruments
                else library.openmpt_module_get_sample_name,
                index,
            )
            for index in range(instruments or library.openmpt_module_get_num_samples(self._module))
        )
        self.channels = library.openmpt_module_get_num_channels(self._module)
        self.title = self._text(library.openmpt_module_get_metadata, b"title").strip()
        self.duration_s = float(library.openmpt_module_get_duration_seconds(self._module))

    def __enter__(self) -> Module:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _library().openmpt_module_ext_destroy(self._extended)

    def _text(self, function: ctypes._NamedFuncPointer, what: int | bytes) -> str:
        found = function(self._module, what)
        if not found:
            return ""
        text = ctypes.string_at(found).decode("utf-8", "replace")
        _library().openmpt_free_string(found)
        return text

    def play_only(self, instruments: Iterable[int]) -> None:
        """Mute every instrument (or sample, where a module has none) but those."""
        heard = set(instruments)
        mute = _MUTE(self._interactive.set_instrument_mute_status)
        for index in range(len(self.names)):
            mute(self._extended, index, int(index not in heard))

    def set_up(self, *, separation_percent: int = 100, tempo: float = 1.0, pitch: float = 1.0) -> None:
        """How wide the channels lie (100 is as written), how fast and how high it plays (1 is as written)."""
        _library().openmpt_module_set_render_param(self._module, _STEREO_SEPARATION, separation_percent)
        _FACTOR(self._interactive.set_tempo_factor)(self._extended, tempo)
        _FACTOR(self._interactive.set_pitch_factor)(self._extended, pitch)

    def render(self, rate: int, start_s: float, duration_s: float, interpolation: int = 8) -> Tensor:
        """(2, frames) from a place in the module's own time; shorter where it ends before.

        interpolation  1 none, 2 linear, 4 cubic, 8 windowed sinc.
        """
        library = _library()
        library.openmpt_module_set_render_param(self._module, _INTERPOLATION, interpolation)
        if start_s > 0:
            library.openmpt_module_set_position_seconds(self._module, start_s)
        frames = round(duration_s * rate)
        sound = np.zeros((frames, 2), np.float32)
        done = 0
        while done < frames:
            block = min(frames - done, 8192)
            place = sound[done:].ctypes.data
            got = library.openmpt_module_read_interleaved_float_stereo(self._module, rate, block, place)
            if got == 0:
                break
            done += got
        return torch.from_numpy(sound[:done].T.copy())

    def strikes(self, start_s: float, duration_s: float, tempo: float = 1.0) -> list[tuple[float, int, int]]:
        """Second (from the start, as played), instrument and note number of what is struck, by time.

        note  in libopenmpt's numbers, semitones apart; what pitch a number sounds depends on the sample.
        """
        library, module = _library(), self._module
        rate, block = 8000, 40
        scratch = np.zeros((block, 2), np.float32)
        if start_s > 0:
            library.openmpt_module_set_position_seconds(module, start_s)
        last: tuple[int, int, int] | None = None
        instrument_of = [0] * self.channels
        found = []
        for step in range(int(duration_s * rate / block)):
            if not library.openmpt_module_read_interleaved_float_stereo(
                module, rate, block, scratch.ctypes.data
            ):
                break
            order = library.openmpt_module_get_current_order(module)
            pattern = library.openmpt_module_get_current_pattern(module)
            row = library.openmpt_module_get_current_row(module)
            if (order, pattern, row) == last:
                continue
            last = (order, pattern, row)
            command = library.openmpt_module_get_pattern_row_channel_command
            for channel in range(self.channels):
                note = command(module, pattern, row, channel, _NOTE)
                instrument_of[channel] = (
                    command(module, pattern, row, channel, _INSTRUMENT) or instrument_of[channel]
                )
                if 0 < note <= 120 and instrument_of[channel]:
                    found.append((step * block / rate, instrument_of[channel] - 1, note))
        return found
