"""Small songs, scores and modules, made here."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from styletransfer.corpus.folder import RATE, write_song


def tone(hertz: float, seconds: float = 1.0, level: float = 0.2) -> Tensor:
    """A stereo sine."""
    time = torch.arange(round(seconds * RATE)) / RATE
    return (level * torch.sin(2 * torch.pi * hertz * time)).expand(2, -1).clone()


def meta(song_id: str, **changes: Any) -> dict[str, Any]:
    """What a song says of itself."""
    return {
        "id": song_id,
        "title": song_id.upper(),
        "piece": f"piece-{song_id}",
        "sources": [f"bank:{song_id}"],
        "packages": ["a-package"],
        "licences": ["CC0"],
        "split": "train",
        "seed": 0,
        "kind": "rendered",
        **changes,
    }


def three_splits(folder: Path) -> None:
    """A corpus with a song of 2 s in each split."""
    for split in ("train", "validation", "test"):
        hertz = {"drums": 3000, "bass": 60, "other": 500, "vocals": 800}
        stems = {name: tone(frequency, 2.0, 0.05) for name, frequency in hertz.items()}
        write_song(folder, stems, meta(f"song-{split}", split=split))


def midi(*tracks: bytes, division: int = 96) -> bytes:
    """A Standard MIDI file of format 1."""
    header = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), division)
    return header + b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)


END = b"\x00\xff\x2f\x00"


def notes(channel: int, pitches: list[int], ticks: int = 48, program: int | None = None) -> bytes:
    """A track that plays pitches one after another, each so many ticks (below 128)."""
    track = b"" if program is None else bytes([0, 0xC0 | channel, program])
    for pitch in pitches:
        track += bytes([0, 0x90 | channel, pitch, 100, ticks, 0x80 | channel, pitch, 0])
    return track + END


def module() -> bytes:
    """A ProTracker module of 4 channels, 30 s: a noise, a low and a high saw, struck in turn."""
    random = torch.Generator().manual_seed(0)
    noise = (torch.rand(2000, generator=random) * 160 - 80) * torch.linspace(1, 0, 2000) ** 2
    low = torch.linspace(-60, 60, 128).repeat(16)
    high = torch.linspace(-60, 60, 16).repeat(128)
    samples = [noise, low, high]
    names = [b"", b"", b""]
    content = b"made here".ljust(20, b"\0")
    for index in range(31):
        length = len(samples[index]) // 2 if index < 3 else 0
        loop = (0, length) if index in (1, 2) else (0, 1)
        name = names[index] if index < 3 else b""
        content += name.ljust(22, b"\0") + struct.pack(">HBBHH", length, 0, 48, *loop)
    orders = 4
    content += bytes([orders, 127]) + bytes(orders) + bytes(128 - orders) + b"M.K."
    periods = (428, 381, 339, 320, 285, 254, 226, 214)
    for row in range(64):
        cells = [(0, 0), (0, 0), (0, 0), (0, 0)]
        if row % 4 == 0:
            cells[0] = (1, 428)
        if row % 8 == 0:
            cells[1] = (2, periods[row // 8 % 4])
        if row % 4 == 2:
            cells[2] = (3, periods[(row // 4 * 3) % 8])
        for instrument, period in cells:
            content += bytes([instrument & 0xF0 | period >> 8, period & 0xFF, (instrument & 15) << 4, 0])
    return content + b"".join(bytes(int(value) & 0xFF for value in sample) for sample in samples)
