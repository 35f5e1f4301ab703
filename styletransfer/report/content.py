"""What a report says: sounds, players, pictures, strips, distances and warnings, in the page's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from styletransfer.audio import STEMS, Audio
from styletransfer.closeness import Distance
from styletransfer.converter.console import MASTER, STRIP, Settings, Stage
from styletransfer.document import Document, Warned
from styletransfer.encoder.measures import BAND_HZ
from styletransfer.errors import UsageError
from styletransfer.result import Result
from styletransfer.sources import Progress, Sound, load
from styletransfer.summary import moves

from .console_curves import StripTrace, moves_ears, traces_of
from .console_plots import strip_pictures
from .curves import loudness_over_time, third_octaves_db, width_by_band_db
from .drawing import VERSION_COLOURS, Picture
from .network_change import change_of, change_picture
from .parameters import Row, rows_of
from .passages import MIX_S, STEM_S, Extent, Player, player_of
from .plots import distances, pictures_of
from .versions import INPUT, REFERENCE, RESULT, Version, distance_between, version_of, versions_of

Passage = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """One channel of the console on the page; `line` says in short what it does, and is empty at rest."""

    name: str
    line: str
    player: Player | None
    pictures: list[Picture]
    rows: list[Row]
    trace: StripTrace


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """All that a page shows. `distances` holds (of, to) pairs of labels; `document` that of a transfer."""

    title: str
    versions: list[Version]
    players: list[Player]
    pictures: list[Picture]
    distances: dict[tuple[str, str], Distance]
    strips: list[Strip] = field(default_factory=list)
    document: Document | None = None

    @property
    def warnings(self) -> list[Warned]:
        return self.document.warnings if self.document else []

    def numbers(self) -> dict[str, Any]:
        """The figures behind the page, for report.json."""
        return {
            "format": 1,
            "title": self.title,
            "band_hz": [round(float(hz), 1) for hz in BAND_HZ],
            "sounds": [_numbers_of(version) for version in self.versions],
            "distances": [
                {"of": of, "to": to, "total_db": round(found.total, 3)} | _rounded(asdict(found))
                for (of, to), found in self.distances.items()
            ],
            "players": [
                {
                    "key": player.key,
                    "sounds": [
                        {
                            "label": sound.label,
                            "passage_s": [round(second, 3) for second in sound.passage_s],
                            "gain_db": round(sound.gain_db, 3),
                            "lufs": None if sound.lufs is None else round(sound.lufs, 2),
                        }
                        for sound in player.sounds
                    ],
                }
                for player in [*self.players, *(strip.player for strip in self.strips if strip.player)]
            ],
            "strips": {
                strip.name: {"does": strip.line, "parameters": [asdict(row) for row in strip.rows]}
                for strip in self.strips
            },
            "warnings": [warned.model_dump() for warned in self.warnings],
        }


def report_of(result: Result, audio: Extent = "excerpt") -> Report:
    """The report of a transfer, or of settings that were applied.

    audio  what can be heard in the page: nothing, excerpts from the loudest passages, or all.
    """
    document = result.document
    versions = versions_of(result)
    by_label = {version.label: version for version in versions}
    pictures = pictures_of(versions)
    found = {}
    if REFERENCE in by_label:
        found = {
            (label, REFERENCE): distance_between(by_label[label], by_label[REFERENCE])
            for label in (INPUT, RESULT)
        }
        pictures.append(distances(*found.values()))
    mix_s = _loudest_s(result.song.audio, MIX_S)
    passages_s = {name: _loudest_s(result.dry_stems[name], STEM_S) for name in STEMS} | {"master": mix_s}
    traces = traces_of(result, passages_s)
    players = [] if audio == "none" else [_mix_player(versions, audio, mix_s)]
    whole = result.stems if audio == "full" else {}
    strips = []
    for name, settings in (document.console.stems() | {"master": document.console.master}).items():
        table = MASTER if name == "master" else STRIP
        player = None
        if audio != "none" and name != "master":
            player = _stem_player(result, name, whole.get(name), traces[name])
        line, pictures_of_strip = _line(table, settings), strip_pictures(name, table, settings, traces[name])
        if name in result.treated:
            dry = result.dry_stems[name].excerpt(*traces[name].passage_s)
            change = change_of(dry, traces[name].output)
            pictures_of_strip = [change_picture(name, change), *(pictures_of_strip if line else [])]
            line = ", ".join(filter(None, (result.treated[name].told.words, line, change.words)))
        strips.append(
            Strip(
                name=name,
                line=line,
                player=player,
                pictures=pictures_of_strip,
                rows=rows_of(document, name, table, settings),
                trace=traces[name],
            )
        )
    title = (
        f"{document.input.name}, mixed like {document.reference.name}"
        if document.reference
        else document.input.name
    )
    return Report(title, versions, players, pictures, found, strips, document)


def compare(
    sounds: Sequence[Sound],
    audio: Extent = "excerpt",
    progress: Progress = lambda stage, fraction: None,
) -> Report:
    """The same report for any sounds, two to nine, each beside the others. Errors as `sources.load`."""
    if not 2 <= len(sounds) <= len(VERSION_COLOURS):
        raise UsageError(f"a comparison takes 2 to {len(VERSION_COLOURS)} sounds, not {len(sounds)}")
    versions = []
    for number, sound in enumerate(sounds):
        label = chr(ord("A") + number)
        progress("measuring", number / len(sounds))
        versions.append(version_of(label, load(sound, f"sound {label}")))
    found = {
        (one.label, other.label): distance_between(one, other) for one, other in combinations(versions, 2)
    }
    players = [] if audio == "none" else [_mix_player(versions, audio)]
    title = " · ".join(version.name for version in versions)
    return Report(title, versions, players, pictures_of(versions), found)


def _line(table: dict[str, Stage], settings: Settings) -> str:
    """What a strip does, without the equalizers' bands, which are drawn."""
    named = {"eq": "equalizer", "side_eq": "equalizer of the side"}
    equalizers = [words for stage, words in named.items() if moves_ears(settings[stage])]
    others = moves({stage: told for stage, told in table.items() if stage not in named}, settings)
    return ", ".join([*equalizers, *([others] if others else [])])


