"""What stems sound like on average: one small JSON, measured on a corpus's training songs."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, get_args

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from styletransfer.encoder.measures import BAND_HZ, Measures
from styletransfer.errors import ConfigError
from styletransfer.files import beside
from styletransfer.weights import SHIPPED

StemClass = Literal["drums", "bass", "other", "vocals", "mix"]

CLASSES: tuple[StemClass, ...] = get_args(StemClass)
"""What has averages: the stems in their order, and the mix of all."""

PATH = SHIPPED / "fx-averages.json"
"""The averages that come with the program."""

_Level = Annotated[float, Field(ge=-130, le=60)]
_Spectrum = Annotated[tuple[_Level, ...], Field(min_length=len(BAND_HZ), max_length=len(BAND_HZ))]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class StemAverages(_Strict):
    """The average stem of one class.

    songs           how many were measured.
    loudness_lufs   integrated loudness (BS.1770-4).
    mid_db, side_db third-octave spectra (`measures.BAND_HZ`) at that loudness: means of magnitudes.
    bandwidth_hz    where most stems end.
    width_db        side energy over mid energy.
    balance_db      right energy over left energy.
    onset_peak_db   sample peak at onsets, in dB above the loudness.
    decay_s         see `reverberation.decay_s`.
    """

    songs: Annotated[int, Field(ge=1)]
    loudness_lufs: Annotated[float, Field(ge=-70, le=0)]
    mid_db: _Spectrum
    side_db: _Spectrum
    bandwidth_hz: Annotated[float, Field(gt=0)]
    width_db: _Level
    balance_db: _Level
    onset_peak_db: _Level
    decay_s: Annotated[float, Field(ge=0)]

    def as_measures(self) -> Measures:
        """The average as something to match; its levels are those of `loudness_lufs`."""
        return Measures(
            mid_db=torch.tensor(self.mid_db, dtype=torch.float64),
            side_db=torch.tensor(self.side_db, dtype=torch.float64),
            bandwidth_hz=self.bandwidth_hz,
            loudness_lufs=self.loudness_lufs,
            crest_db=0.0,
            punch_db=0.0,
            spread_db=0.0,
            width_db=self.width_db,
            balance_db=self.balance_db,
            activity=1.0,
        )


class Provenance(_Strict):
    """Where averages come from.

    songs, hours   what the corpus's training split held.
    pieces         how many of its pieces were measured, by one song each.
    excerpt_s      how much of each stem.
    seed           of the draw; `date` is the day, `automix` the version.
    """

    split: Literal["train"]
    songs: Annotated[int, Field(ge=1)]
    hours: Annotated[float, Field(ge=0)]
    pieces: Annotated[int, Field(ge=1)]
    excerpt_s: Annotated[float, Field(gt=0)]
    seed: int
    date: str
    automix: str


class Averages(_Strict):
    """The averages of every class, and where they come from."""

    format: Literal[1] = 1
    corpus: Provenance
    stems: dict[StemClass, StemAverages]

    def of(self, stem: str) -> StemAverages:
        """The averages of a class. ValueError for a name that is none; ConfigError if it wasn't measured."""
        if stem not in CLASSES:
            raise ValueError(f"there is no stem {stem!r}; choose one of {', '.join(CLASSES)}")
        for name, averages in self.stems.items():
            if name == stem:
                return averages
        raise ConfigError(f"these averages hold no {stem}; measure them on a corpus that does")

    def save(self, path: Path) -> Path:
        """Write them as JSON, a spectrum to a line. AudioError where the folder or disk refuses."""
        text = json.dumps(self.model_dump(), indent=1)
        for name in ("mid_db", "side_db"):
            text = _on_one_line(text, name)
        with beside(path) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
        return path


def load_averages(path: Path | None = None) -> Averages:
    """The averages in a file, or those that come with the program. ConfigError where they make no sense."""
    path = path or PATH
    try:
        return Averages.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the averages {path} can't be read ({error.strerror}); check the name") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(f"{path} holds no averages: {where}: {first['msg']}; measure them again") from error


@lru_cache(maxsize=8)
def neutral_lufs(part: str) -> float:
    """Integrated loudness (LUFS) of a stem or "mix" in the neutral state, by the averages that come with the
    program. ValueError for another name."""
    return load_averages().of(part).loudness_lufs


def _on_one_line(text: str, name: str) -> str:
    head, *rest = text.split(f'"{name}": [')
    for part in rest:
        inside, _, after = part.partition("]")
        head += f'"{name}": [' + " ".join(inside.split()) + "]" + after
    return head
