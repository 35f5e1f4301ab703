"""A song's style: how its mix and its stems sound to the encoder, and how loud each stem is in the mix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer import encoders, files
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.encoder.frontend import RATE
from styletransfer.encoder.loudness import LoudnessMeter
from styletransfer.encoder.network import FXEncoder, joined, stem_number
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import UsageError
from styletransfer.separation import choose
from styletransfer.sources import Progress, load
from styletransfer.stem_cache import StemCache, separate_cached
from styletransfer.threads import spread

SEGMENT_S = 10.0
MOST_SEGMENTS = 6
"""At most 60 s of a song are heard, in segments spread over it."""

HEARD_LUFS = -17.0
"""How loud a mix is when its style is heard, its stems along with it: what stems of −23 LUFS, which encoders
learn from, add up to. So the loudness of the master is no part of a style, the balance of the stems is."""

SILENT_LUFS = -70.0
"""What is no louder is silence (the absolute gate of BS.1770): it has no style."""

_SHORTEST = 0.4  # s that a loudness takes
_BATCH = 3  # excerpts that a thread hears at a time: memory grows with them


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """How one sound was mixed: means over its segments, weighted by energy, and deviations from them.

    learned   (D,) unit norm; learned_spread (D,).
    explicit  (F,) the features that `encoder.explicit.EXPLICIT_NAMES` names, in deviations from the training
              set's mean; explicit_spread (F,).
    All are 0 for a silent sound, whose loudness_lufs is SILENT_LUFS.
    """

    learned: Tensor
    learned_spread: Tensor
    explicit: Tensor
    explicit_spread: Tensor
    loudness_lufs: float

    @property
    def embedding(self) -> Tensor:
        """(D + F,) both parts as one vector of unit norm; see `encoder.network.joined`."""
        return joined(self.learned, self.explicit)

    @property
    def silent(self) -> bool:
        return self.loudness_lufs <= SILENT_LUFS


@dataclass(frozen=True, slots=True, eq=False)
class SongStyle:
    """The style of a song: the finished mix's, and its stems' where they were heard.

    encoder   the fingerprint of the encoder that heard them: styles of different encoders don't compare.
    """

    mix: Style
    stems: Mapping[str, Style]
    encoder: str

    @property
    def levels_db(self) -> dict[str, float]:
        """Each stem's loudness over the mix's."""
        return {name: style.loudness_lufs - self.mix.loudness_lufs for name, style in self.stems.items()}


def style_of(mix: Audio, stems: Stems | None, encoder: LoadedEncoder) -> SongStyle:
    """The style of a song, from its mix and, where given, its stems: as long as the mix, at any rate.

    Source   a song's style as its stems' styles: Koo et al., ICASSP 2023.
    """
    found = part_styles({"mix": mix, **(stems or {})}, encoder)
    return SongStyle(found.pop("mix"), {n: found[n] for n in STEMS if n in found}, encoder.fingerprint)


def part_styles(parts: Mapping[str, Audio], encoder: LoadedEncoder) -> dict[str, Style]:
    """The style of each part of one song, `mix` or a stem, by its name; all are as long as the first.

    They are heard at HEARD_LUFS together: the mix if it is among them, else about the sum of all.
    """
    starts_s, length_s = segments_of(next(iter(parts.values())).duration_s)
    heard = {name: _segments(sound, starts_s, length_s) for name, sound in parts.items()}
    loudness = dict(zip(heard, spread(_lufs, heard.values()), strict=True))
    together = loudness.get("mix", 10 * math.log10(sum(10 ** (lufs / 10) for lufs in loudness.values())))
    factor = 10 ** ((HEARD_LUFS - together) / 20) if together > SILENT_LUFS else 1.0
    return _styles({name: cuts * factor for name, cuts in heard.items()}, loudness, encoder.network)


def styles_of(
    sounds: Sequence[str | Path],
    encoder: str | Path = encoders.SHIPPED,
    separator: str | None = None,
    *,
    repo: Path | None = None,
    device: str = "cpu",
    cache: StemCache | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> dict[str, SongStyle]:
    """The style of each file, by its path as given; of its stems as well where a separator is named.

    encoder     a name, or a .safetensors file.
    separator   as `separation.choose` has it, with `repo` and `device`.
    AudioError for files that can't be used, UsageError for one that is named twice, CheckpointError for an
    encoder or a separator that can't be had.
    """
    for number, sound in enumerate(sounds):  # before any work that another one's fault would lose
        if str(sound) in map(str, sounds[:number]):
            raise UsageError(f"{sound} is named twice; name each song once")
        files.inspect(sound)
    loaded = encoders.load(encoder, device)
    used = None if separator is None else choose(separator, repo=repo, device=device)
    found = {}
    for sound in sounds:
        song = load(sound, "the sound")
        stems = None
        if used is not None:
            stage = f"separating {song.name}"
            stems = separate_cached(song.audio, used, cache or StemCache(), partial(progress, stage))
        progress(f"embedding {song.name}", 0.0)
        found[str(sound)] = style_of(song.audio, stems, loaded)
        progress(f"embedding {song.name}", 1.0)
    return found


def segments_of(duration_s: float) -> tuple[list[float], float]:
    """Where the segments of a song start, in seconds, and how long each of them is: evenly spread over it."""
    if duration_s <= SEGMENT_S:
        return [0.0], duration_s
    count = min(MOST_SEGMENTS, int(duration_s / SEGMENT_S))
    gap_s = (duration_s - count * SEGMENT_S) / count
    return [gap_s / 2 + number * (SEGMENT_S + gap_s) for number in range(count)], SEGMENT_S


def _segments(sound: Audio, starts_s: list[float], length_s: float) -> Tensor:
    """(segments, 2, time) at the encoder's rate, at least as long as a loudness takes."""
    frames = round(max(length_s, _SHORTEST) * RATE)
    found = torch.zeros(len(starts_s), 2, frames)
    for segment, start_s in zip(found, starts_s, strict=True):
        cut = sound.excerpt(start_s, start_s + length_s).at_rate(RATE).with_channels(2).samples[:, :frames]
        segment[:, : cut.shape[1]] = cut
    return found


