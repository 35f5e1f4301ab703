"""A REAPER project as text: tracks with items, faders, pans and plain-text effects.

REAPER's format has no published grammar; the fields are those of the community's "State Chunk
Definitions" (github.com/ReaTeam/Doc) and as REAPER 6 writes them. A name goes between the first of
`"`, `'` and `` ` `` that it doesn't hold. Times are in seconds, so that a change of tempo moves nothing.
Notes stand in each item and, for users of the SWS extension, on each track.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from styletransfer.files import beside

from .effects import SLIDERS, named, slider_values
from .session import TEMPO_BPM, Device, Session, Track
from .wording import lines, one_line

LIVE = frozenset(("eq", "side_eq", "compressor", "expander", "saturation", "width", "limiter"))
"""Stages of the console that there is an effect for."""

_NAMESPACE = uuid.UUID("6f1cdd4c-5a10-4c53-9f0e-3bb0a1f2a6a5")
_CUSTOM_COLOUR = 1 << 24

EFFECTS_NOTE = (
    "The effects are text files: copy the folder Effects/automix beside this project into the folder "
    "Effects of REAPER's resource path (Options, Show REAPER resource path), then open the project again."
)

_ITEM = """    <ITEM
      POSITION 0
      SNAPOFFS 0
      LENGTH {length_s:.9f}
      LOOP 0
      ALLTAKES 0
      FADEIN 1 0 0 1 0 0 0
      FADEOUT 1 0 0 1 0 0 0
      MUTE 0 0
      SEL 0
      IGUID {item_guid}
      IID {number}
      NAME {title}
      VOLPAN 1 0 1 -1
      SOFFS 0
      PLAYRATE 1 0 0 -1 0 0.0025
      CHANMODE 0
      GUID {take_guid}
      <SOURCE WAVE
        FILE {file}
      >
      <NOTES
{note}
      >
    >"""

_TRACK = """  <TRACK {guid}
    NAME {title}
    PEAKCOL {colour}
    BEAT 0
    AUTOMODE 0
    VOLPAN {fader:.9f} {pan:.9f} -1 -1 1
    MUTESOLO {muted} 0 0
    IPHASE 0
    ISBUS 0 0
    BUSCOMP 0 0
    SHOWINMIX 1 0.6667 0.5 1 0.5 0 0 0
    SEL 0
    REC 0 0 0 0 0 0 0 0
    TRACKHEIGHT 0 0 0 0 0 0 0
    NCHAN 2
    FX 1
    TRACKID {guid}
    PERF 0
    MIDIOUT -1
    MAINSEND {to_master} 0
{rest}
  >"""

_PROJECT = """<REAPER_PROJECT 0.1 "6.0" 0
  <NOTES 0 2
{note}
  >
  TITLE {title}
  RIPPLE 0
  GROUPOVERRIDE 0 0 0
  AUTOXFADE 0
  PANLAW 1
  PROJOFFS 0 0 0
  TIMEMODE 1 5 -1 30 0 0 -1
  PANMODE 3
  PANLAWFLAGS 3
  CURSOR 0
  LOOP 0
  SAMPLERATE {rate} 1 0
  TIMELOCKMODE 0
  TEMPOENVLOCKMODE 0
  ITEMMIX 0
  TEMPO {tempo:g} 4 4
  PLAYRATE 1 0 0.25 4
  MASTERAUTOMODE 0
  MASTERMUTESOLO 0
  MASTER_NCH 2 2
  MASTER_VOLUME 1 0 -1 -1 1
  MASTER_FX 1
{master}
{tracks}
  <EXTENSIONS
{notes}
  >
>
"""


def write_project(session: Session, sounds: dict[str, Path], path: Path) -> Path:
    """Write the project; `sounds` by track, in a folder beside it, are named relative to it."""
    note = f"{session.note}\n{EFFECTS_NOTE}"
    text = _PROJECT.format(
        note=_note(note, "    "),
        title=quoted(session.title),
        rate=session.rate,
        tempo=TEMPO_BPM,
        master=_chain("MASTERFXLIST", session.master, session.key, "  "),
        tracks="\n".join(
            _track(session, track, sounds[track.name].relative_to(path.parent), number)
            for number, track in enumerate(session.tracks, start=1)
        ),
        notes="\n".join(
            f"    <S&M_TRACKNOTES {_guid(session.key, track.name)}\n{_note(track.note, '      ')}\n    >"
            for track in session.tracks
        ),
    )
    with beside(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
    return path


def quoted(text: str) -> str:
    """A text as one of the project's fields."""
    text = one_line(text)
    for mark in "\"'`":
        if mark not in text:
            return f"{mark}{text}{mark}"
    return "`" + text.replace("`", "'") + "`"


def _track(session: Session, track: Track, file: Path, number: int) -> str:
    red, green, blue = track.colour
    key = f"{session.key}/{track.name}"
    item = _ITEM.format(
        length_s=session.frames / session.rate,
        number=number,
        title=quoted(track.title),
        item_guid=_guid(key, "item"),
        take_guid=_guid(key, "take"),
        file=quoted(file.as_posix()),
        note=_note(track.note, "        "),
    )
    parts = [_chain("FXCHAIN", track.devices, key, "    ")] if track.devices else []
    to_master = track.name != "reference"
    if not to_master:  # straight to the first two outputs: the master's effects are not for it
        parts.insert(0, "    HWOUT 0 0 1 0 0 0 0 -1:U -1")
    return _TRACK.format(
        guid=_guid(session.key, track.name),
        title=quoted(track.title),
        colour=_CUSTOM_COLOUR + red + (green << 8) + (blue << 16),
        fader=track.fader,
        pan=track.pan,
        muted=int(track.muted),
        to_master=int(to_master),
        rest="\n".join([*parts, item]),
    )


def _chain(kind: str, devices: tuple[Device, ...], key: str, indent: str) -> str:
    parts = [f"<{kind}", "  SHOW 0", "  LASTSEL 0", "  DOCKED 0"]
    for number, device in enumerate(devices):
        values = [f"{value:.9g}" for value in slider_values(device)]
        parts += [
            "  BYPASS 0 0 0",
            f"  <JS {named(device)} {quoted(device.title)}",
            "    " + " ".join(values + ["-"] * (SLIDERS - len(values))),
            "  >",
            "  FLOATPOS 0 0 0 0",
            f"  FXID {_guid(key, f'effect {number}')}",
            "  WAK 0 0",
        ]
    return "\n".join(indent + part for part in [*parts, ">"])


def _note(text: str, indent: str) -> str:
    return "\n".join(f"{indent}|{line}" for line in lines(text))


def _guid(*keys: str) -> str:
    """The same identity at every export of the same song, so that writing again changes no byte."""
    return "{" + str(uuid.uuid5(_NAMESPACE, "/".join(keys))).upper() + "}"
