"""Memory for long sounds: on disk and mapped, so that a song's length is not the process's size.

A sound above THRESHOLD_BYTES lives in a nameless temporary file that is mapped into memory. Nothing
is left behind, whatever ends the process: the file has no name and goes with its last tensor. The
folder is the system's temporary one, or AUTOMIX_TMP where that is set (choose a disk, not a RAM disk).
"""

from __future__ import annotations

import mmap
import os
import tempfile
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from .errors import ResourceError

THRESHOLD_BYTES = 32 * 2**20
"""Smaller sounds are plain memory: about a minute and a half of stereo at 44.1 kHz."""

_mappings: WeakValueDictionary[int, mmap.mmap] = WeakValueDictionary()  # address → mapping, while in use


def allocate(channels: int, frames: int) -> Tensor:
    """Zeros (channels, frames), float32, mapped from disk where they are many.

    ResourceError where the temporary folder has no room: all of it is claimed at once,
    since a mapped file that finds its disk full later would kill the process.
    """
    size_bytes = 4 * channels * frames
    if size_bytes < THRESHOLD_BYTES:
        return torch.zeros(channels, frames)
    folder = os.environ.get("AUTOMIX_TMP") or tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size_bytes)
            else:
                file.truncate(size_bytes)
            mapping = mmap.mmap(file.fileno(), size_bytes)
    except OSError as error:
        raise ResourceError(
            f"{folder} has no room for {size_bytes / 1e9:.1f} GB of sound ({error.strerror}); "
            "free some, or point AUTOMIX_TMP at a folder that has"
        ) from error
    samples = torch.frombuffer(mapping, dtype=torch.float32).view(channels, frames)
    _mappings[samples.data_ptr()] = mapping
    return samples


def release(samples: Tensor) -> None:
    """Drop the resident pages behind a tensor of `allocate`, or a view of one; its values stay.

    They come back from the file when next touched. Call it every few blocks on a walk through
    a long sound. Plain tensors are left alone.
    """
    mapping = _mappings.get(samples.untyped_storage().data_ptr())
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)  # a shared mapping: what was written stays in the file
