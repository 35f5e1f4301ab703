"""The closed-form match: console settings from what was measured on both sides, without any network.

Stems first, each toward its counterpart; then the master, from what the re-mixed stems still lack.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from styletransfer.audio import STEMS
from styletransfer.converter.console import (
    GROUPS,
    MASTER,
    MASTER_BANDS,
    STRIP,
    STRIP_BANDS,
    Settings,
    clamped,
    neutral,
)
from styletransfer.encoder.measures import BAND_HZ, Measures, k_weighted_lufs
from styletransfer.notes import Note

from .tone import fit_equalizer, response_db, smoothed


@dataclass(frozen=True, slots=True)
class MatchLimits:
    """How far a match may move, and when it counts a stem as there."""

    presence_lu: float = 15.0  # a stem is present if it is at most this far below its mix
    level_db: float = 8.0
    band_db: float = 9.0
    stem_share: float = 0.7  # of a stem's difference; leakage makes whole moves add up to more
    stem_width_db: float = 6.0
    master_width_db: float = 9.0
    balance_db: float = 3.0
    leakage_db: float = 20.0  # bands in which a stem lies this far below its mix are leakage
    silence_db: float = 66.0  # bands this far below the loudest hold nothing to match


LIMITS = MatchLimits()

LIMITER_RELEASE_MS = 30.0
"""How fast the master's limiter lets go: slower ones take loudness with the peaks, so that crest stays."""


@dataclass(frozen=True, slots=True)
class SongMeasures:
    """What was measured of a mix and of its stems, all through the same separator.

    stem_mixes  the mixes that single stems come from, where that is another one than `mix`.
    """

    mix: Measures
    stems: dict[str, Measures]
    stem_mixes: dict[str, Measures] = field(default_factory=dict)

    def mix_of(self, name: str) -> Measures:
        """The mix that a stem comes from."""
        return self.stem_mixes.get(name, self.mix)

    def present(self, name: str, limits: MatchLimits = LIMITS) -> bool:
        """Whether a stem is loud enough in its mix to count as there."""
        return self.stems[name].loudness_lufs >= self.mix_of(name).loudness_lufs - limits.presence_lu


def match_stems(
    song: SongMeasures, reference: SongMeasures, limits: MatchLimits = LIMITS
) -> tuple[dict[str, Settings], list[Note]]:
    """Level, tone, width and balance of each stem's strip; dynamics are fitted apart (`dynamics`).

    Relative levels are anchored on the stems that both sides have: these keep their energy-weighted
    mean level, so that a missing voice doesn't make everything else look too loud.
    """
    notes: list[Note] = []
    present = on_both(song, reference, limits)
    for name in STEMS:
        if name not in present:
            side = "the input" if not song.present(name, limits) else "the reference"
            notes.append(
                Note("stem-absent", f"{side} has hardly any {name}, so {name} stay as they are", name)
            )
    louder = _louder_lu(song, reference, present)
    strips = {}
    for name in STEMS:
        settings = neutral(STRIP)
        if name in present:
            _match_tone(settings, name, song, reference, limits)
            _match_width(settings, song.stems[name], reference.stems[name], limits)
            if abs(louder[name]) > limits.level_db:
                notes.append(
                    Note(
                        "level-capped",
                        f"{name} would need {louder[name]:+.1f} dB, more than the {limits.level_db:.0f} dB "
                        "allowed",
                        name,
                    )
                )
            move = _capped(louder[name], limits)
            settings["gain"]["gain_db"] = move - _tone_gain_db(settings, song.stems[name])
        strips[name] = clamped(STRIP, settings)
    return strips, notes


def on_both(song: SongMeasures, reference: SongMeasures, limits: MatchLimits = LIMITS) -> list[str]:
    """The stems that both sides have, in order."""
    return [name for name in STEMS if song.present(name, limits) and reference.present(name, limits)]


def louder_lu(song: SongMeasures, reference: SongMeasures, limits: MatchLimits = LIMITS) -> dict[str, float]:
    """How much louder (LU) each stem that both sides have should become, as `match_stems` asks for it."""
    wanted = _louder_lu(song, reference, on_both(song, reference, limits))
    return {name: _capped(louder, limits) for name, louder in wanted.items()}


