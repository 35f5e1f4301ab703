"""How does finished music sound once it is separated? The 'wet' pool: excerpts of real songs, taken apart.

The songs come in Debian packages. By package and by artist they are apart from everything that a transfer
or an encoder is judged on: the benchmark's and the development set's songs, and those in examples/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import soundfile
import torch

from styletransfer import files
from styletransfer.audio import STEMS, Audio
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import AudioError
from styletransfer.separation import Separator, choose, rest_of, separate

from . import packages
from .folder import RATE, write_song
from .split import split_of

EXCERPT_S = 30.0
SHORTEST_S = 45.0
FAINTEST_LU = -18.0
"""A stem this far below its mix is a leak, and goes to 'other'."""

EVALUATED = Path(__file__).parents[1] / "evaluation" / "songs.json"
EXAMPLE_PACKAGES = frozenset({"hyperrogue-music", "supertuxkart-data", "fretsonfire-songs-muldjord"})
EXAMPLE_ARTISTS = ("Lincoln Domina", "Claude Werner (bollen)", "El Senator (Muldjord)", "Kalsan")

Progress = Callable[[str, float], None]
"""Told what is being done and the fraction done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Release:
    """A Debian package with finished music.

    megabytes  to fetch.
    artist     of files that name none; without one, such files are left out, since anyone may be behind them.
    licence    where the package's copyright file can't be read by machine.
    """

    package: str
    megabytes: int
    artist: str
    licence: str = ""


RELEASES = (
    Release("fretsonfire-songs-sectoid", 29, "Sectoid", "MIT"),
    Release("supertux-data", 162, ""),
    Release("wesnoth-1.16-music", 153, "", "GPL-2+"),
    Release("drascula-music", 36, "Alcachofa Soft"),
    Release("zaz-data", 20, "Leonard Ritter (paniq)"),
    Release("starfighter-data", 46, ""),
    Release("pushover-data", 32, "Roberto Lorenz"),
    Release("openclonk-data", 112, "Martin Strohmeier (K-Pone)", "ISC"),
    Release("enigma-data", 30, "", "GPL-2"),
    Release("ardentryst", 24, "Jordan Trudgett"),
    Release("adonthell-data", 14, "Zhaytee"),
    Release("xmoto-data", 32, ""),
    Release("flare-game", 123, ""),
    Release("naev-data", 350, ""),
    Release("unknown-horizons", 248, ""),
    Release("widelands-data", 381, ""),
)
"""In the order in which they are fetched until the wished-for amount is reached."""