def _mix_player(versions: Sequence[Version], audio: Extent, shared_s: Passage | None = None) -> Player:
    """`shared_s` is the passage of input and result; each other sound is heard where it is loudest."""
    sounds = {}
    for number, version in enumerate(versions):
        if version.audio is not None:
            shared = None if version.label == REFERENCE else shared_s
            passage_s = _passage_s(version.audio, audio, shared or _loudest_s(version.audio, MIX_S))
            sounds[version.label] = number, version.audio.excerpt(*passage_s), passage_s[0]
    return player_of("mix", "the mix", sounds)


def _stem_player(result: Result, name: str, whole: Audio | None, trace: StripTrace) -> Player:
    """A stem before and after its strip, and the reference's: `whole`, or only where each is loudest."""
    extent: Extent = "excerpt" if whole is None else "full"
    dry = result.dry_stems[name]
    span_s = _passage_s(dry, extent, trace.passage_s)
    sounds = {INPUT: (0, dry.excerpt(*span_s), span_s[0]), RESULT: (1, whole or trace.output, span_s[0])}
    if result.reference_stems is not None:
        theirs = result.reference_stems[name]
        span_s = _passage_s(theirs, extent, _loudest_s(theirs, STEM_S))
        sounds[REFERENCE] = 2, theirs.excerpt(*span_s), span_s[0]
    return player_of(name, name, sounds, stem=True)


def _passage_s(sound: Audio, audio: Extent, excerpt_s: Passage) -> Passage:
    return (0.0, sound.duration_s) if audio == "full" else excerpt_s


def _loudest_s(sound: Audio, length_s: float) -> Passage:
    start_s, end_s = sound.loudest_s(length_s)
    return start_s, min(end_s, sound.duration_s)


def _numbers_of(version: Version) -> dict[str, Any]:
    times, lufs = loudness_over_time(version)
    return {
        "label": version.label,
        "name": version.name,
        "figures": version.figures.model_dump(),
        "third_octaves_db_re_loudness": _listed(third_octaves_db(version.figures)),
        "width_by_band_db": _listed(width_by_band_db(version.figures)),
        "loudness": {"seconds": _listed(times), "short_term_lufs": _listed(lufs)},
    }


def _listed(values: Any) -> list[float | None]:
    return [None if value != value else round(float(value), 2) for value in values]


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_db": round(value, 3) for name, value in values.items()}