def match_master(
    heard: Measures,
    reference: Measures,
    settings: Settings | None = None,
    limits: MatchLimits = LIMITS,
    groups: Collection[str] = GROUPS,
) -> tuple[Settings, list[Note]]:
    """Tone of mid and side, width, balance and the limiter's release of the master, by what a sound lacks.

    heard     what was measured behind the master, with its `settings` (neutral where none are given).
    groups    what may be set: where tone stays, width makes up for none of it.
    """
    settings = neutral(MASTER) if settings is None else settings
    matched = {stage: dict(knobs) for stage, knobs in settings.items()}
    matched["limiter"]["release_ms"] = LIMITER_RELEASE_MS
    notes: list[Note] = []
    level = reference.spectrum_lufs - heard.spectrum_lufs
    weights = _audible(heard, limits) * _audible(reference, limits)
    before = response_db(settings["eq"], MASTER_BANDS)
    mid = before + smoothed(reference.mid_db - heard.mid_db - level, weights)
    if "eq" in groups:
        matched["eq"] = fit_equalizer(mid, weights, MASTER_BANDS, limits.band_db)
        _note_limits(notes, mid, weights, heard, reference, limits)
    if heard.width_db < -50:
        if "width" in groups and reference.width_db > -30:
            notes.append(Note("mono-input", "the input is mono, so width is left alone", "master"))
        return clamped(MASTER, matched), notes
    mid_change = response_db(matched["eq"], MASTER_BANDS) - before
    side_before = response_db(settings["side_eq"], MASTER_BANDS)
    side_weights = weights * _audible_side(heard) * _audible_side(reference)
    if "eq" in groups and side_weights.sum() > 0:
        side = reference.side_db - heard.side_db - level - mid_change
        importance = side_weights * _energy(heard.side_db)
        side = side_before + smoothed(
            side - float((side * importance).sum() / importance.sum()), side_weights
        )
        matched["side_eq"] = fit_equalizer(side, side_weights, MASTER_BANDS, limits.band_db)
    side_change = mid_change + response_db(matched["side_eq"], MASTER_BANDS) - side_before
    if "width" not in groups:
        return clamped(MASTER, matched), notes
    width_db = 20 * math.log10(settings["width"]["width"]) + reference.width_db - heard.width_db
    width_db -= _energy_change_db(heard.side_db, side_change) - _energy_change_db(heard.mid_db, mid_change)
    width_db = min(max(width_db, -limits.master_width_db), limits.master_width_db)
    matched["width"]["width"] = 10 ** (width_db / 20)
    balance_db = _balance_db(settings["balance"]["balance"]) + reference.balance_db - heard.balance_db
    matched["balance"]["balance"] = _balance(balance_db, limits)
    return clamped(MASTER, matched), notes


def behind(heard: Measures, settings: Settings) -> Measures:
    """A sound's measures behind a master's equalizers, width and balance, reckoned from its spectra."""
    mid = response_db(settings["eq"], MASTER_BANDS)
    side = mid + response_db(settings["side_eq"], MASTER_BANDS) + 20 * math.log10(settings["width"]["width"])
    return replace(
        heard,
        mid_db=heard.mid_db + mid,
        side_db=heard.side_db + side,
        loudness_lufs=heard.loudness_lufs + _loudness_change_db(heard, mid, side),
        width_db=heard.width_db
        + _energy_change_db(heard.side_db, side)
        - _energy_change_db(heard.mid_db, mid),
        balance_db=heard.balance_db + _balance_db(settings["balance"]["balance"]),
    )


def _louder_lu(song: SongMeasures, reference: SongMeasures, present: list[str]) -> dict[str, float]:
    moves = {
        name: (reference.stems[name].loudness_lufs - reference.mix_of(name).loudness_lufs)
        - (song.stems[name].loudness_lufs - song.mix.loudness_lufs)
        for name in present
    }
    weights = {name: 10 ** (song.stems[name].loudness_lufs / 10) for name in present}
    anchor = sum(moves[n] * weights[n] for n in present) / sum(weights.values()) if present else 0.0
    return {name: move - anchor for name, move in moves.items()}


def _capped(louder: float, limits: MatchLimits) -> float:
    return min(max(louder, -limits.level_db), limits.level_db)


def _match_tone(
    settings: Settings,
    name: str,
    song: SongMeasures,
    reference: SongMeasures,
    limits: MatchLimits,
) -> None:
    ours, theirs = song.stems[name], reference.stems[name]
    weights = (
        _audible(ours, limits)
        * _audible(theirs, limits)
        * _claimed(ours, song.mix, limits)
        * _claimed(theirs, reference.mix_of(name), limits)
    )
    target = smoothed(theirs.mid_db - ours.mid_db, weights)
    target = limits.stem_share * (target - _loudness_change_db(ours, target, target))
    settings["eq"] = fit_equalizer(target, weights, STRIP_BANDS, limits.band_db)
    side_weights = weights * _audible_side(ours) * _audible_side(theirs)
    if side_weights.sum() > 1:
        side = theirs.side_db - ours.side_db - (theirs.width_db - ours.width_db)
        side = side - (theirs.mid_db - ours.mid_db)
        side = smoothed(side - float((side * side_weights).sum() / side_weights.sum()), side_weights)
        settings["side_eq"] = fit_equalizer(
            limits.stem_share * side, side_weights, STRIP_BANDS, limits.band_db
        )


