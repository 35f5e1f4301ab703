"""Trained splitters: their configuration, their files, and how one takes an accompaniment apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from styletransfer import weights
from styletransfer.audio import STEMS
from styletransfer.errors import CheckpointError

from .split_bands import SplitBands
from .split_tdf import SplitTDF
from .split_unet import FRESH, MULTIPLE, SplitUNet

SOURCES = STEMS[:3]
"""What an accompaniment is split into, in this order."""

SHIPPED = "splitter-small"
"""The name of the splitter that comes with the program, as soon as one does."""

FORMAT = 1
FFT, HOP = 4096, 1024
LEVEL = 0.2
"""RMS of the mixes that splitters are trained on, and to which a mix is brought for them."""

_EXTENDED_FROM = 256  # top bins whose mean mask serves for what lies above them

Architecture = Literal["unet", "bands", "tdf"]


@dataclass(frozen=True, slots=True)
class SplitterConfig:
    """What a splitter's network is.

    architecture  "unet" (Spleeter's, softmax masks), "bands" (band-split, complex masks) or "tdf" (TFC-TDF,
                  complex masks).
    bins          of the 4096-point spectrum that it hears; above them its topmost masks' mean serves.
    width         its channels: before the last layer (unet), per token (bands), at the top level (tdf).
    """

    architecture: Architecture = "unet"
    bins: int = 1024
    width: int = 8


def build(config: SplitterConfig) -> nn.Module:
    """The network: complex spectra (batch, 2, bins, frames) → masks (batch, 3, 2, bins, frames), sum one."""
    if config.architecture == "unet":
        return SplitUNet(len(SOURCES), config.width)
    if config.architecture == "bands":
        return SplitBands(len(SOURCES), config.bins, config.width)
    return SplitTDF(len(SOURCES), config.bins, config.width)


def start(network: nn.Module, seed: int) -> frozenset[str]:
    """Start a U-Net from Spleeter's accompaniment network; the names of the parameters that came from it."""
    if not isinstance(network, SplitUNet):
        return frozenset()
    network.start_from(weights.load("spleeter-accompaniment")[0], Generator().manual_seed(seed))
    return learnable(network) - frozenset(key for key in learnable(network) if key.startswith(FRESH))


def learnable(network: nn.Module) -> frozenset[str]:
    """The names of the parameters that training may change."""
    return frozenset(key for key, parameter in network.named_parameters() if parameter.requires_grad)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedSplitter:
    """A network ready to split, its configuration, its file's first eight hex digits, and training facts."""

    network: nn.Module
    config: SplitterConfig
    fingerprint: str
    facts: dict[str, Any]


def load(name: str | Path = SHIPPED, device: str = "cpu") -> LoadedSplitter:
    """The shipped splitter of that name, or one from a `.safetensors` file, in evaluation mode.

    CheckpointError if there is none, or if it is damaged or holds something else.
    """
    path, tensors, facts = weights.find(name)
    if facts.get("kind") != "splitter" or facts.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} holds no splitter that this version reads; train or fetch one")
    try:
        config = SplitterConfig(**facts["config"])
        network = build(config)
        network.load_state_dict(tensors)
    except (TypeError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path.name} doesn't fit its own configuration; fetch it again") from error
    return LoadedSplitter(network.eval().to(device), config, path.stem.rpartition("-")[2], facts)


def save(
    directory: Path, name: str, network: nn.Module, config: SplitterConfig, facts: Mapping[str, Any]
) -> tuple[Path, str]:
    """Write a splitter as float16 (what is named `norm` as it is); the path, and its sha256."""
    tensors = {
        key: value.half() if value.dtype == torch.float32 and "norm" not in key else value
        for key, value in network.state_dict().items()
    }
    header = {**facts, "kind": "splitter", "format": FORMAT, "config": asdict(config)}
    return weights.save(directory, name, tensors, header)


class LearnedSplitter:
    """A trained network as a splitter (see `splitter.Splitter`).

    Its masks sum to one, so its stems sum to the accompaniment. It hears both channels and hears them again
    swapped, and takes the mean, so that neither side is favoured and mono stays mono.
    """

    def __init__(self, loaded: LoadedSplitter, device: str = "cpu") -> None:
        self._network, self._bins, self._device = loaded.network, loaded.config.bins, device
        self.fingerprint = f"{loaded.config.architecture}-1 {loaded.fingerprint} {FFT}/{HOP}"

    @torch.inference_mode()
    def split(self, accompaniment: Tensor, rate: int, gain: float = 1.0) -> Tensor:
        frames = accompaniment.shape[-1]
        window = torch.hann_window(FFT, device=self._device)
        padded = F.pad(accompaniment.to(self._device), (0, -frames % HOP))
        spectrum = torch.stft(padded, FFT, HOP, window=window, pad_mode="constant", return_complex=True)
        masks = self.masks(spectrum[:, : self._bins] * gain)
        above = FFT // 2 + 1 - self._bins
        top = masks[:, :, -_EXTENDED_FROM:].mean(2, keepdim=True).expand(-1, -1, above, -1)
        parts = (spectrum * torch.cat((masks, top), 2))[: len(SOURCES) - 1].flatten(0, 1)
        sounds = torch.istft(parts, FFT, HOP, window=window, length=padded.shape[-1])
        first = sounds.unflatten(0, (-1, 2))[..., :frames].cpu()
        return torch.cat((first, (accompaniment.cpu() - first.sum(0))[None]))

    def masks(self, spectrum: Tensor) -> Tensor:
        """(2, bins, frames) complex → (3, 2, bins, frames), for any number of frames."""
        frames = spectrum.shape[-1]
        whole = F.pad(spectrum, (0, -frames % MULTIPLE))
        straight, swapped = self._network(torch.stack((whole, whole.flip(0))))[..., :frames]
        found: Tensor = (straight + swapped.flip(1)) / 2
        return found