ALIASES = {
    "http zhaymusic com": "zhaytee",
    "joseph g toscano": "zhaytee",
    "joseph toscano": "zhaytee",
    "marek moeckel": "wansti",
    "alexander zubkov": "remaxim",
    "leonard ritter": "paniq",
}
"""Other names of artists who are in several packages."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What came of it: the songs' folders, and a sentence for each song left out."""

    songs: tuple[Path, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FinishedSong:
    """A song of a package; `tracks` are the files that sum to it, inside the unpacked `folder`.

    artist  as credited; by: who that is, one name for all who ever share a credit; the split goes by it.
    """

    release: Release
    folder: Path
    tracks: tuple[Path, ...]
    title: str
    artist: str
    by: str = ""

    @property
    def id(self) -> str:
        name = self.tracks[0].with_suffix("")
        named = f"{name.parent.name}-{name.name}" if len(self.tracks) > 1 else name.name
        return re.sub(r"[^a-z0-9]+", "-", f"{self.release.package} {named}".lower()).strip("-")


def names(artist: str) -> set[str]:
    """The names in an artist's credit, in lower case without signs: real name, pseudonym, each of several.

    >>> sorted(names("Christian Hoffmann (Crystan)"))
    ['christian hoffmann', 'crystan']
    """
    parts = re.split(r"[()\[\],;/&+]|\bfeat\.?\b|\bvs\.?\b|\band\b", artist.replace("://", " "))
    plain = (re.sub(r"[^\w]+", " ", part.lower()).replace("_", " ").strip() for part in parts)
    return {ALIASES.get(name, name) for name in plain if name}


def evaluated() -> tuple[set[str], set[str]]:
    """The packages and the artists' names that no training material may come from."""
    sets = json.loads(EVALUATED.read_text(encoding="utf-8"))["sets"].values()
    songs = [song for group in sets for song in group["songs"]]
    artists = [*(song["artist"] for song in songs), *EXAMPLE_ARTISTS]
    return {song["package"] for song in songs} | EXAMPLE_PACKAGES, set().union(*map(names, artists))


def is_apart(package: str, artist: str) -> bool:
    """Whether a song of that package and artist is in no evaluation set, and by nobody who is."""
    judged_packages, judged_names = evaluated()
    return package not in judged_packages and not names(artist) & judged_names


def build_finished(
    corpus: Path,
    songs: int = 200,
    seed: int = 0,
    *,
    megabytes: int = 700,
    cache: Path | None = None,
    separator: Separator | None = None,
    progress: Progress | None = None,
) -> Pool:
    """Write the wet pool of a corpus: the loudest 30 s of finished songs, separated.

    songs      at most so many, spread over the artists; those that are there already are kept.
    megabytes  of packages to fetch at most.
    separator  `builtin` unless given.
    ResourceError where packages can't be had or written; AudioError where none holds a song.
    """
    tell = progress or (lambda stage, fraction: None)
    cache = cache or packages.default_cache()
    found: list[FinishedSong] = []
    chosen = within(megabytes)
    for index, release in enumerate(chosen):
        tell("fetching packages", index / len(chosen))
        found += songs_of(release, packages.fetch(release.package, cache))
    tell("fetching packages", 1.0)
    if not found:
        raise AudioError("no package holds a finished song; allow more megabytes")
    separator = separator or choose("builtin")
    drawn = spread(found, songs, seed)
    written, left_out = [], []
    for index, song in enumerate(drawn):
        tell("separating songs", index / len(drawn))
        target = corpus / "wet" / song.id
        try:
            if not (target / "meta.json").is_file():
                _write(corpus, song, seed, separator)
            written.append(target)
        except AudioError as error:
            left_out.append(f"{song.title} is left out: {error}")
    tell("separating songs", 1.0)
    return Pool(tuple(written), tuple(left_out))


def within(megabytes: int) -> list[Release]:
    """The releases that are fetched if so much may be, in their order; larger ones are passed over."""
    chosen, total = [], 0
    for release in RELEASES:
        if total + release.megabytes <= megabytes:
            chosen.append(release)
            total += release.megabytes
    return chosen


def songs_of(release: Release, folder: Path) -> Iterator[FinishedSong]:
    """The songs in an unpacked package: stereo, 44.1 kHz or more, 45 s or longer, apart from the judged."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".ogg", ".oga", ".opus", ".flac", ".mp3") or path.is_symlink():
            continue
        if path.name in ("guitar.ogg", "rhythm.ogg", "drums.ogg"):
            continue  # Frets on Fire's tracks beside song.ogg
        try:
            with soundfile.SoundFile(path) as file:
                usable = file.channels == 2 and file.samplerate >= RATE
                usable = usable and file.frames >= SHORTEST_S * file.samplerate
                tags = file.copy_metadata()
        except (soundfile.LibsndfileError, TypeError):
            continue
        tracks: tuple[Path, ...] = (path,)
        if path.name == "song.ogg":
            beside = (path.with_name(name) for name in ("guitar.ogg", "rhythm.ogg", "drums.ogg"))
            tracks = (path, *(track for track in beside if track.is_file()))
        stem = path.parent.name if path.name == "song.ogg" else path.stem
        title = tags.get("title", "").strip() or re.sub(r"[_-]+", " ", stem).strip()
        artist = tags.get("artist", "").strip() or release.artist
        if usable and artist and is_apart(release.package, artist):
            yield FinishedSong(release, folder, tracks, title, artist)


def spread(songs: list[FinishedSong], count: int, seed: int) -> list[FinishedSong]:
    """At most `count` songs, drawn so that every artist has one before any has two; `united`, by id."""
    songs = united(songs)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(songs), generator=generator).tolist()
    turns: dict[str, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for index in order:
        artist = songs[index].by
        turns[artist] = turns.get(artist, 0) + 1
        ranked.append((turns[artist], len(ranked), index))
    return sorted((songs[index] for *_, index in sorted(ranked)[:count]), key=lambda song: song.id)


def united(songs: Sequence[FinishedSong]) -> list[FinishedSong]:
    """The same songs, each `by` one name for all whose names ever stand together in a credit."""
    last: dict[str, str] = {}

    def one(name: str) -> str:
        while last.setdefault(name, name) != name:
            name = last[name]
        return name

    for song in songs:
        every = sorted(map(one, names(song.artist)))
        last |= dict.fromkeys(every[:-1], every[-1] if every else "")
    return [replace(song, by=one(min(names(song.artist), default="unknown"))) for song in songs]


def _write(corpus: Path, song: FinishedSong, seed: int, separator: Separator) -> None:
    parts = [files.read(track).at_rate(RATE).with_channels(2) for track in song.tracks]
    mix = torch.zeros(2, min(part.frames for part in parts))
    for part in parts:
        mix += part.samples[:, : mix.shape[1]]
    whole = Audio(mix, RATE)
    start_s, end_s = whole.loudest_s(EXCERPT_S)
    excerpt = Audio(whole.excerpt(start_s, end_s).samples.clone(), RATE)
    separated = separate(excerpt, separator)
    stems = {
        name: stem.at_rate(RATE).samples[:, : excerpt.frames].clone() for name, stem in separated.items()
    }
    stems["other"] += rest_of(
        excerpt, {name: Audio(samples, RATE) for name, samples in stems.items()}
    ).samples
    loudness = integrated_lufs(excerpt.samples, RATE)
    for name in STEMS:
        if name != "other" and integrated_lufs(stems[name], RATE) < loudness + FAINTEST_LU:
            stems["other"] += stems.pop(name)
    stems = {name: samples - samples.mean(-1, keepdim=True) for name, samples in stems.items()}
    whole_again = torch.stack(list(stems.values())).sum(0)
    peak = max(float(samples.abs().max()) for samples in (*stems.values(), whole_again))
    gain = min(1.0, 0.99 / peak)
    inside = song.tracks[0].relative_to(song.folder)
    meta: dict[str, Any] = {
        "id": song.id,
        "title": song.title,
        "piece": f"{song.release.package}/{inside}",
        "sources": [f"artist:{song.by}"],
        "packages": [song.release.package],
        "licences": [song.release.licence or packages.licence(song.folder, inside)],
        "split": split_of(f"artist:{song.by}"),
        "seed": seed,
        "kind": "wet",
        "artist": song.artist,
        "from_s": start_s,
        "gain": gain,
        "separator": separator.fingerprint,
    }
    write_song(corpus, {name: samples * gain for name, samples in stems.items()}, meta, pool="wet")
