"""Demucs as a separator. Nothing else in this project imports it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import demucs.api
import demucs.hf
import demucs.pretrained
import demucs.repo
import demucs.states
import huggingface_hub
import torch
import yaml
from demucs.apply import BagOfModels
from torch import Tensor, nn

from styletransfer.audio import STEMS, Audio
from styletransfer.errors import SeparationError

from .overlap import cross_faded

PATCH_S, OVERLAP_S = 24.0, 2.0
_HUB = "huggingface.co"
_HUB_TIMEOUT_S = 3.0
_DEMUCS_OVERLAP = 0.25
_unittest_model: Callable[[], nn.Module] = demucs.pretrained.demucs_unittest
_load_model: Callable[[Path], nn.Module] = demucs.states.load_model


def is_here(name: str, repo: Path | None = None) -> bool:
    """Whether a model can be loaded without the network."""
    return name == "demucs_unittest" or _weights_of(name, repo) is not None


class Demucs:
    """A model that demucs knows, without its random shifts; sources beyond the four join `other`.

    Source: Rouard, Massa & Défossez, "Hybrid transformers for music source separation", ICASSP 2023.
    """

    def __init__(self, name: str, repo: Path | None = None, device: str = "cpu") -> None:
        self.name = name
        model = _model(name, repo)
        self._separator = _Api(model, device)
        self.rate: int = self._separator.samplerate
        parts = list(getattr(model, "models", [model]))
        # Whole strides of demucs' own segments, so that none is computed for a short end.
        stride = max(int((1 - _DEMUCS_OVERLAP) * int(self.rate * float(part.segment))) for part in parts)
        self._patch = stride * max(1, int(PATCH_S * self.rate) // stride)
        self._overlap = min(int(OVERLAP_S * self.rate), self._patch // 2)
        settings = f"{_DEMUCS_OVERLAP} {self._patch}/{self._overlap}"
        self.fingerprint = f"demucs-{version('demucs')} {name} {_digest(model)} {settings}"

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        samples = mix.with_channels(2).at_rate(self.rate).samples
        return cross_faded(samples, self._patch, self._overlap, self._separate)

    def _separate(self, samples: Tensor) -> Tensor:
        """(2, frames) → (4 stems, 2, frames)."""
        _, estimates = self._separator.separate_tensor(samples)
        stems = torch.zeros(len(STEMS), *samples.shape)
        for source, estimate in estimates.items():
            stems[STEMS.index(source if source in STEMS else "other")] += estimate.cpu()
        return stems


class _Api(demucs.api.Separator):
    """The library's separator, given its model instead of fetching one."""

    def __init__(self, model: nn.Module, device: str) -> None:
        self._given = model
        super().__init__(device=device, shifts=0, overlap=_DEMUCS_OVERLAP, progress=False)

    def _load_model(self) -> None:
        self._model = self._given
        self._audio_channels = self._model.audio_channels
        self._samplerate = self._model.samplerate


def _model(name: str, repo: Path | None) -> nn.Module:
    if name == "demucs_unittest":
        return _unittest_model()
    here = _weights_of(name, repo)
    if here is None:
        _check_hub(name, repo)
    # Demucs and the hub talk on stderr, and end the process where they give up.
    with contextlib.redirect_stderr(io.StringIO()) as talk:
        try:
            return demucs.pretrained.get_model(name) if here is None else _load(*here)
        except (Exception, SystemExit) as error:
            reason = " ".join(talk.getvalue().split()) or str(error)
            raise SeparationError(f"the weights of {name} can't be loaded: {reason}") from error


def _weights_of(name: str, repo: Path | None) -> tuple[dict[str, Any], list[Path]] | None:
    """A model's recipe and the files of its parts, if all are on this machine."""
    for bags in (repo, demucs.pretrained.REMOTE_ROOT):
        recipe = bags and bags / f"{name}.yaml"
        if recipe and recipe.is_file():
            bag = yaml.safe_load(recipe.read_text(encoding="utf-8"))
            break
    else:
        bag = {"models": [name]}
    paths = [_part(name, signature, repo) for signature in bag["models"]]
    return (bag, [path for path in paths if path]) if all(paths) else None


def _part(name: str, signature: str, repo: Path | None) -> Path | None:
    folder = Path(torch.hub.get_dir()) / "checkpoints" if repo is None else repo
    for pattern in (f"{signature}.safetensors", f"{signature}-*.th", f"{signature}.th"):
        for path in sorted(folder.glob(pattern)):
            return path
    if repo is None:
        hub = f"{demucs.hf.DEFAULT_NAMESPACE}/{demucs.hf.hf_repo_name(name)}"
        cached = huggingface_hub.try_to_load_from_cache(hub, f"{signature}.safetensors")
        return Path(cached) if isinstance(cached, str) else None
    return None


def _load(bag: dict[str, Any], paths: list[Path]) -> nn.Module:
    models: list[Any] = []
    for path in paths:
        if path.suffix == ".safetensors":
            models.append(demucs.hf.load_safetensors_model(path))
        else:
            if "-" in path.stem:
                demucs.repo.check_checksum(path, path.stem.rpartition("-")[2])
            models.append(_load_model(path))
    model: nn.Module = BagOfModels(models, bag.get("weights"), bag.get("segment"))
    return model.eval()


def _check_hub(name: str, repo: Path | None) -> None:
    """SeparationError where asking the hub can't help; demucs itself would try for half a minute."""
    known = demucs.api.list_models()
    if repo is not None:
        raise SeparationError(
            f"{repo} does not hold the weights of {name}; put its .th or .safetensors files there, "
            "or leave --repo out to fetch them"
        )
    if name not in known["bag"] and name not in known["single"] and not name.startswith("hf://"):
        names = ", ".join(sorted(known["bag"]))
        raise SeparationError(f"there is no separator named {name}; choose builtin or one of {names}")
    if name.endswith("_q") and importlib.util.find_spec("diffq") is None:
        raise SeparationError(f"{name} needs the package diffq; install it, or choose {name[:-2]}")
    if not urllib.request.getproxies() and not _answers(_HUB):
        raise SeparationError(
            f"the weights of {name} are not on this machine and {_HUB} can't be reached; connect, "
            "name a folder that holds them with --repo, or use --separator builtin"
        )


def _answers(host: str) -> bool:
    answered = threading.Event()

    def knock() -> None:
        with contextlib.suppress(OSError), socket.create_connection((host, 443), _HUB_TIMEOUT_S):
            answered.set()

    # A thread of its own, since looking up a name has no time limit.
    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(_HUB_TIMEOUT_S)
    return answered.is_set()


def _digest(model: nn.Module) -> str:
    digest = hashlib.sha256()
    for key, tensor in model.state_dict().items():
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    weights = getattr(model, "weights", None)
    digest.update(repr(weights).encode())
    return digest.hexdigest()[:16]
