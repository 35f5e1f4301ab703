"""The rules of DAWproject 1.0 that matter for what is written: an own statement of its schemas' content.

A type has attributes (a `!` marks those that are required), and children in order: name, type, how many.
From Project.xsd and MetaData.xsd of github.com/bitwig/dawproject.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

NAMEABLE = {"name": "text", "color": "text", "comment": "text"}
REFERENCEABLE = NAMEABLE | {"id": "id"}
PARAMETER = REFERENCEABLE | {"parameterID": "integer"}
TIMELINE = REFERENCEABLE | {"timeUnit": "time unit", "track": "reference"}
DEVICE = REFERENCEABLE | {
    "deviceID": "text",
    "deviceName!": "text",
    "deviceRole!": "device role",
    "deviceVendor": "text",
    "loaded": "boolean",
}
DEVICE_CHILDREN = [("Parameters", "parameters", "?"), ("Enabled", "bool", "?"), ("State", "file", "?")]
DEVICES = ("Equalizer", "Compressor", "NoiseGate", "Limiter")


def _reals(*names: str) -> list[tuple[str, str, str]]:
    return [(name, "bool" if name == "AutoMakeup" else "real", "?") for name in names]


Rule = tuple[dict[str, str], list[tuple[str, str, str]]]
TYPES: dict[str, Rule] = {
    "project": (
        {"version!": "text"},
        [
            ("Application", "application", "1"),
            ("Transport", "transport", "?"),
            ("Structure", "structure", "?"),
            ("Arrangement", "arrangement", "?"),
            ("Scenes", "nothing", "?"),
        ],
    ),
    "application": ({"name!": "text", "version!": "text"}, []),
    "nothing": ({}, []),
    "transport": ({}, [("Tempo", "real", "?"), ("TimeSignature", "signature", "?")]),
    "signature": (PARAMETER | {"numerator!": "integer", "denominator!": "integer"}, []),
    "real": (
        PARAMETER | {"unit!": "unit", "value": "number", "min": "number", "max": "number"},
        [],
    ),
    "bool": (PARAMETER | {"value": "boolean"}, []),
    "structure": ({}, [("Track", "track", "*")]),
    "track": (
        REFERENCEABLE | {"contentType": "content type", "loaded": "boolean"},
        [("Channel", "channel", "?"), ("Track", "track", "*")],
    ),
    "channel": (
        REFERENCEABLE
        | {"audioChannels": "integer", "destination": "reference", "role": "role", "solo": "boolean"},
        [
            ("Devices", "devices", "?"),
            ("Mute", "bool", "?"),
            ("Pan", "real", "?"),
            ("Sends", "nothing", "?"),
            ("Volume", "real", "?"),
        ],
    ),
    "devices": ({}, []),  # any of DEVICES in any order
    "Equalizer": (DEVICE, [*DEVICE_CHILDREN, ("Band", "band", "*"), *_reals("InputGain", "OutputGain")]),
    "Compressor": (
        DEVICE,
        [
            *DEVICE_CHILDREN,
            *_reals("Attack", "AutoMakeup", "InputGain", "OutputGain", "Ratio", "Release", "Threshold"),
        ],
    ),
    "NoiseGate": (DEVICE, [*DEVICE_CHILDREN, *_reals("Attack", "Range", "Ratio", "Release", "Threshold")]),
    "Limiter": (
        DEVICE,
        [*DEVICE_CHILDREN, *_reals("Attack", "InputGain", "OutputGain", "Release", "Threshold")],
    ),
    "band": (
        {"type!": "band type", "order": "integer"},
        [("Freq", "real", "1"), ("Gain", "real", "?"), ("Q", "real", "?"), ("Enabled", "bool", "?")],
    ),
    "file": ({"path!": "text", "external": "boolean"}, []),
    "arrangement": (REFERENCEABLE, [("Lanes", "lanes", "?")]),
    "lanes": (TIMELINE, []),  # lanes and clips in any order
    "Lanes": (TIMELINE, []),
    "Clips": (TIMELINE, [("Clip", "clip", "*")]),
    "clip": (
        NAMEABLE
        | {
            "time!": "number",
            "duration": "number",
            "contentTimeUnit": "time unit",
            "playStart": "number",
            "playStop": "number",
            "enable": "boolean",
            "reference": "reference",
        },
        [("Audio", "audio", "?")],
    ),
    "audio": (
        TIMELINE
        | {"duration!": "number", "algorithm": "text", "channels!": "integer", "sampleRate!": "integer"},
        [("File", "file", "1")],
    ),
    "metadata": (
        {},
        [
            (name, "words", "?")
            for name in (
                *("Title", "Artist", "Album", "OriginalArtist", "Composer", "Songwriter", "Producer"),
                *("Arranger", "Year", "Genre", "Copyright", "Website", "Comment"),
            )
        ],
    ),
    "words": ({}, []),
}
MIXED = {"devices": DEVICES, "lanes": ("Lanes", "Clips"), "Lanes": ("Lanes", "Clips")}
_NUMBER = r"[-+]?\d+(\.\d*)?"
VALUES = {
    "text": r"(?s).*",
    "id": r"[A-Za-z_][-.\w]*",
    "reference": r"[A-Za-z_][-.\w]*",
    "integer": r"[-+]?\d+",
    "number": _NUMBER,
    "boolean": r"true|false|0|1",
    "unit": r"linear|normalized|percent|decibel|hertz|semitones|seconds|beats|bpm",
    "time unit": r"beats|seconds",
    "device role": r"instrument|noteFX|audioFX|analyzer",
    "band type": r"highPass|lowPass|bandPass|highShelf|lowShelf|bell|notch",
    "role": r"regular|master|effect|submix|vca",
    "content type": r"((audio|automation|notes|video|markers|tracks)( |$))+",
}


def faults(root: Element, type_: str) -> list[str]:
    """What is against the schema: nothing in a valid file."""
    found = list(_faults(root, type_))
    elements = list(root.iter())
    ids = [element.get("id") for element in elements if element.get("id") is not None]
    found += [f"the id {name} is there twice" for name in set(ids) if ids.count(name) > 1]
    for element in elements:
        for name in ("track", "destination", "reference"):
            if element.get(name) is not None and element.get(name) not in ids:
                found.append(f"{element.tag}: {name} {element.get(name)} is nowhere")
    return found


def _faults(element: Element, type_: str) -> list[str]:
    attributes, children = TYPES[type_]
    known = {name.removesuffix("!"): kind for name, kind in attributes.items()}
    found = [f"{element.tag} has no attribute {name}" for name in element.attrib if name not in known]
    found += [
        f"{element.tag} lacks {name[:-1]}"
        for name in attributes
        if name.endswith("!") and name[:-1] not in element.attrib
    ]
    found += [
        f"{element.tag}: {name} can't be {value!r}"
        for name, value in element.attrib.items()
        if name in known and not re.fullmatch(VALUES[known[name]], value)
    ]
    if type_ in MIXED:
        for child in element:
            found += _faults(child, child.tag) if child.tag in MIXED[type_] else [f"no {child.tag} here"]
        return found
    order = [name for name, _, _ in children]
    tags = [child.tag for child in element]
    found += [f"{element.tag} can't hold {tag}" for tag in tags if tag not in order]
    places = [order.index(tag) for tag in tags if tag in order]
    if places != sorted(places):
        found.append(f"{element.tag} has its parts in the order {tags}")
    for name, child_type, many in children:
        if tags.count(name) not in {"1": (1,), "?": (0, 1)}.get(many, range(len(tags) + 1)):
            found.append(f"{element.tag} has {tags.count(name)} of {name}")
        for child in element.findall(name):
            found += _faults(child, child_type)
    return found
