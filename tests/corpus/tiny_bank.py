"""The smallest sound bank that plays: one looped sine on every key, as program 0 and as a drum kit.

Source: SoundFont Technical Specification 2.04.
"""

from __future__ import annotations

import math
import struct

_CYCLE = 100  # frames: 441 Hz, a little above A4


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _list(name: bytes, *chunks: bytes) -> bytes:
    return _chunk(b"LIST", name + b"".join(chunks))


def tiny_bank() -> bytes:
    """An SF2 file."""
    frames = [round(16000 * math.sin(2 * math.pi * frame / _CYCLE)) for frame in range(20 * _CYCLE)]
    samples = struct.pack(f"<{len(frames)}h", *frames) + b"\0" * 92
    end = len(frames)

    def preset(name: bytes, program: int, bank: int, bag: int) -> bytes:
        return struct.pack("<20sHHHIII", name, program, bank, bag, 0, 0, 0)

    presets = preset(b"sine", 0, 0, 0) + preset(b"kit", 0, 128, 1) + preset(b"EOP", 0, 0, 2)
    instruments = struct.pack("<20sH", b"sine", 0) + struct.pack("<20sH", b"EOI", 1)
    header = struct.pack("<20sIIIIIBbHH", b"sine", 0, end, _CYCLE, end - _CYCLE, 44_100, 69, 0, 0, 1)
    last = struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    pdta = _list(
        b"pdta",
        _chunk(b"phdr", presets),
        _chunk(b"pbag", struct.pack("<HHHHHH", 0, 0, 1, 0, 2, 0)),
        _chunk(b"pmod", bytes(10)),
        _chunk(b"pgen", struct.pack("<HHHHHH", 41, 0, 41, 0, 0, 0)),  # 41: instrument
        _chunk(b"inst", instruments),
        _chunk(b"ibag", struct.pack("<HHHH", 0, 0, 2, 0)),
        _chunk(b"imod", bytes(10)),
        _chunk(b"igen", struct.pack("<HHHHHH", 54, 1, 53, 0, 0, 0)),  # 54: loops; 53: sample
        _chunk(b"shdr", header + last),
    )
    info = _list(
        b"INFO",
        _chunk(b"ifil", struct.pack("<HH", 2, 1)),
        _chunk(b"isng", b"EMU8000\0"),
        _chunk(b"INAM", b"tiny\0\0"),
    )
    return _chunk(b"RIFF", b"sfbk" + info + _list(b"sdta", _chunk(b"smpl", samples)) + pdta)
