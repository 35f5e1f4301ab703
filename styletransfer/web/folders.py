"""Where the page keeps files: one folder per server, gone with it, and with its successor if it was killed.

A server holds a lock on its folder for as long as it lives. A folder whose lock is free belongs to nobody.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

_PREFIX = "automix-web-"
_LOCK = "lock"


class Folder:
    """A new, private folder under the temporary one (AUTOMIX_TMP, else the system's); `path` is its place."""

    def __init__(self) -> None:
        base = Path(os.environ.get("AUTOMIX_TMP") or tempfile.gettempdir())
        _remove_abandoned(base)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        self._lock = (self.path / _LOCK).open("wb")
        _try_locking(self._lock)

    def remove(self) -> None:
        """Everything in it goes, and it too."""
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)


def _remove_abandoned(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or not _ours(folder):
                continue
            with (folder / _LOCK).open("r+b") as lock:
                abandoned = _try_locking(lock)
            if abandoned:
                shutil.rmtree(folder, ignore_errors=True)


def _ours(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _try_locking(file: BinaryIO) -> bool:
    """Whether nobody else held the lock; then it is held until the file is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
