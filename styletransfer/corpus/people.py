"""How do people's own stems enter a corpus? By their layout: MUSDB18, MoisesDB, Slakh, or plain folders.

    DIR/[train|test/]SONG/{mixture,drums,bass,other,vocals}.wav     MUSDB18, and any folder per song
    DIR/…/SONG/{data.json, drums/*.wav, guitar/*.wav, …}            MoisesDB
    DIR/[train|validation|test/]TRACK/{metadata.yaml, stems/*.flac} Slakh

Everything is converted to 44.1 kHz stereo; tracks of one stem are summed. What doesn't fit is left out, with
a sentence that says why, and the rest goes on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from styletransfer import files
from styletransfer.audio import STEMS
from styletransfer.errors import AudioError, StemsError
from styletransfer.separation.stem_files import SUFFIXES, read_stems, stems_in

from .folder import RATE, SPLITS, active_s, write_song
from .split import fraction, split_of

SHORTEST_S = 10.0
APART_S = 0.5
"""Tracks whose lengths differ by more don't belong to one song."""
LEAST_ACTIVE_S = 1.0
"""A stem that sounds for less is none."""

MOISES_STEMS = {"vocals": "vocals", "bass": "bass", "drums": "drums", "percussion": "drums"}
"""Folders of MoisesDB; all others are 'other'."""
SLAKH_STEMS = {"bass": "bass", "drums": "drums"}
"""Instrument classes of Slakh; all others are 'other'."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class OwnSong:
    """A song found in people's stems.

    folder  its own; `tracks` maps stems to the files that sum to them, or is empty where names tell.
    part    the split that its set gives it: "train", "validation", "test", or "" for none.
    artist  who plays, where the set says so, or "": songs of one artist are in one split.
    """

    folder: Path
    name: str
    layout: str
    part: str = ""
    licence: str = "not stated"
    artist: str = ""
    tracks: dict[str, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Added:
    """What came of it: the songs' folders in the corpus, and a sentence for each thing left out."""

    songs: tuple[Path, ...]
    left_out: tuple[str, ...]


def add_stems(corpus: Path, stems: Path, *, progress: Progress = lambda stage, fraction: None) -> Added:
    """Copy people's stems into a corpus, converted, with their splits; what is there already is kept.

    Splits are fixed by hash of the artist, or of the song where nobody says who that is; a set's own train
    and test folders are honoured, a tenth of a train folder being validation.
    AudioError where the folder holds no song at all.
    """
    if not stems.is_dir():
        raise AudioError(f"{stems} is no folder; give one with a folder of stems per song")
    left_out: list[str] = []
    songs = list(find_songs(stems, left_out))
    written = []
    for index, song in enumerate(songs):
        progress("own stems", index / len(songs))
        name = re.sub(r"[^a-z0-9]+", "-", song.name.lower()).strip("-")[:60]
        key = hashlib.sha256(song.name.encode()).hexdigest()[:8]
        target = corpus / "songs" / f"own-{name}-{key}"
        try:
            if not (target / "meta.json").is_file():
                write_song(corpus, *_read(song, target.name))
            written.append(target)
        except (AudioError, StemsError) as error:
            left_out.append(f"{song.name} is left out: {error}")
    progress("own stems", 1.0)
    if not written:
        why = f" ({left_out[0]})" if left_out else ""
        raise AudioError(
            f"{stems} holds no song that fits{why}; give a folder per song with drums, bass, other, vocals"
        )
    return Added(tuple(written), tuple(left_out))


def find_songs(folder: Path, left_out: list[str]) -> Iterator[OwnSong]:
    """The songs below a folder, sorted, whatever their layout; what won't fit goes into `left_out`."""
    packed = sorted(folder.rglob("*.stem.mp4"))
    if packed:
        left_out.append(
            f"{len(packed)} files end in .stem.mp4, such as {packed[0].name}; convert them with "
            "`pip install musdb` and `musdbconvert FOLDER WAV-FOLDER`, and give the second folder"
        )
    yield from _walk(folder, folder, left_out)


def _part_and_name(folder: Path, root: Path) -> tuple[str, str]:
    """The set's own split that a folder is in, and the song's name: from there on, so that it is the same
    whichever folder above was given. Without a split "", and the name from the root on.

    The root is a split itself where another one stands beside it.
    """
    whole = root.resolve()
    others = (whole.parent / name for name in SPLITS if name != whole.name)
    above = (whole.name,) if whole.name in SPLITS and any(path.is_dir() for path in others) else ()
    parts = (*above, *folder.relative_to(root).parts)
    places = [place for place, part in enumerate(parts) if part in SPLITS]
    if not places:
        return "", "/".join(parts) or whole.name
    return parts[places[-1]], "/".join(parts[places[-1] + 1 :]) or parts[-1]