@torch.inference_mode()
def _styles(
    heard: Mapping[str, Tensor], loudness_lufs: Mapping[str, float], network: FXEncoder
) -> dict[str, Style]:
    """One style for each name, its segments (segments, 2, time) and its loudness in the song."""
    device = network.mean.device

    def hear(batch: tuple[str, Tensor]) -> list[Tensor]:
        name, some = batch
        which = torch.full((len(some),), stem_number(name), device=device)
        return [part.cpu() for part in _hear(some.to(device), which, network)]

    batches = [(name, some) for name, cuts in heard.items() for some in cuts.split(_BATCH)]
    learned, said = zip(*spread(hear, batches), strict=True)
    counts = [len(cuts) for cuts in heard.values()]
    each = zip(heard.items(), torch.cat(learned).split(counts), torch.cat(said).split(counts), strict=True)
    return {
        name: _style(cuts, embeddings, features, loudness_lufs[name])
        for (name, cuts), embeddings, features in each
    }


def _hear(samples: Tensor, numbers: Tensor, network: FXEncoder) -> tuple[Tensor, Tensor]:
    """The learned part (segments, D), unit norm, and the standardized explicit part (segments, F)."""
    described = network.describe(samples)
    said = network.standardized(described, numbers)[:, : len(EXPLICIT_NAMES)]
    heard = samples if network.config.preset == "paper" else described
    return functional.normalize(network.hear(heard, numbers), dim=-1), said


def _style(cuts: Tensor, learned: Tensor, said: Tensor, loudness: float) -> Style:
    if loudness <= SILENT_LUFS:
        empty = torch.zeros_like(learned[0]), torch.zeros_like(said[0])
        return Style(empty[0], empty[0].clone(), empty[1], empty[1].clone(), SILENT_LUFS)
    energy = cuts.square().mean((1, 2))
    weights = (energy / energy.sum())[:, None]
    (mean, spread), (said_mean, said_spread) = _moments(learned, weights), _moments(said, weights)
    return Style(functional.normalize(mean, dim=0), spread, said_mean, said_spread, loudness)


def _moments(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and deviation (dimensions,) of (segments, dimensions)."""
    mean = (weights * values).sum(0)
    return mean, (weights * (values - mean).square()).sum(0).sqrt()


def _lufs(cuts: Tensor) -> float:
    meter = LoudnessMeter(RATE, 2, true_peak=False)
    for cut in cuts:
        meter.add(cut)
    return max(meter.integrated_lufs, SILENT_LUFS)
