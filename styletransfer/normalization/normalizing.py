"""Bring a stem to its class's averages: loudness → EQ → compression → imager → loudness, and perhaps a room.

The closed-form match of `matching` does it, with the averages for a reference. Loudness comes first in
that everything is compared at equal loudness.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from styletransfer import mixdown
from styletransfer.audio import Audio
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, Settings, neutral
from styletransfer.converter.rendering import stages_of
from styletransfer.encoder.loudness import LoudnessMeter
from styletransfer.encoder.measures import Measures, measure
from styletransfer.matching.dynamics import Times, Wish, fit_compressor
from styletransfer.matching.strips import MatchLimits, behind, match_master

from .averages import Averages, StemAverages, load_averages
from .imaging import fit_image
from .onsets import FEWEST, onset_hops, onset_peak_db
from .reverberation import Room, decay_s, draw_room
from .spectrogram import powers

REACH_DB = 18.0
"""How far tone, width and balance may be moved, per band: the console's reach."""

_LIMITS = MatchLimits(band_db=REACH_DB, master_width_db=REACH_DB, balance_db=REACH_DB)
_PUNCH_DB = 12.0
_EXCERPT_S = 12.0
_LOOKS = 2
_TIMES = (Times(attack_ms=1.0, release_ms=40.0),)  # fast enough to reach what slower compressors let through


def normalize(
    samples: Tensor,
    rate: int,
    stem: str,
    averages: Averages | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Bring each excerpt of a batch (batch, 2, time) to the averages of a stem's class, by itself.

    stem       drums, bass, other, vocals or mix.
    averages   those that come with the program unless given.
    generator  draws a room for excerpts that are drier than the average; no room without one.
    Returns    (batch, 2, time), new, on the samples' device; silence, and less than 0.4 s, as it was.
    Source     Martínez-Ramírez et al., ISMIR 2022, section 3.2.
    """
    if samples.ndim != 3 or samples.shape[1] != 2 or not samples.is_floating_point():
        raise ValueError(
            f"samples must be floating (batch, 2, time), not {samples.dtype} {tuple(samples.shape)}"
        )
    averages = averages or load_averages()
    averages.of(stem)
    sounds = [Audio(one, rate) for one in samples.detach().to("cpu", torch.float32)]
    chances: list[torch.Generator | None] = [None] * len(sounds)
    if generator is not None:  # one for each, since they are done in any order
        seeds = torch.randint(2**62, (len(sounds),), generator=generator, device=generator.device).tolist()
        chances = [torch.Generator().manual_seed(seed) for seed in seeds]
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        changed = list(pool.map(lambda a, c: normalize_audio(a, stem, averages, c).samples, sounds, chances))
    return torch.stack(changed).to(samples) if changed else samples.clone()


@torch.no_grad()
def normalize_audio(
    audio: Audio, stem: str, averages: Averages | None = None, generator: torch.Generator | None = None
) -> Audio:
    """Bring a sound of any length to the averages of a stem's class; see `normalize`. Mono stays mono."""
    target = (averages or load_averages()).of(stem)
    stereo = audio.with_channels(2)
    loudness = _lufs(stereo)
    if not math.isfinite(loudness):
        return audio
    tone = match_tone(measure(stereo.samples, stereo.rate), target)
    toned = _through(stereo, stages_of(MASTER, neutral(MASTER) | tone, stereo.rate))
    resting = neutral(MASTER)
    compressor, ring_s = _dynamics(toned, target)
    if compressor is not None:
        toned = _through(toned, stages_of(MASTER, resting | {"compressor": compressor}, toned.rate))
    shaped = toned
    if audio.channels == 2:
        width, balance = fit_image(
            measure(toned.samples, toned.rate), target.width_db, target.balance_db, REACH_DB
        )
        image = {"width": {"width": width}, "balance": {"balance": balance}}
        shaped = _through(toned, stages_of(MASTER, resting | image, toned.rate))
    room = None if generator is None else draw_room(stem, ring_s, target.decay_s, generator)
    if room is not None:
        shaped = mixdown.written(_in_room(shaped, room), shaped)
    gain_db = mixdown.GAIN_KNOB.clamp(target.loudness_lufs - _lufs(shaped))
    levelled = _through(shaped, [fx.Local(lambda block: fx.gain(block, gain_db=gain_db))])
    return levelled.with_channels(audio.channels)


def match_tone(heard: Measures, target: StemAverages) -> Settings:
    """The master's `eq` and `side_eq` that bring a sound's spectra to the average's.

    The fit holds gains back a little, so it is asked again for what its own response leaves.
    """
    reference = target.as_measures()
    settings: Settings | None = None
    left = heard
    for _ in range(_LOOKS):
        matched, _notes = match_master(left, reference, settings, _LIMITS)
        settings = neutral(MASTER) | {name: matched[name] for name in ("eq", "side_eq")}
        left = behind(heard, settings)
    assert settings is not None
    return {name: settings[name] for name in ("eq", "side_eq")}


def _dynamics(toned: Audio, target: StemAverages) -> tuple[dict[str, float] | None, float]:
    """Compressor knobs toward the average's peaks at onsets, None where none are needed; and how it rings.

    Both are judged on the loudest 12 s.
    """
    excerpt = toned.excerpt(*toned.loudest_s(_EXCERPT_S))
    power = powers(excerpt.samples, excerpt.rate)
    hops = onset_hops(power)
    ring_s = decay_s(power, excerpt.rate)
    loudness = _lufs(excerpt)
    if len(hops) < FEWEST or not math.isfinite(loudness):
        return None, ring_s

    def over_rms_db(samples: Tensor, rate: int) -> float:
        rms_db = 10 * math.log10(float(samples.square().mean()) + 1e-12)
        return onset_peak_db(samples, rate, hops) - rms_db

    change_db = target.onset_peak_db - (onset_peak_db(excerpt.samples, excerpt.rate, hops) - loudness)
    wish = Wish(min(max(change_db, -_PUNCH_DB), _PUNCH_DB))
    return fit_compressor(excerpt, wish, _TIMES, over_rms_db), ring_s


def _in_room(sound: Audio, room: Room) -> Iterator[Tensor]:
    """The sound plus what the room adds to it, in blocks."""
    with_reverb, send = (fx.stream(sound.blocks(mixdown.BLOCK), s) for s in room.send_stages(sound.rate))
    for block, wet, dry in zip(sound.blocks(mixdown.BLOCK), with_reverb, send, strict=True):
        yield block + wet - dry


def _through(sound: Audio, stages: list[fx.Stage]) -> Audio:
    return mixdown.written(fx.stream(sound.blocks(mixdown.BLOCK), stages), sound) if stages else sound


def _lufs(audio: Audio) -> float:
    meter = LoudnessMeter(audio.rate, audio.channels, true_peak=False)
    for block in audio.blocks(mixdown.BLOCK):
        meter.add(block)
    return meter.integrated_lufs
