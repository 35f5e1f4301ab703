"""The separator that comes along: Spleeter's voice network, then a splitter for what is left."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from styletransfer import weights
from styletransfer.audio import Audio
from styletransfer.encoder.magnitude import magnitude

from . import splitters
from .overlap import cross_faded
from .splitter import MedianSplitter, Splitter
from .voice import BINS, FFT, HOP, PATCH_HOPS, VoiceStage

PATCH = (PATCH_HOPS - 1) * HOP
OVERLAP = 128 * HOP
LEVEL = 0.2
"""RMS to which a mix is brought for the networks, about that of finished music: they judge by level, too."""


class Builtin:
    """Works offline at once, 44.1 kHz.

    Voice and accompaniment are estimated by two networks and told apart by the ratio of their energies;
    above the 11 kHz that they know, by the mean of that ratio. Their sum is the mix.
    Source: Hennequin et al., "Spleeter", JOSS 5(50), 2020.
    """

    rate = 44100

    def __init__(self, device: str = "cpu", splitter: Splitter | None = None, name: str = "builtin") -> None:
        self.name = name
        self._device = device
        self._splitter = splitter or _splitter(device)
        self._voice = VoiceStage(device)
        self.fingerprint = (
            f"builtin-1 {self._voice.fingerprint} {PATCH}/{OVERLAP} {self._splitter.fingerprint}"
        )

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        whole = mix.with_channels(2).at_rate(self.rate)
        gain = LEVEL / max(whole.rms, 1e-6)
        return cross_faded(whole.samples, PATCH, OVERLAP, lambda patch: self._separate(patch, gain))

    @torch.inference_mode()
    def _separate(self, samples: Tensor, gain: float) -> Tensor:
        """(2, frames ≤ PATCH) → (4 stems, 2, frames)."""
        frames = samples.shape[-1]
        window = torch.hann_window(FFT, device=self._device)
        padded = F.pad(samples.to(self._device), (0, PATCH - frames))
        spectrum = torch.stft(padded, FFT, HOP, window=window, pad_mode="constant", return_complex=True)
        share = self._voice.share(magnitude(spectrum[:, :BINS]) * gain)
        share = torch.cat((share, share.mean(1, keepdim=True).expand(-1, FFT // 2 + 1 - BINS, -1)), 1)
        voice = torch.istft(spectrum * share, FFT, HOP, window=window, length=PATCH)[:, :frames].cpu()
        split = self._splitter.split(samples - voice, self.rate, gain)
        return torch.cat((split, voice[None]))


def _splitter(device: str) -> Splitter:
    """The trained splitter, if one ships; else the one that needs no training."""
    if splitters.SHIPPED in weights.manifest():
        return splitters.LearnedSplitter(splitters.load(splitters.SHIPPED, device), device)
    return MedianSplitter()
