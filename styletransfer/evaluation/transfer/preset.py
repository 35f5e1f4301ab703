"""The constant preset: what the closed form sets on average, whatever the reference."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from styletransfer import __version__
from styletransfer.audio import STEMS, Audio
from styletransfer.converter.console import MASTER, STRIP, Settings, Stage, clamped
from styletransfer.converter.parameters import positions, settings_at
from styletransfer.corpus.folder import RATE, Corpus, CorpusSong
from styletransfer.errors import AudioError, ConfigError
from styletransfer.files import beside
from styletransfer.tasks import draw_settings
from styletransfer.weights import SHIPPED

from .answers import CLOSED, Converter

PATH = SHIPPED / "constant-preset.json"
"""The preset that evaluations compare with."""

PAIRS = 40
"""How many pairs of training songs are matched for it."""

_DRAWS = 400


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Preset(_Strict):
    """Mean console settings, and where they come from.

    pairs   of finished training songs of different packages whose closed-form matches were averaged.
    """

    format: Literal[1] = 1
    split: Literal["train"] = "train"
    pairs: Annotated[int, Field(ge=1)]
    seed: int
    date: str
    automix: str
    stems: dict[str, Settings]
    master: Settings

    def save(self, path: Path) -> Path:
        """Write it as JSON. AudioError where the folder or disk refuses."""
        with beside(path) as partial:
            partial.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return path


def load_preset(path: Path | None = None) -> Preset:
    """The preset in a file, or the one that comes with the program. ConfigError where it makes no sense."""
    path = path or PATH
    try:
        preset = Preset.model_validate_json(path.read_text(encoding="utf-8"))
        return preset.model_copy(
            update={
                "stems": {name: clamped(STRIP, preset.stems[name]) for name in STEMS},
                "master": clamped(MASTER, preset.master),
            }
        )
    except OSError as error:
        raise ConfigError(f"the preset {path} can't be read ({error.strerror}); check the name") from error
    except (ValidationError, KeyError) as error:
        raise ConfigError(f"{path} holds no preset; measure it again") from error


def measure_preset(
    corpus: Corpus,
    seed: int = 0,
    *,
    pairs: int = PAIRS,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Preset:
    """What the closed form sets on average for pairs of the corpus's finished training songs.

    Songs of a pair come in different packages. The master's gain, which brings any input to its reference's
    loudness, is left out. AudioError where the corpus has no such songs.
    """
    songs = corpus.songs("train", "wet")
    if len({song.packages for song in songs}) < 2:
        raise AudioError(f"{corpus.path} has too little finished music; run `automix corpus finished` first")
    generator = torch.Generator().manual_seed(seed)
    closed = Converter(CLOSED, {"converter": CLOSED, "gate": False})
    strips: dict[str, list[Settings]] = {name: [] for name in STEMS}
    masters: list[Settings] = []
    for number in range(pairs):
        first = songs[int(torch.randint(len(songs), (1,), generator=generator))]
        others = [song for song in songs if song.packages != first.packages]
        second = others[int(torch.randint(len(others), (1,), generator=generator))]
        console = closed.transfer(*(_read(song) for song in (first, second)), exact=False).document.console
        for name, settings in console.stems().items():
            strips[name].append(settings)
        masters.append(console.master | {"gain": {"gain_db": 0.0}})
        progress((number + 1) / pairs)
    return Preset(
        pairs=pairs,
        seed=seed,
        date=datetime.date.today().isoformat(),
        automix=__version__,
        stems={name: mean_settings(found) for name, found in strips.items()},
        master=mean_settings(masters, MASTER),
    )


def drawn_preset(seed: int = 0, draws: int = _DRAWS) -> dict[str, Settings]:
    """The mean of the settings that training's tasks are drawn from, by stem."""
    generator = torch.Generator().manual_seed(seed)
    return {name: mean_settings(draw_settings(generator, name) for _ in range(draws)) for name in STEMS}


def mean_settings(settings: Iterable[Settings], table: Mapping[str, Stage] = STRIP) -> Settings:
    """The mean of some strips on the knobs' perceptual scales; ValueError without any."""
    strip = dict(table)
    vectors = [positions(strip, one) for one in settings]
    if not vectors:
        raise ValueError("there are no settings to average")
    return settings_at(strip, torch.stack(vectors).mean(0))


def _read(song: CorpusSong) -> tuple[Audio, dict[str, torch.Tensor]]:
    stems = {name: song.read(name) for name in song.stems}
    return Audio(torch.stack(list(stems.values())).sum(0), RATE), stems
