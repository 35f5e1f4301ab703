"""A DAWproject file, the open exchange format of DAWs, version 1.0.

A ZIP of project.xml, metadata.xml and the sounds, as the published schema has it
(github.com/bitwig/dawproject, Project.xsd): order of elements, required attributes, unique ids.
Its generic equalizer, compressor, gate and limiter name knobs, not laws: each program turns them into
its own devices, so a session sounds alike there, not the same. Sounds are stored uncompressed, so that
a program can seek in them. Times are in seconds.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import soundfile

from styletransfer import __version__
from styletransfer.converter.fx.limiter import LOOK_AHEAD_MS
from styletransfer.files import beside

from .session import TEMPO_BPM, Device, Session, Track
from .wording import lines, one_line

LIVE = frozenset(("eq", "compressor", "expander", "limiter"))
"""Stages of the console that the format has a generic device for."""

FADER_TOP = 2.0
"""Faders of programs that read the format end here (+6 dB); what is beyond goes into a device."""

_GENERIC: dict[str, tuple[str, dict[str, str | None]]] = {
    "eq": ("Equalizer", {}),
    "gain": ("Equalizer", {"OutputGain": "gain_db"}),
    "compressor": (
        "Compressor",
        {
            "Attack": "attack_ms",
            "AutoMakeup": None,
            "OutputGain": "makeup_db",
            "Ratio": "ratio",
            "Release": "release_ms",
            "Threshold": "threshold_db",
        },
    ),
    "expander": (
        "NoiseGate",
        {
            "Attack": "attack_ms",
            "Range": "range_db",
            "Ratio": "ratio",
            "Release": "release_ms",
            "Threshold": "threshold_db",
        },
    ),
    "limiter": (
        "Limiter",
        {
            "Attack": "attack_ms",
            "InputGain": "gain_db",
            "Release": "release_ms",
            "Threshold": "ceiling_db",
        },
    ),
}
"""The device that each stage becomes, and its parameters in the schema's order, from our knobs."""


