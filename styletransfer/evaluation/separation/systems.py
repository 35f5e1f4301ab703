"""Which separators are compared? Two baselines, what was asked for, htdemucs where it is, and an oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.separation import Separator, choose, separate
from styletransfer.separation.builtin import Builtin
from styletransfer.separation.splitter import FFT, HOP, MedianSplitter

MIX = "mix as every stem"
MEDIAN = "voice network + harmonic/percussive"
ORACLE = "ideal ratio mask (oracle)"
HTDEMUCS = "htdemucs"


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """One way to take a mix apart; `separate` is told the truth, which only the oracle looks at."""

    name: str
    fingerprint: str
    separate: Callable[[Audio, Stems], Stems]


def line_up(separator: str, repo: Path | None = None, device: str = "cpu") -> list[System]:
    """The baselines, the separator asked for, htdemucs where its weights are here, and the oracle.

    SeparationError or CheckpointError where the separator can't be had.
    """
    from styletransfer.separation import htdemucs

    chosen = choose(separator, repo=repo, device=device)
    median = Builtin(device, MedianSplitter())
    found = [System(MIX, MIX, _mix), _learned(MEDIAN, median)]
    if chosen.fingerprint != median.fingerprint:
        found.append(_learned(Path(chosen.name).stem, chosen))
    if chosen.name != HTDEMUCS and htdemucs.is_here(HTDEMUCS, repo):
        found.append(_learned(HTDEMUCS, choose(HTDEMUCS, repo=repo, device=device)))
    return [*found, System(ORACLE, f"{ORACLE} {FFT}/{HOP}", ideal_ratio_mask)]


def ideal_ratio_mask(mix: Audio, truth: Stems) -> Stems:
    """The mix masked by each stem's share of the magnitudes, known from the truth: a masker's ceiling.

    What no known stem claims (a track that isn't scored) has its share, too.
    """
    window = torch.hann_window(FFT)

    def spectrum(samples: torch.Tensor) -> torch.Tensor:
        return torch.stft(samples, FFT, HOP, window=window, pad_mode="constant", return_complex=True)

    left = mix.samples - torch.stack([stem.samples for stem in truth.values()]).sum(0)
    magnitudes = {name: spectrum(stem.samples).abs() for name, stem in truth.items()}
    total = torch.stack(list(magnitudes.values())).sum(0) + spectrum(left).abs()
    whole = spectrum(mix.samples) / total.clamp(min=1e-10)
    return {
        name: Audio(torch.istft(whole * share, FFT, HOP, window=window, length=mix.frames), mix.rate)
        for name, share in magnitudes.items()
    }


def _mix(mix: Audio, truth: Stems) -> Stems:
    return dict.fromkeys(STEMS, mix)


def _learned(name: str, used: Separator) -> System:

    def take_apart(mix: Audio, truth: Stems) -> Stems:
        return {stem: sound.at_rate(mix.rate) for stem, sound in separate(mix, used).items()}

    return System(name, used.fingerprint, take_apart)
