"""What long-term spectra can't tell, heard in chunks of the passage: punch, and the style embedding.

One stem at a time goes through the differentiable console, the others as they sounded at the last anchor.
A chunk is only asked how far it moved since then, so that it needn't sound like the whole passage.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.signal import sosfreqz
from torch import Tensor
from torch.nn import functional

from styletransfer.converter import mixing
from styletransfer.converter.console import MASTER, STRIP
from styletransfer.converter.parameters import Values
from styletransfer.encoder.loudness import k_weighting
from styletransfer.encoder.network import FXEncoder, stem_number

from .spectra import LINEAR, RATE

CHUNKS = 4
HEARD = ("mix", "drums", "bass", "other", "vocals")
"""The sounds of a passage, in the order of their rows."""

_HEARD_LUFS = -17.0  # what encoders know mixes at (`style.HEARD_LUFS`)
_LEAD = RATE // 4  # samples before a chunk that let compressors settle
_BLOCK = round(0.4 * RATE)
_ACTIVE = 1e-4  # −40 dB
_TINY = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Manner:
    """What an ear tells of sounds: embeddings (…, D) of unit norm, and punch (…,) in dB."""

    embedding: Tensor
    punch_db: Tensor

    def mean(self) -> Manner:
        """Over the first axis."""
        return Manner(functional.normalize(self.embedding.mean(0), dim=-1), self.punch_db.mean(0))


class Ear:
    """Hears the same chunks of a passage again and again, and compares with what it is told to want."""

    def __init__(self, network: FXEncoder, wanted: Manner) -> None:
        self._network, self._wanted = network, wanted

    @torch.no_grad()
    def settle(self, dry: Tensor, wet: Tensor, rest: Tensor, master: Values) -> None:
        """Take how a passage sounds as the place to judge from.

        dry, wet  (stems, 2, time) before and behind their strips; rest (2, time); master its values, (1,).
        """
        self._dry, self._wet, self._rest, self._master = dry, wet, rest, master
        self._stages = tuple(name for name in mixing.used(MASTER, master) if name != "compressor")
        cuts = [slice(*ends) for ends in _chunks(dry.shape[-1])]
        heard = []
        for cut in cuts:
            part = torch.cat(((wet[..., cut].sum(0) + rest[:, cut])[None], wet[..., cut]))
            heard.append(manner(self._network, self._mastered(part), list(HEARD)))
        self._before = _together(heard)
        self._mean = self._before.mean()
        self._cuts = cuts

    def missed(self, number: int, stem: int, strip: Values) -> tuple[Tensor, Tensor]:
        """Distances (mix, stem) of embeddings (1 − cosine), and differences of punch in dB.

        number  of the chunk; stem: of the stem that goes through its strip (values (1,) each).
        """
        number %= len(self._cuts)
        cut = self._cuts[number]
        lead = min(_LEAD, cut.start)
        dry = self._dry[stem : stem + 1, :, cut.start - lead : cut.stop]
        stages = (*LINEAR, *mixing.used(STRIP, strip))
        wet = mixing.process(dry, RATE, STRIP, strip, stages)[0, :, lead:]
        others = self._wet[..., cut].sum(0) - self._wet[stem, :, cut] + self._rest[:, cut]
        rows = [0, stem + 1]
        heard = manner(
            self._network, self._mastered(torch.stack((others + wet, wet))), [HEARD[row] for row in rows]
        )
        moved = self._mean.embedding[rows] + heard.embedding - self._before.embedding[number, rows]
        alike = (functional.normalize(moved, dim=-1) * self._wanted.embedding[rows]).sum(1)
        punch = self._mean.punch_db[rows] + heard.punch_db - self._before.punch_db[number, rows]
        return 1 - alike, punch - self._wanted.punch_db[rows]

    def _mastered(self, sounds: Tensor) -> Tensor:
        values = {
            stage: {knob: value.expand(len(sounds)) for knob, value in knobs.items()}
            for stage, knobs in self._master.items()
        }
        return mixing.process(sounds, RATE, MASTER, values, self._stages)


def manner(network: FXEncoder, sounds: Tensor, names: list[str]) -> Manner:
    """Of sounds (sounds, 2, time), the first of them the mix, all heard at its loudness."""
    loud = (sounds * 10 ** ((_HEARD_LUFS - _lufs(sounds[0])) / 20)).to(network.mean.device)
    described = network.describe(loud)
    numbers = torch.tensor([stem_number(name) for name in names], device=loud.device)
    heard = loud if network.config.preset == "paper" else described
    embedding = network.hear(heard, numbers).to(sounds.device)
    return Manner(functional.normalize(embedding, dim=-1), punch_db(sounds))


@torch.no_grad()
def manner_of(network: FXEncoder, sounds: Tensor) -> Manner:
    """Of a whole passage (sounds, 2, time) of a mix and its stems: the mean over its chunks."""
    cuts = [sounds[..., slice(*ends)] for ends in _chunks(sounds.shape[-1])]
    return _together([manner(network, cut, list(HEARD)) for cut in cuts]).mean()


def _together(each: list[Manner]) -> Manner:
    return Manner(torch.stack([one.embedding for one in each]), torch.stack([one.punch_db for one in each]))


def punch_db(sounds: Tensor) -> Tensor:
    """(sounds,) mean peak over RMS in the 400 ms blocks within 40 dB of the loudest, of (sounds, 2, time)."""
    blocks = sounds.unfold(-1, _BLOCK, _BLOCK)
    energy = blocks.square().mean((1, 3)).clamp(min=_TINY)
    peak = blocks.abs().amax((1, 3)).clamp(min=_TINY)
    active = (energy >= energy.amax(1, keepdim=True) * _ACTIVE).to(energy)
    crest_db = 20 * torch.log10(peak) - 10 * torch.log10(energy)
    return (crest_db * active).sum(1) / active.sum(1)


def _chunks(frames: int) -> list[tuple[int, int]]:
    size = frames // CHUNKS
    return [(number * size, (number + 1) * size) for number in range(CHUNKS)]


def _lufs(sound: Tensor) -> Tensor:
    """Loudness of (2, time) without gates, with gradients."""
    frames = sound.shape[-1]
    spectrum = torch.fft.rfft(sound).abs().square().sum(0)
    _, weight = sosfreqz(k_weighting(RATE), worN=torch.fft.rfftfreq(frames, 1 / RATE).numpy(), fs=RATE)
    weighted = (spectrum * torch.from_numpy(abs(weight) ** 2).to(spectrum)).sum()
    return -0.691 + 10 * torch.log10((2 * weighted / frames**2).clamp(min=_TINY))
