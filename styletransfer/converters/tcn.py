"""Direct transformation networks as files, and at work: a stem, its style and the reference's to a stage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from styletransfer import weights
from styletransfer.audio import STEMS
from styletransfer.converter.tcn import CHUNK_FRAMES, TCN, TCNConfig, TCNStage
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.errors import CheckpointError
from styletransfer.style import SongStyle, Style
from styletransfer.treating import Treatment

SHIPPED = "tcn-small"
"""The name of the network that comes with the program."""

FORMAT = 1

HEARD_LUFS = -23.0
"""How loud networks hear every stem, so that they need not know of levels; it is taken back afterwards."""

_MOST_DB = 30.0
_LEVEL_SCALE_DB = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class LoadedTCN:
    """A network ready to work, the first eight hex digits of its file's sha256, and its training facts.

    encoder   the fingerprint of the encoder whose styles it was trained with: no other's will do.
    amounts   stem → the share of its change that came closest to the truth on validation; 0 where it failed.
    """

    network: TCN
    fingerprint: str
    encoder: str
    amounts: dict[str, float]
    facts: dict[str, Any]

    name: ClassVar[Literal["tcn"]] = "tcn"

    def treatments(
        self, ours: SongStyle, theirs: SongStyle, stems: Iterable[str] = STEMS
    ) -> dict[str, Treatment]:
        """What stems are to be told so that they sound as the reference's; without those that a side lacks.

        How loud each gets follows the levels that stems have over their mixes, not the mixes' own, and all of
        them together keep their energy, so that what one side lacks doesn't move the balance of the others.
        The amounts are `amounts`; stems of which nothing is left are left out.
        ValueError for styles of another encoder than the network was trained with.
        """
        if {ours.encoder, theirs.encoder} != {self.encoder}:
            raise ValueError(
                f"the styles are of encoders {ours.encoder} and {theirs.encoder}, not {self.encoder}"
            )
        there = [
            name
            for name in stems
            if all(name in side.stems and not side.stems[name].silent for side in (ours, theirs))
        ]
        louder_db = {name: theirs.levels_db[name] - ours.levels_db[name] for name in there}
        energy = {name: 10 ** (ours.levels_db[name] / 10) for name in there}
        anchor_db = sum(louder_db[name] * energy[name] for name in there) / max(sum(energy.values()), 1e-9)
        size = self.network.config.condition
        found = {}
        for name in there:
            if self.amounts[name]:
                here, wanted = ours.stems[name], theirs.stems[name]
                told = condition(name, here, wanted, louder_db[name] - anchor_db, size)
                found[name] = Treatment.of(told, heard_db(here), self.amounts[name])
        return found

    def stages(self, told: Treatment, chunk_frames: int = CHUNK_FRAMES) -> list[TCNStage]:
        """What makes a stem at 44.1 kHz what it was told to be, for one sound: all of the change, whatever
        the treatment's amount."""
        vector = told.vector.to(next(self.network.parameters()).device)
        return [TCNStage(self.network, vector, gain_db=told.gain_db, chunk_frames=chunk_frames)]


def heard_db(style: Style) -> float:
    """How much louder than it is a stem is given to a network, in dB: as if it had HEARD_LUFS."""
    return 0.0 if style.silent else max(-_MOST_DB, min(_MOST_DB, HEARD_LUFS - style.loudness_lufs))


def condition(stem: str, ours: Style, theirs: Style, level_db: float, dimensions: int) -> Tensor:
    """What a network is told, (dimensions,): the reference's style and how the stem's own differs from it.

    level_db   by how much the stem should get louder.

    An encoder whose embedding has as many dimensions as the condition is heard alone, as in Koo et al. Else
    come both sides' learned and explicit parts, which stem it is, the level, and zeros up to the end.
    ValueError for an unknown stem, or where the dimensions are too few.
    """
    scale = math.sqrt(len(theirs.learned))  # a unit vector's numbers as large as deviations
    if len(theirs.learned) == dimensions:
        return theirs.learned * scale
    told = torch.cat(
        (
            theirs.learned * scale,
            theirs.explicit,
            (theirs.learned - ours.learned) * scale,
            theirs.explicit - ours.explicit,
            torch.eye(len(STEMS))[STEMS.index(stem)],
            torch.tensor([level_db / _LEVEL_SCALE_DB]),
        )
    )
    if len(told) > dimensions:
        raise ValueError(f"a condition of {len(told)} numbers doesn't fit into {dimensions}")
    return torch.nn.functional.pad(told, (0, dimensions - len(told)))


def condition_size(learned: int) -> int:
    """Dimensions of the condition with an encoder of so many, where both sides are heard."""
    return 2 * (learned + len(EXPLICIT_NAMES)) + len(STEMS) + 1


def load(name: str | Path = SHIPPED, device: str = "cpu") -> LoadedTCN:
    """The shipped network of that name, or one from a `.safetensors` file, in evaluation mode.

    CheckpointError if there is none, or if it is damaged or holds something else.
    """
    path, tensors, facts = weights.find(name)
    if facts.get("kind") != "tcn" or facts.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} holds no tcn converter that this version reads; train one")
    network = TCN(TCNConfig(**facts["config"]))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path.name} doesn't fit its own configuration; fetch it again") from error
    fingerprint = path.stem.rpartition("-")[2]
    return LoadedTCN(network.eval().to(device), fingerprint, facts["encoder"], facts["amounts"], facts)


def save(
    directory: Path,
    name: str,
    network: TCN,
    encoder: str,
    facts: Mapping[str, Any],
    amounts: Mapping[str, float] | None = None,
) -> tuple[Path, str]:
    """Write a network as float16 (counts as they are), with its config; the path, and its sha256.

    encoder   the fingerprint of the encoder whose styles it was trained with.
    amounts   see `LoadedTCN`; 1 where nothing is said.
    """
    tensors = {
        key: value.half() if value.dtype == torch.float32 else value
        for key, value in network.state_dict().items()
    }
    header = {
        **facts,
        "kind": "tcn",
        "format": FORMAT,
        "encoder": encoder,
        "amounts": dict.fromkeys(STEMS, 1.0) | dict(amounts or {}),
        "config": network.config.to_dict(),
    }
    return weights.save(directory, name, tensors, header)
