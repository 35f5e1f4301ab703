"""What a neutral passage is to the training: how it sounds as it is, and through some random settings.

Hearing and measuring take longer than training, so each passage is kept in a file of its own, with and
without having passed through the separator.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors
import torch
from torch import Generator, Tensor

from styletransfer import weights
from styletransfer.audio import STEMS, Audio
from styletransfer.converter.console import MASTER, STRIP, Settings
from styletransfer.converter.parameters import positions
from styletransfer.corpus.folder import RATE
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.encoder.measures import BAND_HZ, Measures, measure
from styletransfer.encoders import LoadedEncoder
from styletransfer.matching import SongMeasures
from styletransfer.matching.dynamics import Compression, bus_compressions, stem_compressions
from styletransfer.separation import Separator
from styletransfer.style import Style, part_styles
from styletransfer.tasks import Neutral, StemSamples, apply_loosely, draw_master, draw_settings
from styletransfer.tasks.separating import taken_apart

from .recipe import EXCERPT_S

CONDITIONS = ("true", "separated")
INPUTS = 2
"""A passage is an input in its neutral state, and as its first take left it: as another engineer mixed it."""

_EXCERPT = round(EXCERPT_S * RATE)
_BANDS = len(BAND_HZ)
_PARTS = (*STEMS, "mix")
_FORMAT = 3
_SCALARS = (
    "bandwidth_hz",
    "loudness_lufs",
    "crest_db",
    "punch_db",
    "spread_db",
    "width_db",
    "balance_db",
    "activity",
)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One rendering of a passage under one condition, as a converter hears it, silent stems included."""

    measures: SongMeasures
    styles: dict[str, Style]


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A neutral passage, heard.

    neutral   where its samples are; path: where what was heard of it is kept.
    settings  (takes, 4 stems, knobs) positions of each take's true settings, in the order of STEMS.
    sides     condition → the neutral state, then each take.
    tried     condition → input (see INPUTS) → stem → what compressors do to it; "true" has "master", too.
    masters   (takes, knobs) positions of each take's master; mastered: the neutral mix behind it.
    """

    neutral: Neutral
    settings: Tensor
    sides: dict[str, list[Side]]
    tried: dict[str, list[dict[str, list[Compression]]]]
    masters: Tensor
    mastered: list[Side]
    path: Path

    def excerpt(self, condition: str, state: int) -> StemSamples:
        """EXCERPT_S of an input's stems, (2, time) each, the same time of all: of those that play, or of
        every one that the separator gives."""
        names = self.neutral.names if condition == "true" else STEMS
        with safetensors.safe_open(self.path, framework="pt") as file:
            return dict(zip(names, file.get_tensor(f"{condition}.{state}.excerpt").float(), strict=True))


def hear(
    neutral: Neutral,
    folder: Path,
    takes: int,
    foreign_share: float,
    seed: int,
    encoder: LoadedEncoder,
    separator: Separator,
) -> Passage:
    """The passage as it is kept in `folder`; heard and kept where it isn't there yet."""
    heard_by = encoder.fingerprint, separator.fingerprint
    told = json.dumps([_FORMAT, neutral.path.name, takes, foreign_share, seed, *heard_by])
    key = hashlib.sha256(told.encode()).hexdigest()
    path = folder / f"{neutral.path.stem}-{key[:8]}.safetensors"
    if not path.is_file():
        chance = Generator().manual_seed(int(key[:15], 16))
        stems = neutral.stems()
        drawn = [{name: draw_settings(chance, name) for name in STEMS} for _ in range(takes)]
        settings = [torch.stack([positions(STRIP, take[name]) for name in STEMS]) for take in drawn]
        masters = [draw_master(chance) for _ in range(takes)]
        tensors: dict[str, Tensor] = {
            "settings": torch.stack(settings),
            "masters": torch.stack([positions(MASTER, master) for master in masters]),
        }
        tried: dict[str, list[dict[str, list[dict[str, object]]]]] = {name: [] for name in CONDITIONS}
        start = int(torch.randint(next(iter(stems.values())).shape[1] - _EXCERPT + 1, (), generator=chance))
        for index, take in enumerate([None, *drawn]):
            rendered = stems if take is None else _loosely(stems, take, foreign_share, chance)
            mix = torch.stack(list(rendered.values())).sum(0)
            apart = {"true": rendered, "separated": taken_apart(mix, separator)[0]}
            for condition, heard in apart.items():
                tensors |= _packed(f"{condition}.{index}", heard, mix, encoder)
                if index < INPUTS:
                    cuts = [samples[:, start : start + _EXCERPT] for samples in heard.values()]
                    tensors[f"{condition}.{index}.excerpt"] = torch.stack(cuts).half()
                    tried[condition].append(
                        {
                            name: [asdict(one) for one in stem_compressions(Audio(samples, RATE), name)]
                            for name, samples in heard.items()
                        }
                    )
        mix = torch.stack(list(stems.values())).sum(0)
        tried["true"][0]["master"] = [asdict(one) for one in bus_compressions(Audio(mix, RATE))]
        for index, master in enumerate(masters):
            behind = apply_loosely(mix, MASTER, master, foreign_share, chance)
            tensors |= _packed(f"mastered.{index}", {}, behind, encoder)
        weights.write(path, tensors, {"tried": json.dumps(tried)})
    return read(path, neutral)


