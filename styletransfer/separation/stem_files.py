"""Ready-made stems: found in a folder by their names, and held against their mix."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from styletransfer import files, scratch
from styletransfer.audio import STEMS, Audio, Stems, resampled_frames
from styletransfer.errors import StemsError

SUFFIXES = frozenset({".wav", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".caf", ".au", ".ogg"})
SUFFIXES |= {".oga", ".opus", ".mp3", ".m4a", ".mp4", ".aac", ".wma"}
_PATTERNS = {"drums": "drum", "bass": "bass", "other": "other", "vocals": "(?<!no.)(vocal|vox)"}
_BLOCK, _BLOCKS = 2**18, 32
_EARLIEST_LAG_MS = 0.5
_CLEARLY_BETTER = 1.02


def read_stems(directory: Path, mix: Audio | None = None) -> Stems:
    """The stems in a folder, stereo: audio files whose names contain drum(s), bass, other, vocal(s) or vox.

    What comes before the stems' names in all of them alike may name stems, too ("Bass Culture - drums.wav").
    Stems without a file are silent; files without a stem's name are left alone.

    mix   if given, the stems must be as long and start with it.

    StemsError where there are none, two for one stem, or where they differ in rate, length or start.
    """
    found = {stem: (path, files.read(path).with_channels(2)) for stem, path in _find(directory).items()}
    (leader, first), *others = found.values()
    for path, audio in others:
        if (audio.rate, audio.frames) != (first.rate, first.frames):
            raise StemsError(
                f"{path.name} has {audio.frames} frames at {audio.rate} Hz, {leader.name} has {first.frames} "
                f"at {first.rate} Hz; export all stems alike"
            )
    silence = Audio(torch.zeros(2, 1).expand(2, first.frames), first.rate)
    stems = {stem: found[stem][1] if stem in found else silence for stem in STEMS}
    if mix is not None:
        _check_fit(directory, stems, mix)
    return stems


def rest_in(directory: Path) -> Path | None:
    """The file `…rest` that a separator leaves beside its stems: what none of them claims."""
    sounds = [path for path in sorted(directory.iterdir()) if path.suffix.lower() in SUFFIXES]
    return next((path for path in sounds if path.stem.lower().endswith("rest")), None)


def _find(directory: Path) -> dict[str, Path]:
    if not directory.is_dir():
        raise StemsError(f"{directory} is no folder; name the folder that holds the stems")
    named = {
        path: path.stem.lower()
        for path in sorted(directory.iterdir())
        if path.suffix.lower() in SUFFIXES and stems_in(path.stem.lower())
    }
    if not named:
        raise StemsError(f"no audio file in {directory} has drums, bass, other or vocals in its name")
    shared = _shared_start(list(named.values()))
    found: dict[str, Path] = {}
    for path, name in named.items():
        stems = stems_in(name[shared:]) or stems_in(name)
        if len(stems) > 1:
            raise StemsError(f"{path} names several stems ({', '.join(stems)}); rename it after one")
        if stems[0] in found:
            raise StemsError(
                f"{found[stems[0]].name} and {path.name} in {directory} both look like {stems[0]}; keep one"
            )
        found[stems[0]] = path
    return found


def stems_in(name: str) -> list[str]:
    """The stems that a file's name, in lower case, speaks of."""
    return [stem for stem in STEMS if re.search(_PATTERNS[stem], name)]


def _shared_start(names: list[str]) -> int:
    """How many characters all names begin with; 0 for a single name."""
    columns = list(zip(*names, strict=False)) if len(names) > 1 else []
    return next((n for n, column in enumerate(columns) if len(set(column)) > 1), len(columns))


def _check_fit(directory: Path, stems: Stems, mix: Audio) -> None:
    first = stems[STEMS[0]]
    if first.frames != resampled_frames(mix.frames, mix.rate, first.rate):
        raise StemsError(
            f"the stems in {directory} last {first.duration_s:.3f} s, their mix {mix.duration_s:.3f} s; "
            "export them at the mix's length"
        )
    late_ms = 1000 * _lateness(stems, mix.with_channels(2).at_rate(first.rate)) / first.rate
    if abs(late_ms) > _EARLIEST_LAG_MS:
        raise StemsError(
            f"the stems in {directory} start {abs(late_ms):.1f} ms {'later' if late_ms > 0 else 'earlier'} "
            "than their mix; export them from the same start"
        )


def _lateness(stems: Stems, mix: Audio) -> int:
    """Frames by which the stems' sum lags the mix; 0 unless another lag fits clearly better."""
    correlation = torch.zeros(2 * _BLOCK)
    starts = range(0, mix.frames, _BLOCK)
    for start in starts[:: -(-len(starts) // _BLOCKS)]:
        part = slice(start, start + _BLOCK)
        total = torch.stack([stem.samples[:, part] for stem in stems.values()]).sum(0)
        sides = (_spectrum(total), _spectrum(mix.samples[:, part]))
        correlation += torch.fft.irfft(sides[0] * sides[1].conj())
        for sound in (mix, *stems.values()):
            scratch.release(sound.samples)
    best = int(correlation.argmax())
    if correlation[best] <= _CLEARLY_BETTER * correlation[0].clamp_min(0):
        return 0
    return best if best < _BLOCK else best - 2 * _BLOCK


def _spectrum(samples: Tensor) -> Tensor:
    """Of the mono difference from frame to frame: without its lows, music repeats itself less."""
    spectrum: Tensor = torch.fft.rfft(samples.mean(0).diff(), 2 * _BLOCK)
    return spectrum
