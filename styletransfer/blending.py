"""What lies between several mixes: weighted means of their measures, in dB.

Every mix is first brought, with its stems, to the mixes' mean loudness. What one of them doesn't have (a
stem, or treble beyond an MP3's low-pass) follows the others. A side more than 40 dB below its mid counts as
40 dB below, since nobody hears the difference, and a mean with −120 dB would be as good as mono.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.audio import STEMS
from styletransfer.encoder.loudness import Loudness
from styletransfer.encoder.measures import BAND_HZ, FLOOR_DB, Measures, k_weighted_lufs
from styletransfer.matching import SongMeasures
from styletransfer.style import SongStyle, Style

_SIDE_FLOOR_DB = -40.0
_BALANCE_DB = 40.0


def blend_songs(songs: Sequence[SongMeasures], shares: Sequence[float]) -> SongMeasures:
    """Measures between those of several songs; `shares` add up to 1, each above 0."""
    mean_lufs = sum(share * song.mix.loudness_lufs for song, share in zip(songs, shares, strict=True))
    stems, stem_mixes = {}, {}
    for name in STEMS:
        there = [n for n, song in enumerate(songs) if song.present(name)] or range(len(songs))
        mixes = [songs[n].mix_of(name) for n in there]
        lifts = [mean_lufs - mix.loudness_lufs for mix in mixes]
        some = _shares([shares[n] for n in there])
        stems[name] = blend(
            [_lifted(songs[n].stems[name], lift) for n, lift in zip(there, lifts, strict=True)], some
        )
        if any(name in song.stem_mixes for song in songs):
            lifted = [_lifted(mix, lift) for mix, lift in zip(mixes, lifts, strict=True)]
            stem_mixes[name] = blend(lifted, some)
    mixes = [_lifted(song.mix, mean_lufs - song.mix.loudness_lufs) for song in songs]
    return SongMeasures(blend(mixes, shares), stems, stem_mixes)


def blend(each: Sequence[Measures], shares: Sequence[float]) -> Measures:
    """Measures between several: means in dB, the spectra at the loudness that the mean of loudnesses asks."""
    if len(each) == 1:
        return each[0]
    weights = torch.tensor(shares, dtype=torch.float64)[:, None]
    mid = torch.stack([one.mid_db for one in each])
    side = torch.stack([torch.maximum(one.side_db, one.mid_db + _SIDE_FLOOR_DB) for one in each])
    reaching = weights * (torch.stack([one.bandwidth_hz >= BAND_HZ for one in each])).double()
    weights = torch.where(reaching.sum(0) > 0, reaching, weights)
    weights = weights / weights.sum(0)
    mid_db, side_db = (weights * mid).sum(0), (weights * side).sum(0)
    loudness = _mean([_spectral_lufs(one.mid_db, one.side_db) for one in each], shares)
    lift = loudness - _spectral_lufs(mid_db, side_db)
    return Measures(
        mid_db=(mid_db + lift).clamp(min=FLOOR_DB),
        side_db=(side_db + lift).clamp(min=FLOOR_DB),
        bandwidth_hz=max(one.bandwidth_hz for one in each),
        loudness_lufs=_mean([one.loudness_lufs for one in each], shares),
        crest_db=_mean([one.crest_db for one in each], shares),
        punch_db=_mean([one.punch_db for one in each], shares),
        spread_db=_mean([one.spread_db for one in each], shares),
        width_db=_mean([max(one.width_db, _SIDE_FLOOR_DB) for one in each], shares),
        balance_db=_mean([min(max(one.balance_db, -_BALANCE_DB), _BALANCE_DB) for one in each], shares),
        activity=_mean([one.activity for one in each], shares),
    )


def blend_loudness(each: Sequence[Loudness], shares: Sequence[float]) -> Loudness:
    """Means of each figure over the sounds that have it."""
    found = {}
    for figure in fields(Loudness):
        known = [
            (value, share)
            for one, share in zip(each, shares, strict=True)
            if math.isfinite(value := getattr(one, figure.name))
        ]
        values = [value for value, _ in known]
        found[figure.name] = _mean(values, _shares([share for _, share in known])) if known else -math.inf
    return Loudness(**found)


def blend_styles(each: Sequence[SongStyle | None], shares: Sequence[float]) -> SongStyle | None:
    """Means of embeddings, those of unit norm again; None unless one encoder heard all of them."""
    styles = [style for style in each if style is not None]
    if len(styles) < len(each) or len({style.encoder for style in styles}) != 1:
        return None
    mix = _blended_style([style.mix for style in styles], shares)
    stems = {
        name: _blended_style([_stem_over(style, name, mix) for style in styles], shares)
        for name in STEMS
        if all(name in style.stems for style in styles)
    }
    return SongStyle(mix, stems, styles[0].encoder)


def style_with_stems(style: SongStyle | None, stems: Mapping[str, SongStyle | None]) -> SongStyle | None:
    """A song's style with some stems' from others; None unless one encoder heard all of them."""
    others = {name: other for name, other in stems.items() if other is not None and name in other.stems}
    if style is None or len(others) < len(stems):
        return None
    if any(other.encoder != style.encoder for other in others.values()):
        return None
    taken = {name: _stem_over(other, name, style.mix) for name, other in others.items()}
    return SongStyle(style.mix, {**style.stems, **taken}, style.encoder)


def _stem_over(style: SongStyle, name: str, mix: Style) -> Style:
    """A song's stem, as loud over another mix as it is over its own."""
    stem = style.stems[name]
    if stem.silent or mix.silent or style.mix.silent:
        return stem
    return replace(stem, loudness_lufs=stem.loudness_lufs + mix.loudness_lufs - style.mix.loudness_lufs)


def _blended_style(each: Sequence[Style], shares: Sequence[float]) -> Style:
    heard = [(style, share) for style, share in zip(each, shares, strict=True) if not style.silent]
    if len(heard) <= 1:
        return heard[0][0] if heard else each[0]
    styles, some = [style for style, _ in heard], _shares([share for _, share in heard])

    def mean(name: str) -> Tensor:
        values = [share * getattr(style, name) for style, share in zip(styles, some, strict=True)]
        return torch.stack(values).sum(0)

    return Style(
        learned=functional.normalize(mean("learned"), dim=0),
        learned_spread=mean("learned_spread"),
        explicit=mean("explicit"),
        explicit_spread=mean("explicit_spread"),
        loudness_lufs=_mean([style.loudness_lufs for style in styles], some),
    )


def _lifted(measures: Measures, lift_db: float) -> Measures:
    return replace(
        measures,
        mid_db=measures.mid_db + lift_db,
        side_db=measures.side_db + lift_db,
        loudness_lufs=measures.loudness_lufs + lift_db,
    )


def _spectral_lufs(mid_db: Tensor, side_db: Tensor) -> float:
    return k_weighted_lufs(10 ** (mid_db / 10), 10 ** (side_db / 10))


def _mean(values: Sequence[float], shares: Sequence[float]) -> float:
    return sum(value * share for value, share in zip(values, shares, strict=True))


def _shares(weights: Sequence[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]
