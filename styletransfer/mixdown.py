"""Rendering by difference: `input + Σ (fx(stem) − stem)`, then the master.

What no strip changes stays the input's own: separation artefacts cancel, what lies above the
separator's bandwidth stays, and the input keeps its rate, since only the difference is resampled.
Everything walks in blocks, and long sounds lie in `scratch`, so memory doesn't grow with the song.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import soxr
import torch
from torch import Tensor

from styletransfer import scratch
from styletransfer.audio import Audio, Stems
from styletransfer.converter.console import MASTER, STRIP, Settings
from styletransfer.converter.fx import Limiter, Stage, gain, stream
from styletransfer.converter.rendering import stages_of
from styletransfer.encoder.loudness import Loudness, LoudnessMeter
from styletransfer.treating import Treated, TreatedStems

BLOCK = 2**17
"""Frames per block: 3 s at 44.1 kHz."""

DUAL_MONO_LU = 10 * math.log10(2)
"""How much louder BS.1770 reads a mono sound on two channels than on one."""

GAIN_KNOB = MASTER["gain"].knobs["gain_db"]
REDUCTION_DB = 12.0
"""The limiter takes at most this off a peak; beyond, the loudness target is missed instead."""


def mix_bus(
    song: Audio, stems: Stems, strips: dict[str, Settings], treated: TreatedStems | None = None
) -> Audio:
    """The input with every strip's difference added, at the input's rate, stereo, before the master.

    treated   stems that went through a network before their strips.
    Where every strip is neutral and no stem treated, this is the input itself.
    """
    song, treated = song.with_channels(2), treated or {}
    rates = {stem.rate for stem in stems.values()}
    changed = {n: stages_of(STRIP, strips[n], stem.rate) for n, stem in stems.items()}
    changed = {name: stages for name, stages in changed.items() if stages or name in treated}
    if not changed:
        return song
    differences = [_difference(stems[name], stages, treated.get(name)) for name, stages in changed.items()]
    summed = _lockstep_sum(differences)
    return written(_plus(song, _resampled(summed, rates.pop(), song.rate)), song)


def processed_stem(stem: Audio, settings: Settings, treated: Treated | None = None) -> Audio:
    """One stem through its strip, after a network if one treated it."""
    stem = stem.with_channels(2)
    stages = stages_of(STRIP, settings, stem.rate)
    if not stages and treated is None:
        return stem
    return written(stream(_entering(stem, treated), stages), stem)


def behind(stem: Audio, stages: list[Stage], rate: int) -> Audio:
    """A stem behind stages that know a single rate; at another rate, their difference is resampled."""
    stem = stem.with_channels(2)
    if stem.rate == rate:
        return written(stream(stem.blocks(BLOCK), stages), stem)
    difference = _difference(stem.at_rate(rate), stages)
    return written(_plus(stem, _resampled(difference, rate, stem.rate)), stem)


def master_bus(bus: Audio, settings: Settings) -> Audio:
    """The bus through the master's stages before gain and limiter; the bus itself where all are neutral."""
    resting = {**settings, "gain": {"gain_db": 0.0}}
    stages = stages_of(MASTER, resting, bus.rate)
    return written(stream(bus.blocks(BLOCK), stages), bus) if stages else bus


@dataclass(frozen=True, slots=True, eq=False)
class Levelled:
    """A finished output, the master gain that was set, and what the limiter did."""

    audio: Audio
    gain_db: float
    reduction_db: float
    short_by_lu: float  # how far the loudness target was missed because the limiter's reach ended


def level(
    bus: Audio,
    bus_meter: Loudness | LoudnessMeter,
    target_lufs: float | None,
    ceiling_db: float,
    release_ms: float,
    reach_db: float = REDUCTION_DB,
) -> Levelled:
    """Bring the master bus to a loudness (None leaves its gain alone) under a true-peak ceiling.

    bus_meter  what was measured of the bus.
    The gain makes up for what the limiter takes, and never asks more than `reach_db` of it.
    """
    headroom_db = ceiling_db - bus_meter.true_peak_db
    wanted_db = 0.0 if target_lufs is None else target_lufs - bus_meter.integrated_lufs
    most_db = headroom_db + reach_db
    gain_db = GAIN_KNOB.clamp(min(wanted_db, most_db))
    for last in (False, False, True):
        audio, measured, reduction_db = _limited(bus, gain_db, ceiling_db, release_ms, gain_db > headroom_db)
        loudness = bus_meter.integrated_lufs + gain_db if measured is None else measured
        lacking = 0.0 if target_lufs is None else target_lufs - loudness
        if last or lacking < 0.05 or gain_db >= most_db:
            break
        gain_db = GAIN_KNOB.clamp(min(gain_db + lacking, most_db))
    return Levelled(audio, gain_db, reduction_db, max(0.0, lacking))


