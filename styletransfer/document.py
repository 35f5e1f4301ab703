"""`result.json`: what was measured and set, in a form that people edit and `apply` renders again."""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from styletransfer import __version__
from styletransfer.audio import STEMS
from styletransfer.converter.console import GROUPS, MASTER, STRIP, Settings, Stage
from styletransfer.encoder.loudness import Loudness, LoudnessMeter
from styletransfer.encoder.measures import BAND_HZ, Measures
from styletransfer.errors import ConfigError

from .files import beside
from .proposed import Proposed
from .texts import plain
from .treating import Treatment

FORMAT = 2


def _checked(strip: dict[str, Stage]) -> Any:
    """A validator that holds settings against the console's table, and fills in what is left out."""

    def check(settings: Settings) -> Settings:
        for stage, knobs in settings.items():
            if stage not in strip:
                raise ValueError(f"there is no stage {stage!r}; there are {', '.join(strip)}")
            for name, value in knobs.items():
                knob = strip[stage].knobs.get(name)
                if knob is None:
                    raise ValueError(f"{stage} has no {name!r}; it has {', '.join(strip[stage].knobs)}")
                if not knob.low <= value <= knob.high:
                    raise ValueError(
                        f"{stage}.{name} is {value:g}, outside {knob.low:g} to {knob.high:g} {knob.unit}"
                    )
        return {
            name: {k: settings.get(name, {}).get(k, knob.neutral) for k, knob in stage.knobs.items()}
            for name, stage in strip.items()
        }

    return AfterValidator(check)