def _loosely(
    stems: StemSamples, settings: Mapping[str, Settings], share: float, chance: Generator
) -> StemSamples:
    return {
        name: apply_loosely(samples, STRIP, settings[name], share, chance) for name, samples in stems.items()
    }


def _packed(prefix: str, stems: StemSamples, mix: Tensor, encoder: LoadedEncoder) -> dict[str, Tensor]:
    sounds = {"mix": mix, **stems}
    styles = part_styles({name: Audio(samples, RATE) for name, samples in sounds.items()}, encoder)
    silence = torch.zeros(2, mix.shape[1])
    rows, learned, explicit, loudness = [], [], [], []
    for name in _PARTS:
        heard = measure(sounds.get(name, silence), RATE)
        scalars = torch.tensor([getattr(heard, scalar) for scalar in _SCALARS], dtype=torch.float64)
        rows.append(torch.cat((heard.mid_db, heard.side_db, scalars)).float())
        style = styles.get(name)
        some = next(iter(styles.values()))
        learned.append(torch.zeros_like(some.learned) if style is None else style.learned)
        explicit.append(torch.zeros(len(EXPLICIT_NAMES)) if style is None else style.explicit)
        loudness.append(-70.0 if style is None else style.loudness_lufs)
    return {
        f"{prefix}.measures": torch.stack(rows),
        f"{prefix}.learned": torch.stack(learned),
        f"{prefix}.explicit": torch.stack(explicit),
        f"{prefix}.loudness_lufs": torch.tensor(loudness),
    }


def read(path: Path, neutral: Neutral) -> Passage:
    """A passage that `hear` kept there."""
    with safetensors.safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys() if not key.endswith(".excerpt")}  # noqa: SIM118
        tried: Mapping[str, list[dict[str, list[dict[str, object]]]]] = json.loads(file.metadata()["tried"])
    takes = len(tensors["settings"])
    return Passage(
        neutral,
        tensors["settings"],
        {
            condition: [_side(tensors, f"{condition}.{index}") for index in range(takes + 1)]
            for condition in CONDITIONS
        },
        {
            condition: [
                {name: [Compression(**one) for one in tries] for name, tries in stems.items()}  # type: ignore[arg-type]
                for stems in inputs
            ]
            for condition, inputs in tried.items()
        },
        tensors["masters"],
        [_side(tensors, f"mastered.{index}") for index in range(takes)],
        path,
    )


def _side(tensors: Mapping[str, Tensor], prefix: str) -> Side:
    found, styles = {}, {}
    for index, name in enumerate(_PARTS):
        row = tensors[f"{prefix}.measures"][index].double()
        mid_db, side_db, scalars = row.split([_BANDS, _BANDS, len(_SCALARS)])
        found[name] = Measures(mid_db, side_db, **dict(zip(_SCALARS, scalars.tolist(), strict=True)))
        learned, explicit = (tensors[f"{prefix}.{part}"][index] for part in ("learned", "explicit"))
        loudness = float(tensors[f"{prefix}.loudness_lufs"][index])
        spread = torch.zeros_like(learned), torch.zeros_like(explicit)
        styles[name] = Style(learned, spread[0], explicit, spread[1], loudness)
    mix = found.pop("mix")
    return Side(SongMeasures(mix, found), styles)
