"""Where does the material come from? Debian packages: fetched, unpacked, and asked for their licence."""

from __future__ import annotations

import fnmatch
import gzip
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs

from styletransfer.errors import ResourceError

_NAMED = (
    ("Permission is hereby granted, free of charge, to any person obtaining a copy of this", "Expat"),
    ("common-licenses/LGPL|Lesser General Public License", "LGPL"),
    ("common-licenses/GPL-3|General Public License,? (as published .{0,80})?version 3", "GPL-3"),
    ("common-licenses/GPL-2|General Public License,? (as published .{0,80})?version 2", "GPL-2"),
    ("common-licenses/GPL|(?<!Lesser )General Public License", "GPL"),
    ("common-licenses/BSD|Redistribution and use in source and binary forms", "BSD"),
    ("(?i)public domain", "public domain"),
)
"""What copyright files of free form say, and the short name that it stands for."""


_AT_ONCE = 4


def default_cache() -> Path:
    """Where unpacked packages are kept unless said otherwise: `packages` in the user's cache of automix."""
    return platformdirs.user_cache_path("automix", appauthor=False) / "packages"


def fetch(package: str, cache: Path) -> Path:
    """The folder that a Debian package is unpacked in, downloaded where it isn't there yet.

    Nothing is installed. ResourceError without apt-get and dpkg-deb, without the package or the disk space.
    """
    folder = cache / package
    if folder.is_dir():
        return folder
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise ResourceError(f"{package} comes from Debian; run this where apt-get and dpkg-deb are")
    beside = cache / f".{package}.part"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        (beside / "deb").mkdir(parents=True)
        _run(["apt-get", "download", "-q", package], beside / "deb", package)
        (archive,) = (beside / "deb").glob("*.deb")
        _run(["dpkg-deb", "-x", str(archive), str(beside / "files")], beside, package)
        (beside / "files").rename(folder)
    except OSError as error:
        raise ResourceError(f"{package} can't be kept in {cache} ({error}); free some disk space") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def fetch_all(
    names: Iterable[str], cache: Path, fetched: Callable[[float], None] = lambda share: None
) -> dict[str, Path]:
    """Package → its folder, as `fetch` has it; some at a time, so that one unpacks while another comes in.

    fetched  told the share of them that is there.
    """
    wanted = list(dict.fromkeys(names))
    folders: dict[str, Path] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name, folder in zip(wanted, pool.map(lambda name: fetch(name, cache), wanted), strict=True):
            folders[name] = folder
            fetched(len(folders) / len(wanted))
    return folders


def _run(command: list[str], folder: Path, package: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg"))]
        why = lines[-1] if lines else "no message"
        raise ResourceError(
            f"the Debian package {package} can't be had ({why}); run `apt-get update` and try again"
        )


def licence(package: Path, file: Path) -> str:
    """The licence that a package's copyright file gives to one of its files, by its short name.

    package  the unpacked package; file  a path inside it.
    Of a machine-readable copyright file the last paragraph that fits the file's name or folder counts
    (Debian's DEP-5); of another, all that it names. "see copyright file" where none is found.
    """
    text = _copyright(package)
    found = ""
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(Files|License):\s*((?:.*)(?:\n[ \t]+\S.*)*)", paragraph, re.MULTILINE))
        if "Files" in fields and "License" in fields and _fits(fields["Files"].split(), file):
            found = fields["License"].splitlines()[0].strip() or found
    if found:
        return found
    words = " ".join(text.split())
    names = [name for pattern, name in _NAMED if re.search(pattern, words)]
    precise = [name for name in names if not any(other.startswith(f"{name}-") for other in names)]
    return " and ".join(precise) or "see copyright file"


def _fits(patterns: list[str], file: Path) -> bool:
    """Whether a pattern over the source tree means an installed file, of which only the tail is alike."""
    for pattern in patterns:
        folder, _, name = pattern.rpartition("/")
        if name not in ("", "*") and fnmatch.fnmatch(file.name, name):
            return True
        if name in ("", "*") and (not folder or folder.rpartition("/")[2] in file.parts[:-1]):
            return True
    return False


def _copyright(package: Path) -> str:
    for path in sorted(package.glob("usr/share/doc/*/copyright*")):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return content.decode("utf-8", "replace")
    return ""
