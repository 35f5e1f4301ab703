"""What could a voice sing over this? A line in the song's key, on its onsets, from what harmonizes at each.

Source: Krumhansl, "Cognitive Foundations of Musical Pitch", 1990 (key profiles), held against the chroma.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .arrangement import MelodyNotes
from .folder import RATE

_FFT, _HOP = 8192, 2048
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_LOWEST, _HIGHEST = 57, 76


def invent(stems: Mapping[str, Tensor], generator: torch.Generator) -> MelodyNotes:
    """A melody for a song without one, from its stems (2, frames) at 44.1 kHz; none for less than 4 s.

    Phrases of 2 to 5 s with rests between. Notes begin on onsets, last 0.15 to 1.6 s, move mostly by
    steps, and are of those that sound most at the time.
    """
    pitched = torch.stack([samples for name, samples in stems.items() if name != "drums"]).sum((0, 1))
    mix = torch.stack([*stems.values()]).sum((0, 1))
    duration_s = len(mix) / RATE
    if duration_s < 4:
        return []
    chroma = chroma_of(pitched)
    scale = key_of(chroma.mean(0))
    weights = torch.zeros(12)
    weights[list(scale)] = 1.0
    notes: MelodyNotes = []
    pitch = 64 + int(torch.randint(6, (), generator=generator))
    grid = onsets_s(mix)
    phrase_end_s = rest_end_s = 0.0
    for index, start_s in enumerate(grid):
        if start_s < rest_end_s or start_s > duration_s - 0.5:
            continue
        if start_s >= phrase_end_s:  # a new phrase begins
            phrase_end_s = start_s + 2 + 3 * _draw(generator)
            rest_end_s = start_s
        held = 1 + int(3 * _draw(generator) ** 2)
        end_s = grid[min(index + held, len(grid) - 1)]
        end_s = min(max(end_s, start_s + 0.15), start_s + 1.6)
        near = torch.arange(_LOWEST, _HIGHEST + 1)
        sounding = chroma[int(start_s * RATE / _HOP) : int(end_s * RATE / _HOP) + 1].mean(0)
        steps = (near - pitch).abs().float()
        worth = weights[near % 12] * (0.1 + sounding[near % 12]) * torch.exp(-0.3 * (steps - 1.5).abs())
        pitch = int(near[int(torch.multinomial(worth, 1, generator=generator))])
        notes.append((round(start_s, 4), round(end_s - start_s, 4), float(pitch)))
        rest_end_s = end_s
        if end_s >= phrase_end_s:
            rest_end_s = end_s + 0.5 + 2 * _draw(generator)
            phrase_end_s = rest_end_s
    return notes


def chroma_of(samples: Tensor) -> Tensor:
    """How much each pitch class sounds, (frames, 12), of a mono sound, each frame's largest being 1."""
    power = torch.stft(samples, _FFT, _HOP, window=torch.hann_window(_FFT), return_complex=True).abs().T
    hertz = torch.fft.rfftfreq(_FFT, 1 / RATE)
    heard = (hertz > 100) & (hertz < 2000)
    classes = (69 + 12 * torch.log2(hertz[heard] / 440)).round().long() % 12
    chroma = torch.zeros(len(power), 12).index_add_(1, classes, power[:, heard])
    return chroma / chroma.amax(1, keepdim=True).clamp(min=1e-6)


def key_of(chroma: Tensor) -> tuple[int, ...]:
    """The pitch classes of the key whose profile correlates best with a song's mean chroma (12)."""
    best, found = -2.0, tuple(range(12))
    for profile, scale in ((_MAJOR, _SCALES["major"]), (_MINOR, _SCALES["minor"])):
        for tonic in range(12):
            pair = torch.stack([chroma, torch.tensor(profile).roll(tonic)])
            alike = float(torch.corrcoef(pair)[0, 1].nan_to_num(-1))
            if alike > best:
                best, found = alike, tuple(sorted((step + tonic) % 12 for step in scale))
    return found


def onsets_s(samples: Tensor) -> list[float]:
    """Seconds at which a mono sound's spectrum rises most, at least 0.14 s apart."""
    window, hop = 1024, 441
    magnitude = torch.stft(samples, window, hop, window=torch.hann_window(window), return_complex=True).abs()
    rise = magnitude.add(1e-4).log().diff(dim=1).clamp(min=0).mean(0)
    around = 14
    peaks = torch.nn.functional.max_pool1d(rise[None], 2 * around + 1, 1, around)[0]
    strong = (rise == peaks) & (rise > 1.5 * rise.mean())
    return [(int(index) + 1) * hop / RATE for index in strong.nonzero().flatten()]


def _draw(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))
