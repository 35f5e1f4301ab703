"""What can be taken away from the page, each as one file."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from styletransfer import daw, report
from styletransfer.daw.plain_stems import write_stems
from styletransfer.result import Result

from .listening import DRAWING
from .wishes import Kind

SUFFIXES: dict[Kind, str] = {
    "mix": ".automix.wav",
    "stems": ".stems.zip",
    "session": ".session.zip",
    "result": ".result.json",
    "report": ".report.html",
}


def write(result: Result, kind: Kind, path: Path) -> None:
    """Write one kind of thing to a path, whatever its suffix; nothing else stays beside it."""
    if kind == "mix":
        result.write(path.with_suffix(".wav")).rename(path)
    elif kind == "result":
        result.document.save(path)
    elif kind == "report":
        with DRAWING:
            text = report.html_of(report.report_of(result))
        path.write_text(text, encoding="utf-8")
    else:
        folder = path.with_suffix(".parts")
        try:
            if kind == "stems":
                write_stems(result, folder)
            else:
                daw.export(result, folder, ("rpp", "dawproject"))
            _pack(folder, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def name_of(song: str, kind: Kind) -> str:
    """What a browser calls the file, after the song's name, without anything that a disk could mind."""
    plain = re.sub(r"[^\w\-. ()]+", "_", song.rpartition(".")[0] or song).strip(" ._")
    return (plain[:100] or "song") + SUFFIXES[kind]


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as pack:
        for part in sorted(folder.rglob("*")):
            if part.is_file():
                pack.write(part, part.relative_to(folder))
                part.unlink()
