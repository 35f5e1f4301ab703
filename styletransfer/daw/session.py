"""What a studio session holds: tracks with a fader, a pan and effects, and what was printed instead.

By difference, `input + Σ (fx(stem) − stem)`, is the same as `Σ fx(stem) + rest` where the rest is what
no stem claims. So a session has a track for each stem and one for the rest; then comes the master.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from styletransfer.audio import STEMS
from styletransfer.converter.console import MASTER, STRIP, Settings, Stage, is_neutral
from styletransfer.result import Result

TEMPO_BPM = 120.0
"""No tempo is estimated: a grid that is plainly not the song's misleads less than a nearly right one."""

COLOURS = {
    "drums": (214, 96, 77),
    "bass": (146, 99, 178),
    "other": (77, 146, 101),
    "vocals": (67, 133, 190),
    "rest": (140, 140, 140),
    "reference": (201, 162, 39),
}
"""Red, green and blue of the tracks, 0 to 255."""

_LINEAR = ("side_eq", "width")
_NAMES = {
    "eq": "equalizer",
    "side_eq": "side equalizer",
    "compressor": "compressor",
    "expander": "expander",
    "saturation": "saturation",
    "width": "width",
    "balance": "balance",
    "reverb": "reverb",
    "gain": "gain",
    "limiter": "limiter",
    "image": "width, balance and gain",
}


@dataclass(frozen=True, slots=True)
class Device:
    """An effect on a track: a stage of the console, and its knobs in order.

    kind  the stage's name; "image" is the master's width, balance and gain in one.
    """

    kind: str
    values: dict[str, float]

    @property
    def title(self) -> str:
        return _NAMES[self.kind]


