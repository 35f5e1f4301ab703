"""Whose speech is there to sing with? Clips from Debian packages, and sentences read by synthesisers.

A speaker is whoever may be one person: where nobody says who spoke, a language's clips in kindred packages,
or all English clips of a game, are one, so that no voice straddles splits; nor does espeak, whose variants
share their phonemes.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from styletransfer.errors import ResourceError

from . import packages
from .lyrics import LINES
from .voiceprint import Array

_ESPEAK = ("espeak-ng", "libespeak-ng1", "espeak-ng-data", "libsonic0", "libpcaudio0")
_FLITE = ("flite", "libflite1")

CLIPS_AT_MOST = 24
"""Per speaker, evenly over its list: enough words for songs, minutes of analysis saved."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """One voice.

    name     as it stands in a song's sources, after `voice:`.
    person   who it may be; the split goes by this.
    package  the Debian or Python package that it comes in.
    licence  its short name, where the package's copyright file doesn't tell it per file.
    where    clips: the pattern of their files inside the package; else what the synthesiser is asked for.
    """

    name: str
    person: str
    package: str
    where: str
    licence: str = ""


_HEDGEWARS_ENGLISH = "British Classic Default HillBilly Mobster Pirate Robot Russian Singer Surfer"
_HEDGEWARS_OTHERS = "Default_es Default_pl Default_ru Default_uk Russian_pl"
_KLETTRES = "ar cs da de en en_GB es fr he hu it lt ml nb nds nl pt_BR ru tn uk"
_KTUBERLING = "ca da de el en fr ga gl lt nn ro ru sl uk wa"
_ESPEAK_VARIANTS = {
    "f1": "en-us", "f2": "es", "f3": "it", "f4": "de", "f5": "sv", "m1": "en-gb", "m2": "it", "m3": "fr-fr",
    "m4": "pt-br", "m5": "la", "m6": "fi", "m7": "eo", "m8": "id", "Andy": "en-us", "Annie": "en-gb",
    "Denis": "es", "Michael": "en-us", "anika": "de", "belinda": "en-gb", "steph": "fr-fr", "linda": "it",
    "Alicia": "es", "Mario": "it", "pablo": "es", "john": "en-us", "benjamin": "fr-fr",
}  # fmt: skip
_FLITE_VOICES = ("slt", "rms", "awb", "kal16")


def speakers() -> list[Speaker]:
    """All voices there are, by name."""
    found = [
        *(
            Speaker(
                f"hedgewars/{name}", "hedgewars/english", "hedgewars-data", f"voices/{name}/*.ogg", "GFDL-1.3"
            )
            for name in _HEDGEWARS_ENGLISH.split()
        ),
        *(
            Speaker(
                f"hedgewars/{name}", f"hedgewars/{name}", "hedgewars-data", f"voices/{name}/*.ogg", "GFDL-1.3"
            )
            for name in _HEDGEWARS_OTHERS.split()
        ),
        *(
            Speaker(f"klettres/{name}", f"kde/{name[:2]}", "klettres-data", f"klettres/{name}/*/*.ogg")
            for name in _KLETTRES.split()
        ),
        *(
            Speaker(f"ktuberling/{name}", f"kde/{name[:2]}", "ktuberling-data", f"sounds/{name}/*.*")
            for name in _KTUBERLING.split()
        ),
        *(
            Speaker(
                f"fillets/{tongue}-{fish}",
                f"fillets/{tongue}-{fish}",
                f"fillets-ng-data-{tongue}",
                f"sound/*/{tongue}/*-{fish}-*.ogg",
            )
            for tongue in ("cs", "nl")
            for fish in ("m", "v")
        ),
        *(
            Speaker(f"espeak/{name}", "espeak", "espeak-ng", f"{tongue}+{name}", "GPL-3+")
            for name, tongue in _ESPEAK_VARIANTS.items()
        ),
        *(Speaker(f"flite/{name}", f"flite/{name}", "flite", name, "CMU-Flite") for name in _FLITE_VOICES),
        Speaker("openjtalk/mei", "openjtalk/mei", "pyopenjtalk-plus", "mei", "CC-BY-3.0"),
    ]
    return sorted(found, key=lambda speaker: speaker.name)


def fetch(speaker: Speaker, cache: Path) -> None:
    """Have a speaker's packages in `cache`. ResourceError where one can't be had."""
    names = {"espeak-ng": _ESPEAK, "flite": _FLITE, "pyopenjtalk-plus": ()}
    for name in names.get(speaker.package, (speaker.package,)):
        packages.fetch(name, cache)


def clips(speaker: Speaker, cache: Path) -> Iterator[tuple[Array, int]]:
    """A speaker's clips as (mono float samples, rate), in an order that never changes.

    Packages are fetched into `cache`. ResourceError where one can't be had.
    """
    if speaker.package == "espeak-ng":
        yield from _read_by_espeak(speaker, cache)
    elif speaker.package == "flite":
        yield from _read_by_flite(speaker, cache)
    elif speaker.package == "pyopenjtalk-plus":
        yield from _read_by_openjtalk()
    else:
        folder = packages.fetch(speaker.package, cache)
        files = sorted(path for path in folder.rglob(speaker.where) if path.is_file())
        for path in files[:: max(-(-len(files) // CLIPS_AT_MOST), 1)]:
            try:
                samples, rate = soundfile.read(path, always_2d=True)
            except soundfile.LibsndfileError:
                continue  # a few packages carry pictures or texts among the clips
            yield samples.mean(1), rate


def licence(speaker: Speaker, cache: Path) -> str:
    """The licence of a speaker's clips, as the package's copyright file gives it to the first of them."""
    if speaker.licence:
        return speaker.licence
    folder = packages.fetch(speaker.package, cache)
    first = min(path for path in folder.rglob(speaker.where) if path.is_file())
    return packages.licence(folder, first.relative_to(folder))


def _tool(cache: Path, names: tuple[str, ...]) -> tuple[list[Path], dict[str, str]]:
    """The unpacked packages of a program, and the environment in which it runs without being installed."""
    folders = [packages.fetch(name, cache) for name in names]
    libraries = [str(path) for folder in folders for path in folder.glob("usr/lib/*-linux-gnu*")]
    return folders, {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(libraries)}


def _spoken(command: list[str], environment: dict[str, str], name: str) -> tuple[Array, int]:
    done = subprocess.run(command, env=environment, capture_output=True)
    if done.returncode or len(done.stdout) < 1000:
        raise ResourceError(
            f"the voice {name} can't be made to speak here; its program is for another machine"
        )
    # a stream's header can't know its length
    header = bytearray(done.stdout)
    header[4:8] = (len(header) - 8).to_bytes(4, "little")
    header[40:44] = (len(header) - 44).to_bytes(4, "little")
    samples, rate = soundfile.read(io.BytesIO(bytes(header)), always_2d=True)
    return samples.mean(1), rate


def _read_by_espeak(speaker: Speaker, cache: Path) -> Iterator[tuple[Array, int]]:
    folders, environment = _tool(cache, _ESPEAK)
    data = next(path.parent for path in folders[2].glob("usr/lib/*/espeak-ng-data"))
    program = folders[0] / "usr/bin/espeak-ng"
    tongue = speaker.where.partition("+")[0]
    for line in _lines(tongue):
        command = [str(program), f"--path={data}", "-v", speaker.where, "-s", "150", "--stdout", line]
        yield _spoken(command, environment, speaker.name)


def _read_by_flite(speaker: Speaker, cache: Path) -> Iterator[tuple[Array, int]]:
    folders, environment = _tool(cache, _FLITE)
    program = folders[0] / "usr/bin/flite"
    for line in _lines("en-us"):
        command = [str(program), "-voice", speaker.where, "-t", line, "-o", "/dev/stdout"]
        yield _spoken(command, environment, speaker.name)


def _read_by_openjtalk() -> Iterator[tuple[Array, int]]:
    try:
        pyopenjtalk = _openjtalk()
    except ImportError as error:
        raise ResourceError(
            'the voice mei is read by pyopenjtalk-plus; run pip install "automix[corpus]"'
        ) from error
    for line in LINES["ja"]:
        samples, rate = pyopenjtalk.tts(line)
        yield samples / np.float64(32768), rate


@functools.cache
def _openjtalk():  # type: ignore[no-untyped-def]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):  # it prints what it can't do
        warnings.simplefilter("ignore")
        import pyopenjtalk
    return pyopenjtalk


def _lines(tongue: str) -> tuple[str, ...]:
    return LINES[tongue.partition("-")[0]]