def _walk(folder: Path, root: Path, left_out: list[str]) -> Iterator[OwnSong]:
    parts = folder.relative_to(root).parts
    part, name = _part_and_name(folder, root)
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    named = {path.name: path for path in inside}
    if "metadata.yaml" in named and (folder / "stems").is_dir():
        if "omitted" in parts:
            left_out.append(f"{name} is left out: Slakh omits it, since another track has the same music")
            return
        tracks = _slakh_tracks(folder)
        yield OwnSong(folder, name, "slakh", part, "CC-BY-4.0", tracks=tracks)
    elif "data.json" in named and any(_sounds(path) for path in inside if path.is_dir()):
        tracks = {}
        for path in (path for path in inside if path.is_dir()):
            stem = MOISES_STEMS.get(path.name, "other")
            tracks[stem] = (*tracks.get(stem, ()), *_sounds(path))
        yield OwnSong(folder, name, "moisesdb", part, "CC-BY-NC-SA-4.0", _moises_artist(folder), tracks)
    elif any(stems_in(path.stem.lower()) for path in _sounds(folder)):
        if "mixture.wav" in named:  # called "Artist - Title"
            yield OwnSong(folder, name, "musdb18", part, artist=name.rpartition(" - ")[0])
        else:
            yield OwnSong(folder, name, "plain", part)
    else:
        for path in inside:
            if path.is_dir() and not path.is_symlink():
                yield from _walk(path, root, left_out)
        if sounds := [path for path in _sounds(folder) if not path.name.endswith(".stem.mp4")]:
            left_out.append(
                f"{name} is left out: none of its {len(sounds)} sound files has drums, bass, other or vocals "
                "in its name"
            )


def _sounds(folder: Path) -> list[Path]:
    files = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in files if not path.name.startswith("."))


def _moises_artist(folder: Path) -> str:
    """Who plays, as a song's data.json says it; "" where it doesn't."""
    try:
        told = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    except ValueError:
        return ""
    return str(told.get("artist", "")).strip() if isinstance(told, dict) else ""


def _slakh_tracks(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Slakh's stems by class, from the two lines that matter under each name in metadata.yaml."""
    tracks: dict[str, tuple[Path, ...]] = {}
    text = (folder / "metadata.yaml").read_text(encoding="utf-8", errors="replace")
    for name, block in re.findall(r"^ +(S\d+):\n((?:^ {3,}\S.*\n?)+)", text, re.MULTILINE):
        kind = re.search(r"^ +inst_class: *['\"]?([^'\"\n]*)", block, re.MULTILINE)
        is_drum = re.search(r"^ +is_drum: *true", block, re.MULTILINE | re.IGNORECASE)
        stem = SLAKH_STEMS.get(kind[1].strip().lower(), "other") if kind else "other"
        found = [path for path in _sounds(folder / "stems") if path.stem == name]
        stem = "drums" if is_drum else stem
        tracks[stem] = (*tracks.get(stem, ()), *found)
    return {stem: paths for stem, paths in tracks.items() if paths}


def _read(song: OwnSong, identity: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A song's stems (2, frames) at 44.1 kHz and its meta. AudioError or StemsError where they won't do."""
    if song.tracks:
        stems = {stem: _sum(paths) for stem, paths in song.tracks.items() if paths}
    else:
        found = read_stems(song.folder)
        stems = {stem: sound.at_rate(RATE).samples for stem, sound in found.items()}
    stems = {stem: stems[stem] for stem in STEMS if stem in stems}
    stems = {stem: samples for stem, samples in stems.items() if active_s(samples) >= LEAST_ACTIVE_S}
    if not stems:
        raise AudioError("its stems are silent; export them again")
    lengths = [samples.shape[1] for samples in stems.values()]
    if max(lengths) - min(lengths) > APART_S * RATE:
        raise AudioError(
            f"its stems last {min(lengths) / RATE:.1f} to {max(lengths) / RATE:.1f} s; export them alike"
        )
    if min(lengths) < SHORTEST_S * RATE:
        raise AudioError(f"it lasts {min(lengths) / RATE:.1f} s; {SHORTEST_S:g} s are the least")
    stems = {stem: samples[:, : min(lengths)] for stem, samples in stems.items()}
    mix = torch.stack(list(stems.values())).sum(0)
    peak = max(float(samples.abs().max()) for samples in (mix, *stems.values()))
    gain = min(1.0, 0.99 / peak)
    meta = {
        "id": identity,
        "title": Path(song.name).name,
        "piece": f"own:{song.name}",
        "sources": list(dict.fromkeys((f"own:{song.name}", _by(song)))),
        "packages": ["own stems"],
        "licences": [song.licence],
        "split": _split(song),
        "seed": 0,
        "kind": "own",
        "layout": song.layout,
        "gain": gain,
    }
    return {stem: samples * gain for stem, samples in stems.items()}, meta


def _sum(paths: tuple[Path, ...]) -> Tensor:
    """The sum of some files as (2, frames) at 44.1 kHz; those that end early are continued by silence."""
    parts = [files.read(path).at_rate(RATE).with_channels(2).samples for path in paths]
    total = torch.zeros(2, max(part.shape[1] for part in parts))
    for part in parts:
        total[:, : part.shape[1]] += part
    return total


def _by(song: OwnSong) -> str:
    """What a song's split goes by, where its set leaves that open: its artist, or itself."""
    left_open = not song.part or _is_musdb_train(song)
    return f"artist:{song.artist.lower()}" if song.artist and left_open else f"own:{song.name}"


def _split(song: OwnSong) -> str:
    if _is_musdb_train(song):
        return "train" if fraction(_by(song)) < 0.9 else "validation"
    return song.part or split_of(_by(song))


def _is_musdb_train(song: OwnSong) -> bool:
    return song.part == "train" and song.layout == "musdb18"
