"""Which embeddings are compared? Each turns excerpts into vectors: raw statistics, networks, the encoder."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import torch
from torch import Tensor

from styletransfer.encoder import band_loudness, description, explicit, frontend, movements, network
from styletransfer.encoder.frontend import Frontend
from styletransfer.encoder.network import EncoderConfig, FXEncoder
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import CheckpointError, UsageError

RATE = 44_100

MEL = "mel statistics"
EXPLICIT = "explicit features"
UNTRAINED = "untrained network"
MEE = "MEE"
LEARNED = "learned part"
ENCODER = "encoder"
"""How tables name the systems; all but the last two are the baselines that every figure stands beside. The
encoder's embedding is a style's: its learned part and the explicit features."""

Embed = Callable[[Tensor, str], Tensor]
"""samples (N, 2, time) float32 at 44.1 kHz, or the vectors (N, D) of the system that it reads, and the stem
("drums" … "vocals", "mix") → (N, D)."""


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """One embedding.

    fingerprint  changes whenever its answers would: kept embeddings are found by it.
    scaled       its dimensions are raw measures in units of their own, compared after scaling each to unit
                 deviation; else by cosine.
    trained_on   the pieces it learned from, as `split.piece_mark` writes them; or empty.
    reads        what it hears in place of samples: another system's vectors, kept instead of its own.
    """

    name: str
    embed: Embed
    fingerprint: str
    scaled: bool = False
    trained_on: frozenset[str] = frozenset()
    reads: System | None = None


def mel_statistics() -> System:
    """Mean and deviation over time of log-mel bands of left, right, mid and side: the raw baseline."""
    return System(MEL, _embed_mel, _fingerprint(MEL, _embed_mel, mel_matrix, log_mel), scaled=True)


def _fingerprint(name: str, *sources: Callable[..., object]) -> str:
    text = "".join(inspect.getsource(source) for source in sources)
    return f"{name} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def descriptions() -> System:
    """What the small networks read of excerpts: heard once, read by all of them and by those to come."""
    hear = Frontend().eval()

    @torch.inference_mode()
    def embed(samples: Tensor, stem: str) -> Tensor:
        return torch.cat([description.describe(hear(part)) for part in samples.split(_AT_A_TIME)])

    heard = (description, movements, band_loudness, explicit, frontend)
    return System("description", embed, f"description {_code_of(*heard)}")


def explicit_features(described: System) -> System:
    """The explicit features beside the learned part, alone."""

    def embed(vectors: Tensor, stem: str) -> Tensor:
        return vectors[:, : len(explicit.EXPLICIT_NAMES)]

    return System(EXPLICIT, embed, f"{EXPLICIT} {described.fingerprint}", scaled=True, reads=described)


def untrained_network(described: System, config: EncoderConfig | None = None, seed: int = 0) -> System:
    """The encoder's network as it is before training, its batch norms at rest.

    Nothing of the training set is in it, not even the mean and spread of what is read: with these it finds
    fewer styles (R@1 of .08 instead of .17 on mixes, 4 effects), so this is the stronger baseline.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = FXEncoder(config).eval()
    mark = f"{UNTRAINED} {seed} {built.config} {_code_of(network)} {described.fingerprint}"
    return _of_network(UNTRAINED, built, mark, described)


def trained_network(name: str, loaded: LoadedEncoder, described: System, *, whole: bool = False) -> System:
    """A network from a checkpoint, under the name that tables shall give it.

    whole   the embedding of a style, the explicit features with the learned part.

    CheckpointError where it doesn't say what it was trained on.
    """
    pieces = loaded.facts.get("trained_on")
    if not isinstance(pieces, list) or not pieces:
        raise CheckpointError(
            f"the checkpoint of {name} ({loaded.fingerprint}) doesn't say which pieces it was trained on "
            "(trained_on), so that it can't be judged on held-out ones; train it again"
        )
    mark = f"{name} {loaded.fingerprint} {_code_of(network)} {described.fingerprint}"
    return _of_network(name, loaded.network, mark, described, frozenset(pieces), whole=whole)


def _of_network(
    name: str,
    built: FXEncoder,
    mark: str,
    described: System,
    pieces: frozenset[str] = frozenset(),
    *,
    whole: bool = False,
) -> System:
    if built.config.preset != "small":

        def embed_samples(samples: Tensor, stem: str) -> Tensor:
            learned = built.embed(samples, stem)
            return network.joined(learned, built.explicit(samples, stem)) if whole else learned

        return System(name, embed_samples, mark, trained_on=pieces)

    def embed(vectors: Tensor, stem: str) -> Tensor:
        number = torch.full((len(vectors),), network.stem_number(stem))
        learned = torch.nn.functional.normalize(built.hear(vectors, number), dim=-1)
        if not whole:
            return learned
        return network.joined(learned, built.explicit_part(vectors, number))

    return System(name, embed, mark, trained_on=pieces, reads=described)


def _code_of(*modules: ModuleType) -> str:
    return hashlib.sha256("".join(map(inspect.getsource, modules)).encode()).hexdigest()[:16]


def chosen(systems: Iterable[System], names: Iterable[str] | None) -> list[System]:
    """The systems of those names, in their order; all without names. UsageError for a name not there."""
    known = {system.name: system for system in systems}
    if names is None:
        return list(known.values())
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(f"there is no system {missing[0]!r} to compare; there are {', '.join(known)}")
    return [system for name, system in known.items() if name in set(names)]


MEL_BANDS = 64
_FFT, _HOP = 2048, 1024
_FLOOR = 1e-10  # of power: −100 dB
_AT_A_TIME = 4  # excerpts: more don't fit a cache


@torch.inference_mode()
def _embed_mel(samples: Tensor, stem: str) -> Tensor:
    parts = [log_mel(part) for part in samples.split(_AT_A_TIME)]
    return torch.cat([torch.cat([part.mean(-1), part.std(-1)], -1).flatten(1) for part in parts])


def log_mel(samples: Tensor) -> Tensor:
    """Mel bands in dB (N, 4 signals, MEL_BANDS, frames) of (N, 2, time): left, right, mid, side."""
    window = torch.hann_window(_FFT, device=samples.device)
    spectrum = torch.stft(
        samples.flatten(0, 1), _FFT, _HOP, window=window / window.sum(), return_complex=True
    ).unflatten(0, (-1, 2))
    left, right = spectrum.unbind(1)
    signals = torch.stack([left, right, (left + right) / 2, (left - right) / 2], 1)
    power = mel_matrix().to(samples.device) @ torch.view_as_real(signals).square().sum(-1)
    return 10 * torch.log10(power.clamp(min=_FLOOR))


@cache
def mel_matrix() -> Tensor:
    """(MEL_BANDS, bins): triangles equally spaced in mel from 20 Hz to 20 kHz, each summing to one.

    Source   O'Shaughnessy 1987: mel = 2595 log10(1 + f / 700).
    """
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (20, 20_000))
    edges = 700 * (10 ** (torch.linspace(low, high, MEL_BANDS + 2, dtype=torch.float64) / 2595) - 1)
    bins = torch.arange(_FFT // 2 + 1, dtype=torch.float64) * RATE / _FFT
    centre, width = edges[1:-1, None], RATE / _FFT  # narrow triangles are widened to reach a bin
    rise = (bins - centre) / (centre - edges[:-2, None]).clamp(min=width) + 1
    fall = (centre - bins) / (edges[2:, None] - centre).clamp(min=width) + 1
    weights = torch.minimum(rise, fall).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True)).float()