def write_file(session: Session, sounds: dict[str, Path], path: Path) -> Path:
    """Write the file; `sounds` by track go into it."""
    project, metadata = _project(session, sounds), _metadata(session)
    with beside(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name, root in (("metadata.xml", metadata), ("project.xml", project)):
            indent(root)
            text = tostring(root, encoding="UTF-8", xml_declaration=True)
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
        for name, sound in sounds.items():
            entry = zipfile.ZipInfo(_inside(name))
            entry.file_size = sound.stat().st_size
            with archive.open(entry, "w") as target, sound.open("rb") as source:
                while block := source.read(1 << 20):
                    target.write(block)
    return path


def _inside(name: str) -> str:
    return f"audio/{name}.wav"


def _project(session: Session, sounds: dict[str, Path]) -> Element:
    ids = (f"id{number}" for number in count())
    root = Element("Project", version="1.0")
    SubElement(root, "Application", name="automix", version=__version__)
    transport = SubElement(root, "Transport")
    _real(transport, "Tempo", TEMPO_BPM, "bpm", ids)
    SubElement(transport, "TimeSignature", numerator="4", denominator="4", id=next(ids))
    structure = SubElement(root, "Structure")
    master_channel = next(ids)
    tracks = {track.name: _track(structure, track, master_channel, ids) for track in session.tracks}
    master = SubElement(
        structure, "Track", contentType="audio", name="Master", comment=_text(session.note), id=next(ids)
    )
    _channel(master, "master", session.master, 1.0, session.master_pan, False, ids, id=master_channel)
    arrangement = SubElement(root, "Arrangement", id=next(ids))
    lanes = SubElement(arrangement, "Lanes", timeUnit="seconds", id=next(ids))
    for track in session.tracks:
        lane = SubElement(lanes, "Lanes", track=tracks[track.name], id=next(ids))
        clips = SubElement(lane, "Clips", id=next(ids))
        _clip(clips, track, sounds[track.name], ids)
    SubElement(root, "Scenes")
    return root


def _track(parent: Element, track: Track, master_channel: str, ids: Iterator[str]) -> str:
    red, green, blue = track.colour
    identity = next(ids)
    element = SubElement(
        parent,
        "Track",
        contentType="audio",
        loaded="true",
        name=one_line(track.title),
        color=f"#{red:02x}{green:02x}{blue:02x}",
        comment=_text(track.note),
        id=identity,
    )
    fader, devices = track.fader, track.devices
    if fader > FADER_TOP:
        devices = (*devices, Device("gain", {"gain_db": 20 * math.log10(fader / FADER_TOP)}))
        fader = FADER_TOP
    _channel(
        element,
        "regular",
        devices,
        fader,
        track.pan,
        track.muted,
        ids,
        id=next(ids),
        destination=master_channel,
    )
    return identity


def _channel(
    parent: Element,
    role: str,
    devices: tuple[Device, ...],
    fader: float,
    pan: float,
    muted: bool,
    ids: Iterator[str],
    **attributes: str,
) -> None:
    channel = SubElement(
        parent, "Channel", {"role": role, "audioChannels": "2", "solo": "false", **attributes}
    )
    if devices:
        chain = SubElement(channel, "Devices")
        for device in devices:
            _device(chain, device, ids)
    _bool(channel, "Mute", muted, ids)
    _real(channel, "Pan", (pan + 1) / 2, "normalized", ids, low=0, high=1)
    _real(channel, "Volume", fader, "linear", ids, low=0, high=FADER_TOP)


def _clip(clips: Element, track: Track, sound: Path, ids: Iterator[str]) -> None:
    info = soundfile.info(sound)
    duration = f"{info.frames / info.samplerate:.9f}"
    clip = SubElement(
        clips,
        "Clip",
        name=one_line(track.title),
        time="0.0",
        duration=duration,
        contentTimeUnit="seconds",
        playStart="0.0",
    )
    audio = SubElement(
        clip,
        "Audio",
        duration=duration,
        channels=str(info.channels),
        sampleRate=str(info.samplerate),
        timeUnit="seconds",
        id=next(ids),
    )
    SubElement(audio, "File", path=_inside(track.name))


def _device(chain: Element, device: Device, ids: Iterator[str]) -> None:
    kind, parameters = _GENERIC[device.kind]
    values = {"attack_ms": LOOK_AHEAD_MS} | device.values
    element = SubElement(
        chain, kind, deviceName=device.title, deviceRole="audioFX", loaded="true", id=next(ids)
    )
    _bool(element, "Enabled", True, ids)
    if device.kind == "eq":
        _bands(element, values, ids)
    for name, knob in parameters.items():
        if knob is None:
            _bool(element, name, False, ids)
        elif knob.endswith("_ms"):
            _real(element, name, values[knob] / 1000, "seconds", ids)
        else:
            _real(element, name, values[knob], "decibel" if knob.endswith("_db") else "linear", ids)


def _bands(equalizer: Element, values: dict[str, float], ids: Iterator[str]) -> None:
    for key, gain_db in values.items():
        if not key.endswith("_gain_db") or gain_db == 0:
            continue
        name = key.removesuffix("_gain_db")
        kind = {"low_shelf": "lowShelf", "high_shelf": "highShelf"}.get(name, "bell")
        band = SubElement(equalizer, "Band", type=kind)
        _real(band, "Freq", values[f"{name}_frequency_hz"], "hertz", ids)
        _real(band, "Gain", gain_db, "decibel", ids)
        _real(band, "Q", values[f"{name}_q"], "linear", ids)
        _bool(band, "Enabled", True, ids)


def _real(
    parent: Element,
    name: str,
    value: float,
    unit: str,
    ids: Iterator[str],
    low: float | None = None,
    high: float | None = None,
) -> None:
    bounds = {} if low is None or high is None else {"min": f"{low:.6f}", "max": f"{high:.6f}"}
    attributes = {"unit": unit, "value": f"{value:.6f}", "id": next(ids), "name": name, **bounds}
    SubElement(parent, name, attributes)


def _bool(parent: Element, name: str, value: bool, ids: Iterator[str]) -> None:
    SubElement(parent, name, value=str(value).lower(), id=next(ids), name=name)


def _metadata(session: Session) -> Element:
    root = Element("MetaData")
    SubElement(root, "Title").text = one_line(session.title)
    SubElement(root, "Comment").text = _text(session.note)
    return root


def _text(note: str) -> str:
    return "\n".join(lines(note))
