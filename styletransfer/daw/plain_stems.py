"""The stems as they were mixed, for any program, and the master's settings to set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from styletransfer.audio import STEMS
from styletransfer.converter.console import MASTER, STRIP, Settings, Stage, is_neutral
from styletransfer.files import beside
from styletransfer.result import Result

from .effects import label
from .session import COLOURS, Print, Track
from .sounds import write_sounds
from .wording import one_line


def outputs(folder: Path) -> list[Path]:
    """The files that `write_stems` writes."""
    return [*(folder / f"{name}.wav" for name in (*STEMS, "rest")), folder / "settings.txt"]


def write_stems(result: Result, folder: Path) -> list[Path]:
    """Write each stem as it was mixed, the rest, and settings.txt; the sounds sum to the bus."""
    finished = Print(finished=True)
    tracks = [Track(name, name, COLOURS[name], "", stem=name, prints=finished) for name in STEMS]
    tracks.append(Track("rest", "rest", COLOURS["rest"], ""))
    paths = list(write_sounds(result, tracks, folder).values())
    text = "\n".join(_text(result)) + "\n"
    with beside(folder / "settings.txt") as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
    return [*paths, folder / "settings.txt"]


def _text(result: Result) -> Iterator[str]:
    yield f"{one_line(result.song.name)}, mixed by automix"
    yield ""
    yield "The five sounds, at 0 dB, sum to the mix before the master. Its effects, in this order:"
    yield ""
    yield from _strip("master", MASTER, result.document.console.master)
    yield ""
    yield "What is in the stems already, in this order:"
    for name, settings in result.document.console.stems().items():
        yield ""
        yield from _strip(name, STRIP, settings)
        if name in result.treated:
            yield f"  {result.treated[name].told.words}, before all else"


def _strip(name: str, table: dict[str, Stage], settings: Settings) -> Iterator[str]:
    yield name
    for stage, knobs in table.items():
        values = settings[stage]
        if is_neutral(knobs, values) and knobs.group != "safety":
            continue
        yield f"  {stage.replace('_', ' ')}"
        if stage in ("eq", "side_eq"):
            yield from _bands(values)
            continue
        for knob, value in values.items():
            yield f"    {label(knob, knobs.knobs[knob].unit)}: {value:.4g}"


def _bands(values: dict[str, float]) -> Iterator[str]:
    for key, gain_db in values.items():
        if key.endswith("_gain_db") and gain_db:
            band = key.removesuffix("_gain_db")
            kind = "peak" if band.startswith("peak") else band.replace("_", " ")
            frequency_hz, q = values[f"{band}_frequency_hz"], values[f"{band}_q"]
            yield f"    {kind} {gain_db:+.2f} dB at {frequency_hz:.0f} Hz, Q {q:.2f}"
