"""Sound from what libsndfile can't read (M4A, AAC, WMA, films), through PyAV: the extra `codecs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import AudioError

_SUFFIXES = (".m4a", ".m4b", ".mp4", ".mov", ".3gp", ".aac", ".ac3", ".wma", ".wmv", ".mka", ".mkv", ".webm")


def inspect(path: Path) -> tuple[int, int, int, str, str]:
    """Rate, channels, frames, container and codec; the frames are counted by decoding.

    AudioError where the file is not audio, damaged, or needs the extra.
    """
    with _opened(path) as container:
        stream = container.streams.audio[0]
        rate, channels = stream.rate, stream.channels
        names = container.format.name.split(",")[0].upper(), stream.codec_context.name.upper()
    frames = 0 if channels > 2 else sum(block.shape[1] for block in blocks(path, channels))
    return rate, channels, frames, names[0], names[1]


def blocks(path: Path, channels: int) -> Iterator[Tensor]:
    """The decoded sound, float32 (channels, time); the encoder's padding is cut off where it is told.

    M4A tells the start's, so nothing shifts. Raw AAC and WMA streams don't: theirs may lie up to
    2048 samples off. What fills up the last frame stays.
    """
    import av

    with _opened(path) as container:
        stream = container.streams.audio[0]
        to_float = av.AudioResampler(
            format="fltp", layout="stereo" if channels == 2 else "mono", rate=stream.rate
        )
        try:
            for packet in container.demux(stream):
                for frame in packet.decode():
                    for converted in to_float.resample(frame):
                        yield torch.from_numpy(converted.to_ndarray())
            for converted in to_float.resample(None):
                yield torch.from_numpy(converted.to_ndarray())
        except av.FFmpegError as error:
            raise AudioError(f"{path} is damaged ({error.strerror}); copy it again") from error


def _opened(path: Path) -> Any:
    try:
        import av
    except ImportError as error:
        if path.suffix.lower() in _SUFFIXES:
            raise AudioError(f"{path} needs another decoder; run: pip install 'automix[codecs]'") from error
        raise AudioError(f"{path} is not a sound file that can be read; choose another") from error
    try:
        container = av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(f"{path} is not a sound file that can be read; choose another") from error
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{path} holds no sound; choose another file")
    return container
