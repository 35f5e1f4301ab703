"""The console's effects as plain-text JSFX, REAPER's effect language: what can be read can be checked.

A source is a heading with one slider per knob, made from the console's table, and a body from
`jsfx/`, which follows the law that the effect of the same name documents in `converter.fx`.
Whatever looks ahead reports its delay, so that REAPER lines the tracks up.
"""

from __future__ import annotations

from importlib.resources import files

from styletransfer.converter.console import MASTER, MASTER_BANDS, STRIP, STRIP_BANDS, Knob

from .session import Device

FOLDER = "automix"
"""Where the effects lie within an `Effects` folder, and so the first part of their names."""

SLIDERS = 64
"""How many values REAPER writes of an effect."""

_HEADING = """desc:automix {title}
// Source: automix, styletransfer/daw/jsfx, Apache-2.0.
{sliders}
in_pin:left
in_pin:right
out_pin:left
out_pin:right

@init
"""


def sources() -> dict[str, str]:
    """File name → text of every effect."""
    strip_eq, master_eq = ({"bands": len(bands)} for bands in (STRIP_BANDS, MASTER_BANDS))
    image = MASTER["width"].knobs | MASTER["balance"].knobs | MASTER["gain"].knobs
    return {
        f"equalizer_{len(STRIP_BANDS)}.jsfx": _equalizer(STRIP["eq"].knobs, **strip_eq),
        f"equalizer_{len(MASTER_BANDS)}.jsfx": _equalizer(MASTER["eq"].knobs, **master_eq),
        "compressor.jsfx": _dynamics("compressor", STRIP["compressor"].knobs),
        "expander.jsfx": _dynamics("expander", STRIP["expander"].knobs),
        "saturation.jsfx": _heading("saturation", STRIP["saturation"].knobs) + _body("saturation"),
        "image.jsfx": _heading("width, balance and gain", image) + _body("image"),
        "limiter.jsfx": _heading("limiter", MASTER["limiter"].knobs) + _body("limiter"),
    }


def named(device: Device) -> str:
    """The effect's name as REAPER looks for it in its folders of effects."""
    kind = device.kind
    if kind in ("eq", "side_eq"):
        kind = f"equalizer_{len(device.values) // 3}"
    return f"{FOLDER}/{'image' if kind == 'width' else kind}.jsfx"


def slider_values(device: Device) -> list[float]:
    """What the effect's sliders are set to, in their order."""
    values = list(device.values.values())
    if device.kind in ("eq", "side_eq"):
        values.append(float(device.kind == "side_eq"))
    return values if device.kind != "width" else [*values, 0.0, 0.0]  # a strip's fader and pan do the rest


def _equalizer(knobs: dict[str, Knob], bands: int) -> str:
    acts_on = f"slider{len(knobs) + 1}:0<0,1,1{{left and right,side}}>acts on"
    return f"{_heading('equalizer', knobs, acts_on)}bands = {bands};\n{_body('equalizer')}"


def _dynamics(kind: str, knobs: dict[str, Knob]) -> str:
    law, sliders = _body(kind).split("\n@slider\n")
    detector = _body("detector").replace("// LAW\n", law).replace("// SLIDERS\n", sliders)
    return _heading(kind, knobs) + detector


def _heading(title: str, knobs: dict[str, Knob], *more: str) -> str:
    lines = [
        f"slider{index}:{knob.neutral:g}<{knob.low:g},{knob.high:g},0.001>{label(name, knob.unit)}"
        for index, (name, knob) in enumerate(knobs.items(), start=1)
    ]
    return _HEADING.format(title=title, sliders="\n".join([*lines, *more]))


def label(name: str, unit: str) -> str:
    """A knob's name and unit as people read them."""
    words = name.removesuffix("_db").removesuffix("_hz").removesuffix("_ms").replace("_", " ")
    return f"{words} ({unit})" if unit else words


def _body(name: str) -> str:
    return (files("styletransfer.daw") / "jsfx" / f"{name}.eel").read_text(encoding="utf-8")