def apply_level(bus: Audio, gain_db: float, ceiling_db: float, release_ms: float) -> Audio:
    """The master's gain and limiter as they are set; for rendering from saved settings."""
    return _limited(bus, gain_db, ceiling_db, release_ms, True)[0]


def meter_of(audio: Audio, *, true_peak: bool = True) -> LoudnessMeter:
    """Loudness and, unless left out, true peak of a sound, walked in blocks."""
    meter = LoudnessMeter(audio.rate, audio.channels, true_peak=true_peak)
    for block in audio.blocks(BLOCK):
        meter.add(block)
    return meter


def loudness_of(audio: Audio) -> Loudness:
    """What a meter reads of a sound."""
    return meter_of(audio).reading


def _limited(
    bus: Audio, gain_db: float, ceiling_db: float, release_ms: float, limiting: bool
) -> tuple[Audio, float | None, float]:
    louder = (gain(block[None], gain_db=gain_db)[0] if gain_db else block for block in bus.blocks(BLOCK))
    if not limiting:
        return (written(louder, bus) if gain_db else bus), None, 0.0
    guard = Limiter(bus.rate, ceiling_db=ceiling_db, release_ms=release_ms)
    meter = LoudnessMeter(bus.rate, bus.channels, true_peak=False)
    audio = written(_metered(stream(louder, [guard]), meter), bus)
    return audio, meter.integrated_lufs, guard.largest_reduction_db


def _metered(blocks: Iterable[Tensor], meter: LoudnessMeter) -> Iterator[Tensor]:
    for block in blocks:
        meter.add(block)
        yield block


def _entering(stem: Audio, treated: Treated | None) -> Iterator[Tensor]:
    """What enters a stem's strip, in blocks."""
    return stem.blocks(BLOCK) if treated is None else treated.blocks(stem, BLOCK)


def _difference(stem: Audio, stages: list[Stage], treated: Treated | None = None) -> Iterator[Tensor]:
    """fx(stem) − stem in blocks of BLOCK frames."""
    stem = stem.with_channels(2)
    position = 0
    for block in _reblocked(stream(_entering(stem, treated), stages)):
        yield block - stem.samples[:, position : position + block.shape[1]]
        position += block.shape[1]
        scratch.release(stem.samples)


def _reblocked(blocks: Iterable[Tensor]) -> Iterator[Tensor]:
    """The same sound in blocks of BLOCK frames, the last one shorter."""
    waiting = torch.zeros(2, 0)
    for block in blocks:
        waiting = torch.cat((waiting, block), dim=1)
        while waiting.shape[1] >= BLOCK:
            yield waiting[:, :BLOCK]
            waiting = waiting[:, BLOCK:]
    if waiting.shape[1]:
        yield waiting


def _lockstep_sum(sounds: list[Iterator[Tensor]]) -> Iterator[Tensor]:
    """The sum of equally long sounds that come in equal blocks, two of them computed at a time."""
    with ThreadPoolExecutor(min(2, torch.get_num_threads())) as pool:
        while True:
            blocks = [
                block for block in pool.map(lambda sound: next(sound, None), sounds) if block is not None
            ]
            if not blocks:
                return
            yield torch.stack(blocks).sum(0)


def _resampled(blocks: Iterator[Tensor], rate: int, new_rate: int) -> Iterator[Tensor]:
    if rate == new_rate:
        yield from blocks
        return
    resampler = soxr.ResampleStream(rate, new_rate, 2, dtype="float32")
    for block in blocks:
        yield torch.from_numpy(resampler.resample_chunk(block.T.contiguous().numpy()).T.copy())
    yield torch.from_numpy(resampler.resample_chunk(torch.zeros(0, 2).numpy(), last=True).T.copy())


def _plus(song: Audio, blocks: Iterator[Tensor]) -> Iterator[Tensor]:
    """The song plus a sound that starts with it; where that ends early, the song goes on alone."""
    position = 0
    for block in blocks:
        part = song.samples[:, position : position + block.shape[1]]
        yield part + block[:, : part.shape[1]]
        position += part.shape[1]
    if position < song.frames:
        yield song.samples[:, position:]


def written(blocks: Iterable[Tensor], like: Audio) -> Audio:
    """Blocks gathered into a sound as long as `like`, in scratch memory."""
    samples = scratch.allocate(2, like.frames)
    position = 0
    for block in blocks:
        samples[:, position : position + block.shape[1]] = block
        position += block.shape[1]
        scratch.release(samples)
        scratch.release(like.samples)
    return Audio(samples, like.rate)
