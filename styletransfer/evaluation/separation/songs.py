"""What is taken apart to judge separators: held-out songs of the corpus, and real recordings with tracks."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from styletransfer import files
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.corpus.folder import RATE, Corpus, CorpusSong
from styletransfer.errors import AudioError, StemsError
from styletransfer.separation.stem_files import SUFFIXES, stems_in

RENDERED, REAL = "rendered", "real"
"""The two kinds of songs, never averaged together."""

_SINGERS = ("sing", "voice", "vocal", "vox", "choir")
_STREAMS = ("mix", "drums", "bass", "other", "vocals")  # of a .stem.mp4, in order


@dataclass(frozen=True, slots=True, eq=False)
class JudgedSong:
    """A song whose stems are known; read when it is needed.

    piece    what it shares with other renderings: intervals draw pieces, not songs.
    read     its stems, all of them or those that are known, and its mix, at 44.1 kHz stereo.
    """

    name: str
    kind: str
    piece: str
    duration_s: float
    read: Callable[[], tuple[Audio, Stems]]


def corpus_songs(corpus: Path, split: str, most: int | None = None) -> list[JudgedSong]:
    """The songs of a split that have at least two stems: one rendering of each piece first, then the next.

    most  only the first so many. AudioError where there are none.
    """
    songs = [song for song in Corpus(corpus).songs(split) if len(song.stems) >= 2]
    if not songs:
        raise AudioError(f"{corpus} has no {split} songs; build more of the corpus")
    turns: dict[str, int] = {}
    ordered = []
    for song in songs:
        turn = turns[song.piece] = turns.get(song.piece, -1) + 1
        ordered.append((turn, song.id, song))
    chosen = [song for *_, song in sorted(ordered, key=lambda entry: entry[:2])][:most]
    return [JudgedSong(song.id, RENDERED, song.piece, song.duration_s, _reader(song)) for song in chosen]


def real_songs(folder: Path) -> list[JudgedSong]:
    """The songs in a folder of real recordings, one folder each, their tracks named after what they play.

    A track whose name holds drums, bass, vocals, singing or the like is of that stem, one that names two
    stems is part of the mix only, one that is called mix, mixture or music is left alone, and any other is
    `other`. Where a stem shares a track with another it isn't scored. AudioError where no folder has tracks.
    """
    if not folder.is_dir():
        raise AudioError(f"{folder} is no folder; name one with a folder of tracks per song")
    songs = []
    for inside in sorted(path for path in folder.iterdir() if path.is_dir()):
        tracks = sorted(path for path in inside.iterdir() if path.suffix.lower() in SUFFIXES)
        if len(tracks) > 1:
            mix, _ = read_tracks(tracks)
            songs.append(JudgedSong(inside.name, REAL, inside.name, mix.duration_s, _tracks_reader(tracks)))
    if not songs:
        raise AudioError(f"{folder} holds no song with tracks; give each song a folder of its own")
    return songs


def packaged_songs() -> list[JudgedSong]:
    """The excerpt that the package stempeg carries, where it is installed and PyAV is, too."""
    found = importlib.util.find_spec("stempeg")
    if found is None or importlib.util.find_spec("av") is None:
        return []
    folders = [Path(place) / "data" for place in found.submodule_search_locations or ()]
    paths = sorted(path for folder in folders for path in folder.glob("*.stem.mp4"))
    songs = []
    for path in paths:
        mix, _ = read_streams(path)
        songs.append(JudgedSong(path.name[:-9], REAL, path.name, mix.duration_s, _streams_reader(path)))
    return songs


def read_tracks(tracks: list[Path]) -> tuple[Audio, Stems]:
    """The sum of a song's tracks, and the stems that are known of it."""
    parts: dict[str, list[Tensor]] = {}
    shared: set[str] = set()
    for path in tracks:
        stems = _stems_of(path.stem.lower())
        if not stems:
            continue
        sound = files.read(path).at_rate(RATE).with_channels(2).samples
        shared |= set(stems) if len(stems) > 1 else set()
        parts.setdefault("+".join(stems), []).append(sound)
    if not parts:
        raise StemsError(f"{tracks[0].parent} holds no tracks; name them after what they play")
    frames = max(sound.shape[1] for sounds in parts.values() for sound in sounds)
    sums = {name: _sum(sounds, frames) for name, sounds in parts.items()}
    mix = torch.stack(list(sums.values())).sum(0)
    known = {name: Audio(sums[name], RATE) for name in STEMS if name in sums and name not in shared}
    return Audio(mix, RATE), known


def read_streams(path: Path) -> tuple[Audio, Stems]:
    """A `.stem.mp4`'s stems, and their sum as the mix (its own mix stream was encoded apart)."""
    import av

    stems: Stems = {}
    with av.open(str(path)) as container:
        names = dict(zip(container.streams.audio, _STREAMS, strict=False))
        for stream, name in names.items():
            if name == "mix":
                continue
            container.seek(0)
            to_float = av.AudioResampler(format="fltp", layout="stereo", rate=stream.rate)
            blocks = [
                torch.from_numpy(converted.to_ndarray())
                for frame in container.decode(stream)
                for converted in to_float.resample(frame)
            ]
            stems[name] = Audio(torch.cat(blocks, 1), stream.rate).at_rate(RATE)
    frames = min(stem.frames for stem in stems.values())
    cut = {name: Audio(stems[name].samples[:, :frames], RATE) for name in STEMS}
    return Audio(torch.stack([stem.samples for stem in cut.values()]).sum(0), RATE), cut


def _stems_of(name: str) -> tuple[str, ...]:
    """What a track's name, in lower case, says that it plays; nothing for a mix."""
    found = set(stems_in(name)) | ({"vocals"} if any(word in name for word in _SINGERS) else set())
    if not found and any(word in name for word in ("mix", "music", "master")):
        return ()
    return tuple(stem for stem in STEMS if stem in found) or ("other",)


def _sum(sounds: list[Tensor], frames: int) -> Tensor:
    total = torch.zeros(2, frames)
    for sound in sounds:
        total[:, : sound.shape[1]] += sound
    return total


def _reader(song: CorpusSong) -> Callable[[], tuple[Audio, Stems]]:
    def read() -> tuple[Audio, Stems]:
        stems = {name: Audio(song.read(name), RATE) for name in STEMS}  # what it lacks is known to be silent
        return Audio(torch.stack([stem.samples for stem in stems.values()]).sum(0), RATE), stems

    return read


def _tracks_reader(tracks: list[Path]) -> Callable[[], tuple[Audio, Stems]]:
    return lambda: read_tracks(tracks)


def _streams_reader(path: Path) -> Callable[[], tuple[Audio, Stems]]:
    return lambda: read_streams(path)