@dataclass(frozen=True, slots=True)
class Print:
    """What was rendered into a track's sound.

    settings  of the stem's strip; only the reverb is heard if `wet_only`.
    finished  the stem is as it was mixed, fader and pan included, whatever mixed it.
    """

    settings: Settings = field(default_factory=dict)
    wet_only: bool = False
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """One track.

    name    also its sound's file name; `stem` the stem it plays ("" for rest and reference).
    fader   a factor; 1 is 0 dB.
    pan     -1 to 1, a balance that turns one side down: 0.5 takes half off the left.
    prints  what was rendered into the sound, and so can't be changed any more.
    """

    name: str
    title: str
    colour: tuple[int, int, int]
    note: str
    stem: str = ""
    fader: float = 1.0
    pan: float = 0.0
    devices: tuple[Device, ...] = ()
    prints: Print = field(default_factory=Print)
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A whole session. `printed_master` are the master's stages that every track's sound went through."""

    title: str
    key: str
    rate: int
    frames: int
    tracks: tuple[Track, ...]
    master: tuple[Device, ...]
    master_pan: float
    note: str
    printed_master: Settings = field(default_factory=dict)


def names() -> list[str]:
    """Every track that a session may have."""
    return [*STEMS, *(f"{stem}_reverb" for stem in STEMS), "rest", "reference"]


def fader_and_pan(gain_db: float, balance: float) -> tuple[float, float]:
    """The fader and the pan that do what the console's gain and balance do.

    A balance turns one side up and the other down with constant power; a pan as DAWs have
    it for stereo tracks only turns one side down, by a share of 1. So the louder side goes to the fader.
    """
    offset = balance * math.pi / 4
    left, right = math.cos(offset) - math.sin(offset), math.cos(offset) + math.sin(offset)
    louder = max(left, right)
    pan = math.copysign(1 - min(left, right) / louder, balance) if balance else 0.0
    return 10 ** (gain_db / 20) * louder, pan


def session_of(result: Result, live: frozenset[str]) -> Session:
    """The session of a result, for a program that has the stages `live` as effects.

    What it hasn't got is printed, as little as possible: side equalizer and width before the live
    effects where that is all, else the whole strip up to the fader; the reverb on a track of its own.
    """
    tracks = [track for name in STEMS for track in _stem_tracks(result, name, live)]
    tracks.append(
        Track("rest", "rest", COLOURS["rest"], "What no stem claims: with the dry stems it is the song.")
    )
    if result.reference is not None:
        tracks.append(
            Track(
                "reference",
                f"reference: {result.reference.name}",
                COLOURS["reference"],
                "The song to sound like, as it is; muted.",
                muted=True,
            )
        )
    devices, printed, pan = _master(result.document.console.master, live)
    song = result.song
    return Session(
        title=song.name,
        key=song.key,
        rate=song.audio.rate,
        frames=song.audio.frames,
        tracks=tuple(tracks),
        master=devices,
        master_pan=pan,
        note=_session_note(result, devices, printed),
        printed_master=printed,
    )


def _stem_tracks(result: Result, name: str, live: frozenset[str]) -> list[Track]:
    if name in result.treated:
        told = result.treated[name].told.words
        note = f"Rendered into the sound: all of it, {told}, which has no knobs."
        return [Track(name, name, COLOURS[name], note, stem=name, prints=Print(finished=True))]
    settings = result.document.console.stems()[name]
    changed = [stage for stage in _changed(STRIP, settings) if stage not in ("balance", "reverb", "gain")]
    printed = [stage for stage in changed if stage not in live]
    if any(stage not in _LINEAR for stage in printed):
        printed = changed
    devices = tuple(Device(stage, settings[stage]) for stage in changed if stage not in printed)
    gain_db, balance = settings["gain"]["gain_db"], settings["balance"]["balance"]
    fader, pan = fader_and_pan(gain_db, balance)
    lines = [
        f"Rendered into the sound: {_listed(printed) if printed else 'nothing'}.",
        f"Live: {_listed([device.kind for device in devices]) if devices else 'no effect'}.",
        f"The console's level {gain_db:+.1f} dB and balance {balance:+.2f} are the fader and the pan.",
    ]
    tracks = []
    if "reverb" in _changed(STRIP, settings):
        lines.append("Its reverb is rendered, on the next track.")
        tracks = [
            Track(
                name=f"{name}_reverb",
                title=f"{name} reverb",
                colour=COLOURS[name],
                note=f"Rendered: the reverb alone of {name}. It doesn't follow the knobs of its effects.",
                stem=name,
                fader=10 ** (gain_db / 20),
                prints=Print({k: v for k, v in settings.items() if k != "gain"}, wet_only=True),
            )
        ]
    dry = Track(
        name=name,
        title=name,
        colour=COLOURS[name],
        note="\n".join(lines),
        stem=name,
        fader=fader,
        pan=pan,
        devices=devices,
        prints=Print({stage: settings[stage] for stage in printed}),
    )
    return [dry, *tracks]


def _master(settings: Settings, live: frozenset[str]) -> tuple[tuple[Device, ...], Settings, float]:
    """The master's effects, what every track takes over from it, and its pan."""
    changed = _changed(MASTER, settings)
    gain_db, balance = settings["gain"]["gain_db"], settings["balance"]["balance"]
    early = [stage for stage in changed if stage in ("eq", "side_eq", "compressor") and stage in live]
    devices = [Device(stage, settings[stage]) for stage in early]
    if "width" in live:
        image = settings["width"] | settings["balance"] | settings["gain"]
        if image != {"width": 1.0, "balance": 0.0, "gain_db": 0.0}:
            devices.append(Device("image", image))
        devices.append(Device("limiter", settings["limiter"]))
        return tuple(devices), {}, 0.0
    fader, pan = fader_and_pan(gain_db, balance)
    limiter = settings["limiter"] | {"gain_db": 20 * math.log10(fader)}
    printed = {stage: settings[stage] for stage in changed if stage in _LINEAR and stage not in live}
    return (*devices, Device("limiter", limiter)), printed, pan


def _changed(table: dict[str, Stage], settings: Settings) -> list[str]:
    """The stages that do something, in signal order, without the limiter."""
    return [
        name
        for name, stage in table.items()
        if stage.group != "safety" and not is_neutral(stage, settings[name])
    ]


def _listed(kinds: list[str]) -> str:
    return ", ".join(_NAMES[kind] for kind in kinds)


def _session_note(result: Result, devices: tuple[Device, ...], printed: Settings) -> str:
    reference = "" if result.reference is None else f", mixed like {result.reference.name}"
    lines = [
        f"{result.song.name}{reference}, by automix {result.document.versions['automix']}.",
        "Stems, reverbs and rest sum to the mix by difference; where nothing is rendered into them, to the "
        "song when effects are off and faders at 0 dB.",
        f"The tempo is {TEMPO_BPM:g} by default, not the song's; all times are in seconds.",
        f"Live on the master: {_listed([device.kind for device in devices])}.",
    ]
    if printed:
        lines.append(f"Rendered into every track: the master's {_listed(list(printed))}.")
    return "\n".join(lines)
