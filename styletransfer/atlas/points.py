"""What is on the map: sounds in folders, styles in files or in a library, each with what it sounds like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from styletransfer import encoders, files
from styletransfer.audio import STEMS
from styletransfer.encoder.measures import Measures, measure
from styletransfer.errors import AudioError, UsageError
from styletransfer.library import MIX, PARTS, Entry, Library, SavedStyle
from styletransfer.library.words import differences, sentence, typical
from styletransfer.separation.stem_files import SUFFIXES, stems_in
from styletransfer.style import Style, part_styles
from styletransfer.texts import plain

from .places import FEWEST, Floats, clusters_of

COLOURS = ("folder", "tag", "stem", "cluster")
ALL = "all"
"""Instead of a stem: every part of a kept style is a point of its own."""

MOST = 5000
"""More points than this are thinned out, evenly."""

_NONE = "–"


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """One sound on the map.

    embedding  (D,) unit norm.
    path       its sound, where it is known.
    words      what sets it apart from what is typical here; see `described`.
    """

    title: str
    stem: str
    folder: str
    tags: tuple[str, ...]
    embedding: Floats
    measures: Measures
    path: Path | None
    words: str = ""


def points_in(
    folder: Path,
    encoder: str | Path = encoders.SHIPPED,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda fraction: None,
    left_out: list[str] | None = None,
) -> list[Point]:
    """Every sound in a folder and below it; a file's name says which stem it is, else it is a mix.

    left_out  takes a sentence on each sound that is silent, too short or can't be read.
    AudioError where fewer than three are left; UsageError where there is no such folder; CheckpointError
    without the encoder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name one that holds sounds")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if len(paths) < FEWEST:
        raise AudioError(
            f"{folder} holds {len(paths)} sounds, and a picture needs at least {FEWEST}; add some"
        )
    loaded = encoders.load(encoder, device)
    points: list[Point] = []
    unusable: list[str] = [] if left_out is None else left_out
    for number, path in enumerate(paths):
        progress(number / len(paths))
        named = stems_in(path.stem.lower())
        stem = next(iter(named)) if len(named) == 1 else MIX
        try:
            audio = files.read(path)
            files.check_usable(audio, path)
        except AudioError as error:
            unusable.append(str(error))
            continue
        style = part_styles({stem: audio}, loaded)[stem]
        if not style.silent:
            inside = path.relative_to(folder).parts[0] if path.parent != folder else folder.resolve().name
            sound = measure(audio.samples, audio.rate)
            points.append(
                Point(plain(path.stem), stem, plain(inside), (), _vector(style), sound, path.absolute())
            )
    progress(1.0)
    if len(points) < FEWEST:
        why = f", since {unusable[0]}" if unusable else ""
        raise AudioError(
            f"of the {len(paths)} sounds in {folder} {len(points)} can be drawn, and a picture needs at "
            f"least {FEWEST}{why}"
        )
    return points


def points_of(style: SavedStyle, stem: str = MIX, path: Path | None = None) -> list[Point]:
    """A kept style as a point; with `ALL`, one per part that isn't silent. `path` leads to its sound."""
    if stem not in (*PARTS, ALL):
        raise UsageError(f"there is no stem {stem!r}; there are {', '.join((*PARTS, ALL))}")
    folder = _NONE if path is None else plain(path.parent.name)
    found = []
    for part in PARTS if stem == ALL else (stem,):
        heard, measures = style.part(part)
        if not heard.silent:
            own = path if part == MIX else None  # stems aren't kept as sound
            found.append(Point(style.title, part, folder, style.tags, _vector(heard), measures, own))
    return found


def points_kept(
    library: Library, encoder: str, stem: str = MIX, progress: Callable[[float], None] = lambda fraction: None
) -> list[Point]:
    """The styles in a library that an encoder heard, at most MOST of them, evenly chosen by title.

    encoder   its fingerprint. UsageError where the library is empty.
    """
    library.check_filled()
    entries: list[Entry] = [entry for entry in library.entries() if entry.encoder == encoder]
    entries = thinned(entries)
    points = []
    for number, entry in enumerate(entries):
        progress(number / len(entries))
        points += points_of(library.get(entry.number), stem, entry.path)
    progress(1.0)
    return points


def thinned(entries: Sequence[Entry]) -> list[Entry]:
    """At most MOST of some, at even distances."""
    if len(entries) <= MOST:
        return list(entries)
    return [entries[index] for index in np.linspace(0, len(entries) - 1, MOST).round().astype(int)]


def described(points: Sequence[Point]) -> list[Point]:
    """The same with words: what sets each apart from what is typical of its stem on this map."""
    middle = {
        stem: typical([point.measures for point in points if point.stem == stem])
        for stem in {point.stem for point in points}
    }
    return [
        replace(
            point,
            words=sentence(differences(point.measures, middle[point.stem]), none="about the middle"),
        )
        for point in points
    ]


def labels_of(points: Sequence[Point], colour: str, seed: int = 0) -> list[str]:
    """What each point is coloured by. UsageError for anything but COLOURS."""
    if colour == "folder":
        return [point.folder for point in points]
    if colour == "tag":
        return [", ".join(point.tags) or "untagged" for point in points]
    if colour == "stem":
        return [point.stem for point in points]
    if colour == "cluster":
        return _cluster_names(points, seed)
    raise UsageError(f"a picture is coloured by {' or '.join(COLOURS)}, not by {colour!r}")


def legend_of(labels: Sequence[str]) -> list[str]:
    """Labels, each once: stems in their order, all others by name."""
    order = {name: number for number, name in enumerate((MIX, *STEMS))}
    return sorted(set(labels), key=lambda label: (order.get(label, -1), label.casefold(), label))


def _cluster_names(points: Sequence[Point], seed: int) -> list[str]:
    """Clusters by number, and by what is typical of them, against what is typical of all."""
    numbers = clusters_of(np.stack([point.embedding for point in points]), seed)
    everything = typical([point.measures for point in points])
    names = {}
    for number in set(numbers):
        own = typical([p.measures for p, n in zip(points, numbers, strict=True) if n == number])
        names[number] = f"{number + 1}: {sentence(differences(own, everything), 2, 'about the middle')}"
    return [names[number] for number in numbers]


def _vector(style: Style) -> Floats:
    return style.embedding.double().numpy()
