"""Which finished songs is a transfer judged on, and how does anyone get the same ones?

Three sets, apart by package and by artist: `bench`, on which nothing is ever tuned; `dev`, on which
constants may be; and the songs in examples/. `songs.json` freezes titles, licences, checksums and pairs.

    python -m styletransfer.evaluation.songs --set dev --folder ~/.cache/automix-bench
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from styletransfer.errors import AutomixError

SET_NAMES = ("bench", "dev")
EXCERPT_S = 60
LIST = Path(__file__).with_name("songs.json")


class SongsError(AutomixError):
    """A song of the benchmark that can't be had, or isn't the one that was frozen."""


@dataclass(frozen=True, slots=True)
class Song:
    """One finished song: `file` inside its Debian package and, where that is a zip archive, `member` in it.

    sha256 is that of the encoded file, so that everyone measures the same sound.
    """

    name: str
    package: str
    file: str
    member: str | None
    title: str
    artist: str
    genre: str
    licence: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SongSet:
    """The songs of one set by name, its (input, reference) pairs, and those of them that somebody looked at
    when a rule was made, so that they aren't blind to it."""

    name: str
    songs: dict[str, Song]
    pairs: tuple[tuple[str, str], ...]
    seen: tuple[tuple[str, str], ...] = ()


def song_set(name: str) -> SongSet:
    """The frozen set of that name; one of SET_NAMES."""
    frozen = json.loads(LIST.read_text(encoding="utf-8"))["sets"][name]
    songs = {entry["name"]: Song(**entry) for entry in frozen["songs"]}
    pairs, seen = (
        tuple((source, reference) for source, reference in frozen.get(kind, ())) for kind in ("pairs", "seen")
    )
    return SongSet(name, songs, pairs, seen)


def default_folder() -> Path:
    """Where songs are kept unless said otherwise: $BENCH_SONGS, else a folder in the user's cache."""
    return Path(os.environ.get("BENCH_SONGS") or Path.home() / ".cache" / "automix-bench")


def excerpt_path(song: Song, set_name: str, folder: Path) -> Path:
    """Where the song's excerpt lies once it is fetched."""
    return folder / set_name / f"{song.name}.wav"


def fetch(songs: SongSet, folder: Path) -> Iterator[Path]:
    """Make the excerpt of each song of a set in turn, downloading what isn't there yet.

    SongsError without apt-get, without a package, or where a file differs from the frozen one.
    """
    packages = {song.package: None for song in songs.songs.values()}
    for package in packages:
        missing = [
            song
            for song in songs.songs.values()
            if song.package == package and not excerpt_path(song, songs.name, folder).is_file()
        ]
        if missing:
            with tempfile.TemporaryDirectory(prefix="automix-songs-") as unpacked:
                _unpack(_download(package, folder / "packages"), Path(unpacked))
                for song in missing:
                    target = excerpt_path(song, songs.name, folder)
                    _write_loudest(encoded_song(song, Path(unpacked)), song, target)
    for song in songs.songs.values():
        yield excerpt_path(song, songs.name, folder)


def encoded_song(song: Song, unpacked: Path) -> bytes:
    """The song's file as its package carries it, checked against its sha256."""
    path = unpacked / song.file
    if not path.is_file():
        raise SongsError(
            f"{song.package} holds no {song.file} here: another Debian release may lack the song"
        )
    if song.member is None:
        encoded = path.read_bytes()
    else:
        with zipfile.ZipFile(path) as archive:
            encoded = archive.read(song.member)
    if hashlib.sha256(encoded).hexdigest() != song.sha256:
        raise SongsError(f"{song.name} in {song.package} is not the frozen recording: its sha256 differs")
    return encoded


def loudest_stretch(samples: np.ndarray, rate: int, seconds: int = EXCERPT_S) -> np.ndarray:
    """The stretch with the most energy, on a grid of whole seconds; all of a shorter sound.

    samples  (time, channels).
    """
    energy = np.add.reduceat(np.square(samples, dtype=np.float64).mean(1), np.arange(0, len(samples), rate))
    if len(samples) <= seconds * rate:
        return samples
    within = np.convolve(energy[: len(samples) // rate], np.ones(seconds), "valid")
    start = int(within.argmax()) * rate
    return samples[start : start + seconds * rate]


def _write_loudest(encoded: bytes, song: Song, target: Path) -> None:
    samples, rate = soundfile.read(io.BytesIO(encoded), always_2d=True)
    excerpt = loudest_stretch(samples, rate)
    # lossy files decode beyond full scale; scaled down as a whole, so that 24 bits don't clip them
    excerpt = excerpt / max(1.0, float(np.abs(excerpt).max()))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    soundfile.write(part, excerpt, rate, subtype="PCM_24", format="WAV")
    part.replace(target)


def _download(package: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not (found := sorted(folder.glob(f"{package}_*.deb"))):
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise SongsError(f"{package} comes from Debian; run this where apt-get and dpkg-deb are")
        done = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip() or "no message").splitlines()[-1]
            raise SongsError(f"apt-get can't download {package} ({why}); run `apt-get update` and try again")
        found = sorted(folder.glob(f"{package}_*.deb"))
    return found[-1]


def _unpack(archive: Path, folder: Path) -> None:
    done = subprocess.run(["dpkg-deb", "-x", archive, folder], capture_output=True, text=True)
    if done.returncode:
        raise SongsError(f"{archive.name} is damaged; delete it and run this again")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fetch the finished songs that the benchmark is run on.")
    parser.add_argument("--set", choices=SET_NAMES, action="append", help="one set only (default: all)")
    parser.add_argument("--folder", type=Path, default=default_folder(), help="where the songs lie")
    options = parser.parse_args(arguments)
    try:
        for name in options.set or SET_NAMES:
            for path in fetch(song_set(name), options.folder):
                print(path)
    except SongsError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