StemStrip = Annotated[Settings, _checked(STRIP)]
MasterStrip = Annotated[Settings, _checked(MASTER)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Source(_Strict):
    """A sound that took part. `sha256` is of the decoded samples, so a copy in another file is the same."""

    name: Annotated[str, AfterValidator(plain)]
    sha256: str
    rate: int = Field(ge=8000, le=192000)
    channels: int = Field(ge=1, le=2)
    frames: int = Field(ge=0)
    measured_s: tuple[float, float] | None = None
    ready_stems: bool = False


class Referred(Source):
    """A sound that a result was brought toward, or a part of one.

    weight  its share in the mean of the references.
    stem    the one stem that it is the reference of; without, of all that have no reference of their own.
    """

    weight: float = Field(default=1.0, ge=0, le=1)
    stem: Literal["drums", "bass", "other", "vocals"] | None = None


def _settled(name: str) -> str:
    if name == "auto":
        raise ValueError("'auto' names no separator; give builtin, htdemucs or another")
    return name


class SeparatorUsed(_Strict):
    """Which separator made the stems; `apply` uses the same one, so it is never "auto"."""

    name: Annotated[str, AfterValidator(_settled)]
    fingerprint: str


class ConverterUsed(_Strict):
    """What changed the stems: `closed` is the closed form alone; `console` a network on top of it, which sets
    their strips too; `tcn` a network that makes them anew, see `treatments`.

    fingerprint  of the network's weights.
    """

    name: Literal["closed", "console", "tcn"] = "closed"
    fingerprint: str | None = None


class MeasuresOf(_Strict):
    """Measured figures; see `encoder.measures.Measures` for their definitions."""

    loudness_lufs: float
    crest_db: float
    punch_db: float
    spread_db: float
    width_db: float
    balance_db: float
    bandwidth_hz: float
    activity: float
    mid_db: list[float]
    side_db: list[float]

    @classmethod
    def of(cls, measures: Measures) -> MeasuresOf:
        values = {
            name: getattr(measures, name) for name in cls.model_fields if name not in ("mid_db", "side_db")
        }
        return cls(
            **{name: round(value, 3) for name, value in values.items()},
            mid_db=[round(v, 2) for v in measures.mid_db.tolist()],
            side_db=[round(v, 2) for v in measures.side_db.tolist()],
        )


class Levels(_Strict):
    """Loudness after BS.1770-4 and EBU R 128. None where a sound is too short or silent for the figure."""

    integrated_lufs: float | None
    range_lu: float | None
    true_peak_dbtp: float | None

    @classmethod
    def of(cls, meter: Loudness | LoudnessMeter) -> Levels:
        found = (meter.integrated_lufs, meter.range_lu, meter.true_peak_db)
        integrated, range_lu, peak = (round(x, 2) if math.isfinite(x) else None for x in found)
        return cls(integrated_lufs=integrated, range_lu=range_lu, true_peak_dbtp=peak)


class Figures(_Strict):
    """What was measured of one side: its levels, its mix and its stems."""

    levels: Levels
    mix: MeasuresOf
    stems: dict[str, MeasuresOf] = {}

    @classmethod
    def of(cls, meter: Loudness | LoudnessMeter, mix: Measures, stems: dict[str, Measures]) -> Figures:
        return cls(
            levels=Levels.of(meter),
            mix=MeasuresOf.of(mix),
            stems={name: MeasuresOf.of(measures) for name, measures in stems.items()},
        )


class Warned(_Strict):
    """A note with its stable code."""

    code: str
    message: str
    strip: str | None = None


def _loudness(wish: float | str) -> float | str:
    if isinstance(wish, str) and wish not in ("match-ref", "match-input", "off"):
        raise ValueError(f"{wish!r} is no loudness; give match-ref, match-input, off, or a number in LUFS")
    if isinstance(wish, float) and not -70 <= wish <= 0:
        raise ValueError(f"{wish:g} LUFS is out of reach; give a number from -70 to 0")
    return wish


Strip = Literal["drums", "bass", "other", "vocals", "master"]


class Asked(_Strict):
    """What was asked for."""

    amount: float = Field(ge=0, le=1)
    stem_amounts: dict[Strip, Annotated[float, Field(ge=0, le=1)]] = {}
    only: list[Literal["level", "eq", "dynamics", "width", "space"]] = []
    lock: list[Strip] = []
    lufs: Annotated[float | str, AfterValidator(_loudness)] = "match-ref"
    true_peak_db: float | None = Field(default=None, ge=-40, le=24)
    channels: Literal[1, 2] | None = None
    gate: bool = True
    polish: bool = True
    refine: int = Field(default=0, ge=0, le=1000)
    seed: int = 0

    @property
    def groups(self) -> set[str]:
        """The groups of stages that may be set."""
        return set(self.only or GROUPS)

    @property
    def amounts(self) -> dict[str, float]:
        """How far each stem's strip and the master go; what is locked, not at all."""
        asked = dict.fromkeys((*STEMS, "master"), self.amount) | self.stem_amounts
        return {name: 0.0 if name in self.lock else amount for name, amount in asked.items()}

    @model_validator(mode="after")
    def _can_be(self) -> Asked:
        if "master" in self.lock and isinstance(self.lufs, float):
            raise ValueError(
                "no loudness in LUFS can be reached with the master locked; leave out one of the two"
            )
        return self


class Console(_Strict):
    """Every knob as it was rendered. Stages and knobs that are left out rest at neutral."""

    drums: StemStrip = Field(default={}, validate_default=True)
    bass: StemStrip = Field(default={}, validate_default=True)
    other: StemStrip = Field(default={}, validate_default=True)
    vocals: StemStrip = Field(default={}, validate_default=True)
    master: MasterStrip = Field(default={}, validate_default=True)

    def stems(self) -> dict[str, Settings]:
        """The four stems' settings, in the order of STEMS."""
        return {name: getattr(self, name) for name in STEMS}


class Gate(_Strict):
    """What the gate found: distances to the reference of the input and of the result, and what it kept."""

    distance_input: float
    distance_full: float
    distance_kept: float
    amounts: dict[str, float]


def _versions() -> dict[str, str]:
    """Of what decides how a result sounds."""
    return {"automix": __version__} | {name: version(name) for name in ("torch", "numpy", "scipy", "soxr")}


def explained(error: ValidationError) -> str:
    """The first thing that a model refuses, and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]") or "the file"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


class Document(_Strict):
    """The whole of result.json, format 2. Format 1, which knew a single reference, is read too."""

    format: Literal[2] = 2
    versions: dict[str, str] = Field(default_factory=_versions)
    input: Source
    references: list[Referred] = []
    separator: SeparatorUsed
    converter: ConverterUsed = ConverterUsed()
    asked: Asked = Asked(amount=1)
    console: Console
    treatments: dict[str, Treatment] = {}
    proposed: dict[str, Proposed] = {}
    gate: Gate | None = None
    band_hz: list[float] = [round(float(f), 1) for f in BAND_HZ]
    before: Figures | None = None
    after: Figures | None = None
    reference_figures: Figures | None = None
    warnings: list[Warned] = []
    timings_s: dict[str, float] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_format_1(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("format") != 1:
            return data
        reference = data.get("reference")
        newer = {name: value for name, value in data.items() if name not in ("format", "reference")}
        return newer | {"references": [] if reference is None else [reference]}

    @model_validator(mode="after")
    def _known_network(self) -> Document:
        if self.treatments and (self.converter.name != "tcn" or self.converter.fingerprint is None):
            raise ValueError("treatments need the converter tcn and its fingerprint")
        if unknown := sorted(self.treatments.keys() - set(STEMS)):
            raise ValueError(f"there is no stem {unknown[0]!r}; there are {', '.join(STEMS)}")
        return self

    @property
    def reference(self) -> Referred | None:
        """The reference of most weight, where there is one."""
        return max(
            (told for told in self.references if told.stem is None),
            key=lambda told: told.weight,
            default=None,
        )

    def save(self, path: Path) -> Path:
        """Write as JSON, beside and renamed."""
        with beside(path) as partial:
            partial.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read and check. ConfigError names the first thing that is wrong, and where."""
        try:
            data = json.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError as error:
            raise ConfigError(
                f"{path} does not exist; give a result.json that `automix transfer --save` wrote"
            ) from error
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ConfigError(f"{path} can't be read as JSON: {error}") from error
        if isinstance(data, dict) and data.get("format") not in (1, FORMAT):
            raise ConfigError(
                f"{path} has format {data.get('format')!r}; this version reads formats 1 and {FORMAT}"
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise ConfigError(f"{path}: {explained(error)}") from error
