"""Does a file hold all the sound that its header announces? Decoders tend to pass over what is missing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_UNKNOWN = (0, 0xFFFFFFFF)  # sizes that a recorder writes when it doesn't know them yet


def missing_share(path: Path, format_: str) -> float:
    """Share of the announced sound that the file is too short to hold: 0 if whole or if it can't be told.

    Looks at WAV, RF64, AIFF (the size of the sound's chunk), MP3 (the size in the Xing header),
    Ogg (the last page) and MP4 (the last box). FLAC's decoder notices by itself.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if format_ in ("WAV", "WAVEX", "RF64"):
            start, length = _chunk(file, b"data", "<")
        elif format_ == "AIFF":
            start, length = _chunk(file, b"SSND", ">")
        elif format_ == "MP3":
            start, length = _xing(file)
        elif format_ == "OGG":
            start, length = _last_ogg_page(file, size)
        elif format_ == "MOV":
            start, length = _last_box(file, size)
        else:
            return 0.0
    return max(0.0, 1 - (size - start) / length) if length > 0 else 0.0


def _chunk(file: BinaryIO, name: bytes, order: str) -> tuple[int, int]:
    """Start and announced length of a chunk of a RIFF, RF64 or AIFF file; (0, 0) if unknown."""
    file.seek(12)
    long_length = 0
    while len(head := file.read(8)) == 8:
        length: int = struct.unpack(order + "I", head[4:])[0]
        if head[:4] == name:
            return (file.tell(), long_length or length) if length not in _UNKNOWN or long_length else (0, 0)
        if head[:4] == b"ds64":
            body = file.read(length)
            long_length = struct.unpack("<Q", body[8:16])[0]
            length -= len(body)
        file.seek(length + length % 2, 1)
    return 0, 0


def _xing(file: BinaryIO) -> tuple[int, int]:
    """Announced length of an MP3 with a Xing or Info header, as if from the file's start; (0, 0) without.

    Tags before the stream are not counted out, since some writers count them in.
    """
    file.seek(0)
    head = file.read(10)
    if head[:3] == b"ID3":  # a tag, its size in four bytes of seven bits
        file.seek(10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)))
    else:
        file.seek(0)
    frame = file.read(4096)
    found = max(frame.find(b"Xing"), frame.find(b"Info"))
    if found < 0 or len(frame) < found + 16:
        return 0, 0
    flags = struct.unpack(">I", frame[found + 4 : found + 8])[0]
    position = found + (12 if flags & 1 else 8)
    return 0, struct.unpack(">I", frame[position : position + 4])[0] if flags & 2 else 0


def _last_ogg_page(file: BinaryIO, size: int) -> tuple[int, int]:
    """Start and announced length of an Ogg file's last page; (0, 0) if it isn't found."""
    file.seek(max(0, size - 2**17))
    offset = file.tell()
    tail = file.read()
    found = tail.rfind(b"OggS")
    if found < 0:
        return 0, 0
    segments = tail[found + 26 : found + 27]
    table = tail[found + 27 : found + 27 + segments[0]] if segments else b""
    if not segments or len(table) < segments[0]:
        return offset + found, 2**16
    return offset + found, 27 + len(table) + sum(table)


def _last_box(file: BinaryIO, size: int) -> tuple[int, int]:
    """Start and announced length of the last top-level box of an MP4 file."""
    start = length = 0
    while start + length < size:
        start += length
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            return start, 8
        length = struct.unpack(">I", head[:4])[0]
        if length == 1 and len(head) == 16:  # a long box
            length = struct.unpack(">Q", head[8:])[0]
        if length < 8:  # 0: up to the end of the file
            return 0, 0
    return start, length