def _match_width(settings: Settings, ours: Measures, theirs: Measures, limits: MatchLimits) -> None:
    """Width and balance; a stem that is mono on either side has no width to match."""
    if min(ours.width_db, theirs.width_db) < -40:
        return
    change = limits.stem_share * (theirs.width_db - ours.width_db)
    change = min(max(change, -limits.stem_width_db), limits.stem_width_db)
    settings["width"]["width"] = 10 ** (change / 20)
    settings["balance"]["balance"] = _balance(
        limits.stem_share * (theirs.balance_db - ours.balance_db), limits
    )


def _energy_change_db(level_db: Tensor, gain_db: Tensor) -> float:
    """How much a gain per band changes the energy of a spectrum."""
    return float(10 * torch.log10(_energy(level_db + gain_db).sum() / _energy(level_db).sum()))


def _balance(change_db: float, limits: MatchLimits) -> float:
    """Balance that moves right over left by `change_db`: tan θ under the constant-power law."""
    change_db = min(max(change_db, -limits.balance_db), limits.balance_db)
    return math.atan(10 ** (change_db / 20)) * 4 / math.pi - 1


def _balance_db(balance: float) -> float:
    """Right over left in dB of a balance; the inverse of `_balance`."""
    return 20 * math.log10(math.tan((balance + 1) * math.pi / 4))


def _tone_gain_db(settings: Settings, measures: Measures) -> float:
    """How much louder (K-weighted) a strip's tone and width make what was measured."""
    equal = response_db(settings["eq"], STRIP_BANDS)
    side = equal + response_db(settings["side_eq"], STRIP_BANDS) + 20 * math.log10(settings["width"]["width"])
    return _loudness_change_db(measures, equal, side)


def _loudness_change_db(measures: Measures, mid_gain_db: Tensor, side_gain_db: Tensor) -> float:
    """How much louder (K-weighted) gains per band of mid and side make a sound."""
    after = k_weighted_lufs(_energy(measures.mid_db + mid_gain_db), _energy(measures.side_db + side_gain_db))
    return after - measures.spectrum_lufs


def _energy(level_db: Tensor) -> Tensor:
    return 10 ** (level_db / 10)


def _audible(measures: Measures, limits: MatchLimits) -> Tensor:
    """1 for bands that hold music, 0 for empty ones and those past the bandwidth."""
    loud = measures.mid_db > measures.mid_db.max() - limits.silence_db
    return (loud & (measures.bandwidth_hz >= BAND_HZ)).double()


def _audible_side(measures: Measures) -> Tensor:
    """1 for bands with a side signal to speak of: at most 40 dB below the mid."""
    return (measures.side_db > measures.mid_db - 40).double()


def _claimed(stem: Measures, mix: Measures, limits: MatchLimits) -> Tensor:
    """0 to 1: how much of a band is the stem's own and not leakage, from its share of the mix."""
    below = (mix.mid_db - stem.mid_db).clamp(min=0)
    return (1 - below / limits.leakage_db).clamp(0, 1)


def _note_limits(
    notes: list[Note], target: Tensor, weights: Tensor, ours: Measures, theirs: Measures, limits: MatchLimits
) -> None:
    worst = int((target.abs() * weights).argmax())
    if float(target[worst].abs() * weights[worst]) > limits.band_db + 1:
        notes.append(
            Note(
                "eq-capped",
                f"at {float(BAND_HZ[worst]):.0f} Hz the reference differs by {float(target[worst]):+.0f} dB, "
                f"more than the {limits.band_db:.0f} dB that one band may move",
                "master",
            )
        )
    narrow = min(ours.bandwidth_hz, theirs.bandwidth_hz)
    if narrow < 15000:
        side = "input" if ours.bandwidth_hz < theirs.bandwidth_hz else "reference"
        notes.append(
            Note(
                "bandwidth-limited",
                f"the {side} holds nothing above {narrow / 1000:.1f} kHz, so no tone is matched there",
            )
        )
