"""The console converter as a file, and at work: a trained network corrects the closed-form match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from styletransfer import weights
from styletransfer.converter.console import MASTER, STRIP, Settings, for_louder, neutral
from styletransfer.converter.network import STRIPS, ConsoleConfig, ConsoleNetwork, Heard, padded
from styletransfer.converter.parameters import positions, settings_at
from styletransfer.errors import CheckpointError
from styletransfer.normalization import neutral_lufs
from styletransfer.style import SongStyle, Style

SHIPPED = "console-small"
"""The name of the console network that comes with the program."""

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class LoadedConsole:
    """A console network ready to convert.

    fingerprint  the first eight hex digits of its file's sha256; encoder: of the encoder it was trained with.
    """

    network: ConsoleNetwork
    fingerprint: str
    encoder: str
    facts: dict[str, Any]
    name: ClassVar[Literal["console"]] = "console"

    @torch.no_grad()
    def corrected(
        self, strips: Mapping[str, Settings], ours: SongStyle, theirs: SongStyle
    ) -> dict[str, Settings]:
        """Stems' settings with the network's residuals added to what the closed form set.

        Strips that the closed form left neutral, since a side lacks the stem, stay so. The network knows
        only stems as loud as the neutral state, so it is shown settings for that loudness, and what it makes
        of them is brought back. ValueError for styles of another encoder than the network was trained with.
        """
        if {ours.encoder, theirs.encoder} != {self.encoder}:
            raise ValueError(
                f"the styles are of encoders {ours.encoder} and {theirs.encoder}, not {self.encoder}"
            )
        resting = neutral(STRIP)
        present = [
            name
            for name, settings in strips.items()
            if settings != resting and not (ours.stems[name].silent or theirs.stems[name].silent)
        ]
        if not present:
            return dict(strips)
        louder_db = {name: neutral_lufs(name) - ours.stems[name].loudness_lufs for name in present}
        shown = [for_louder(STRIP, strips[name], louder_db[name]) for name in present]
        before = torch.stack([positions(STRIP, settings) for settings in shown])
        told = heard([ours.stems[name] for name in present], [theirs.stems[name] for name in present], before)
        residuals = self.network(told, torch.tensor([STRIPS.index(name) for name in present]))
        after = before + residuals[:, : before.shape[1]]
        turned = {
            name: for_louder(STRIP, settings_at(STRIP, row), -louder_db[name])
            for name, row in zip(present, after, strict=True)
        }
        return {**strips, **turned}

    @property
    def sets_master(self) -> bool:
        """Whether it has anything to say to the master."""
        return bool(self.network.scale[STRIPS.index("master")].any())

    @torch.no_grad()
    def corrected_master(self, settings: Settings, ours: Style, theirs: Style) -> Settings:
        """The master's settings with the network's residuals added to what the closed form set.

        ours   the style of the bus in front of the master; theirs of the reference's mix; both as the
               network's encoder hears them.
        """
        louder_db = neutral_lufs("mix") - ours.loudness_lufs
        before = positions(MASTER, for_louder(MASTER, settings, louder_db))[None]
        residuals = self.network(heard([ours], [theirs], before), torch.tensor([STRIPS.index("master")]))
        return for_louder(MASTER, settings_at(MASTER, (before + residuals)[0]), -louder_db)


def heard(ours: list[Style], theirs: list[Style], closed_form: Tensor) -> Heard:
    """What a network is told of strips, from the styles of both sides and the closed form's positions."""
    return Heard(
        input=torch.stack([style.learned for style in ours]),
        reference=torch.stack([style.learned for style in theirs]),
        explicit_input=torch.stack([style.explicit for style in ours]),
        explicit_reference=torch.stack([style.explicit for style in theirs]),
        closed_form=padded(closed_form),
    )


def load(name: str | Path = SHIPPED) -> LoadedConsole:
    """The shipped network of that name, or one from a `.safetensors` file, in evaluation mode.

    CheckpointError if there is none, or if it is damaged or holds something else.
    """
    path, tensors, facts = weights.find(name)
    if facts.get("kind") != "console" or facts.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} holds no console converter that this version reads")
    network = ConsoleNetwork(ConsoleConfig(**facts["config"]))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path.name} doesn't fit its own configuration; fetch it again") from error
    return LoadedConsole(network.eval(), path.stem.rpartition("-")[2], str(facts["encoder"]), facts)


def save(
    directory: Path, name: str, network: ConsoleNetwork, encoder: str, facts: Mapping[str, Any]
) -> tuple[Path, str]:
    """Write a network as float16 with its config and its encoder's fingerprint; the path, and its sha256."""
    tensors = {key: value.half() for key, value in network.state_dict().items()}
    header = {
        **facts,
        "kind": "console",
        "format": FORMAT,
        "encoder": encoder,
        "config": network.config.to_dict(),
    }
    return weights.save(directory, name, tensors, header)
