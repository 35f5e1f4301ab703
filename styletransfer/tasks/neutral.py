"""Where do transfers with a truth start? Passages of corpus songs whose stems are brought to a neutral state.

Normalizing takes longer than all effects, so passages are kept on disk: once neutral, they serve every chain.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from styletransfer import weights
from styletransfer.audio import STEMS, Audio
from styletransfer.corpus.folder import RATE, CorpusSong
from styletransfer.corpus.passages import LEAST_ACTIVE, LEAST_LUFS
from styletransfer.errors import CheckpointError
from styletransfer.files import make_folder
from styletransfer.normalization import Averages, load_averages, normalize_audio
from styletransfer.threads import spread

from .rendering import StemSamples

PASSAGE_S = 10.0
FEWEST_STEMS = 2
"""A passage with fewer active stems is none."""

_STEP_S = 0.4
_ACTIVE_DB = 40.0
_STEPS = 32767


@dataclass(frozen=True, slots=True)
class Neutral:
    """A passage in the neutral state, on disk.

    names     the stems that play there, in the order of STEMS.
    start_s   where it starts in its song.
    """

    piece: str
    song: str
    start_s: float
    names: tuple[str, ...]
    path: Path

    def stems(self) -> StemSamples:
        """Stem → (2, time) float32 at 44.1 kHz."""
        kept = safetensors.torch.load_file(self.path)
        return {name: kept[name] * kept[f"{name}.step"] for name in self.names}


def find_passage(
    song: CorpusSong, generator: torch.Generator, duration_s: float = PASSAGE_S
) -> tuple[float, StemSamples] | None:
    """Where a passage starts in which as many stems as possible play, and these stems as they are.

    Drawn from the starts with the most active stems; None where fewer than two play at once, or the song is
    too short.
    """
    share = torch.rand(1, generator=generator, dtype=torch.float64).item()
    whole = {name: song.read(name) for name in song.stems}
    span = round(duration_s / _STEP_S)
    step = round(_STEP_S * RATE)
    if not whole or min(sound.shape[1] for sound in whole.values()) < span * step:
        return None
    active = {name: _active_starts(sound, step, span) for name, sound in whole.items()}
    count = torch.stack(list(active.values())).sum(0)
    if int(count.max()) < FEWEST_STEMS:
        return None
    best = (count == count.max()).nonzero()[:, 0]
    start = int(best[int(share * len(best))])
    frames = slice(start * step, start * step + round(duration_s * RATE))
    return start * _STEP_S, {
        name: whole[name][:, frames].clone() for name in STEMS if name in whole and bool(active[name][start])
    }


def neutral(stems: Mapping[str, Tensor], averages: Averages | None = None) -> StemSamples:
    """StemSamples (2, time) at 44.1 kHz brought to the averages of their classes, without chance.

    About a second for each 10 s of a stem on one core.
    """
    averages = averages or load_averages()
    return {
        name: normalize_audio(Audio(samples, RATE), name, averages).samples.clone()
        for name, samples in stems.items()
    }


def gather(
    songs: Sequence[CorpusSong],
    folder: Path,
    *,
    takes: int = 1,
    per_piece: int | None = None,
    seed: int = 0,
    duration_s: float = PASSAGE_S,
    progress: Callable[[float], None] = lambda fraction: None,
) -> list[Neutral]:
    """Neutral passages of songs, kept in `folder` and made where they aren't there yet; sorted by piece.

    takes      passages per song.
    per_piece  songs of one piece, at most, at random; all without.
    seed       draws songs and passages; what is drawn of one song depends on no other.
    Songs in which no passage is found are left out. AudioError where a file or the disk refuses.
    """
    make_folder(folder)
    averages = load_averages()
    chosen = songs if per_piece is None else _per_piece(songs, per_piece, seed)
    jobs = [(song, take) for song in chosen for take in range(takes)]
    done, lock = 0, threading.Lock()

    def make(job: tuple[CorpusSong, int]) -> Neutral | None:
        nonlocal done
        found = _kept(*job, folder, averages, seed, duration_s)
        with lock:
            done += 1
            progress(done / len(jobs))
        return found

    found = [one for one in spread(make, jobs) if one is not None]
    return sorted(found, key=lambda one: (one.piece, one.song, one.start_s))


def _kept(
    song: CorpusSong, take: int, folder: Path, averages: Averages, seed: int, duration_s: float
) -> Neutral | None:
    """The passage as it is kept; what is found nowhere in the song is kept as empty."""
    told = json.dumps([song.id, song.stats, take, seed, duration_s, averages.model_dump()], sort_keys=True)
    key = hashlib.sha256(told.encode()).hexdigest()
    path = folder / f"{song.id}-{key[:16]}.safetensors"
    if not path.is_file():
        found = find_passage(song, torch.Generator().manual_seed(int(key[:15], 16)), duration_s)
        start_s, stems = (0.0, {}) if found is None else (found[0], neutral(found[1], averages))
        tensors: dict[str, Tensor] = {}
        for name, samples in stems.items():
            step = samples.abs().amax().clamp(min=1e-6) / _STEPS
            tensors |= {name: (samples / step).round().to(torch.int16), f"{name}.step": step}
        weights.write(path, tensors, {"start_s": repr(start_s), "stems": " ".join(stems)})
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            told_of = file.metadata()
        names = tuple(told_of["stems"].split())
        return Neutral(song.piece, song.id, float(told_of["start_s"]), names, path) if names else None
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged; remove it and run this again") from error


def _per_piece(songs: Sequence[CorpusSong], most: int, seed: int) -> list[CorpusSong]:
    """So many songs of each piece, the ones whose names hash lowest: more songs change few choices."""

    def place(song: CorpusSong) -> str:
        return hashlib.sha256(f"{seed}:{song.id}".encode()).hexdigest()

    by_piece: dict[str, list[CorpusSong]] = {}
    for song in sorted(songs, key=place):
        by_piece.setdefault(song.piece, []).append(song)
    return [song for piece in sorted(by_piece) for song in by_piece[piece][:most]]


def _active_starts(samples: Tensor, step: int, span: int) -> Tensor:
    """Bool per start on the grid of steps: the stem plays in enough of the next `span` steps."""
    energy = samples[:, : samples.shape[1] // step * step].reshape(2, -1, step).square().mean((0, 2))
    windows = energy.unfold(0, span, 1)
    loud = windows.quantile(0.95, dim=1, keepdim=True)
    share = (windows > loud * 10 ** (-_ACTIVE_DB / 10)).double().mean(1)
    audible = windows.mean(1) > max(10 ** (LEAST_LUFS / 10), float(energy.mean()) / 10)
    return (share >= LEAST_ACTIVE) & audible
