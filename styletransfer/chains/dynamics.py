"""Compressors and expanders, told apart by what their detector measures and how their gain follows.

All take thresholds as peak levels: a tone of amplitude 1 is at 0 dB.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .ballistics import branching, dropped, envelope_db, gains, lag, mean_db, peak_db, released
from .seeding import uniform

Values = dict[str, Tensor]


def console_compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The console's law on a coarser grid: amplitude of the louder channel, branching attack and release."""
    level_db = envelope_db(samples, rate).amax(1)
    over = branching(_overshoot_db(level_db, values), rate, values["attack_ms"], values["release_ms"])
    return gains(samples, rate, _turned_down(over, values).unsqueeze(1))


def rms_compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The mean power of both channels over 5 to 50 ms; release, then attack (decoupled).

    Source   RMS detection and the decoupled detector, Giannoulis et al., JAES 60(6), 2012.
    """
    window_ms = 5 * 10 ** uniform(seeds, 1, samples)[:, 0]
    power_db = mean_db(samples, rate, window_ms)
    level_db = torch.logsumexp(power_db * 0.23026, dim=1) / 0.23026 - 3.0
    over = lag(
        released(_overshoot_db(level_db, values), rate, values["release_ms"]), rate, values["attack_ms"]
    )
    return gains(samples, rate, _turned_down(over, values).unsqueeze(1))


def unlinked_compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Each channel by its own rectified peaks, as two mono compressors do: the image moves."""
    both = {name: value.repeat_interleave(2) for name, value in values.items()}
    over = _overshoot_db(peak_db(samples, rate).flatten(0, 1), both)
    over = lag(released(over, rate, both["release_ms"]), rate, both["attack_ms"])
    return gains(samples, rate, _turned_down(over, both).reshape(len(samples), 2, -1))


def opto_compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Half of the gain returns within the release time, the rest takes six times as long.

    Source   the two-stage decay of photoresistors (LA-2A type).
    """
    over = _overshoot_db(peak_db(samples.abs().amax(1), rate), values)
    quick = released(over, rate, values["release_ms"])
    slow = lag(released(over, rate, 6 * values["release_ms"]), rate, 5 * values["attack_ms"])
    over = lag(0.5 * (quick + slow), rate, values["attack_ms"])
    return gains(samples, rate, _turned_down(over, values).unsqueeze(1))


def linear_release_compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Peaks of the mid signal; the gain returns by a constant number of dB per second."""
    over = _overshoot_db(peak_db(samples.mean(1), rate), values)
    over = lag(dropped(over, rate, 10_000 / values["release_ms"]), rate, values["attack_ms"])
    return gains(samples, rate, _turned_down(over, values).unsqueeze(1))


def gain_domain_compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Smooths the factor instead of its dB, as FET and feedback designs tend to: a quick start and a
    release that begins slowly."""
    over = _overshoot_db(peak_db(samples.abs().amax(1), rate), values)
    factor = torch.exp(_turned_down(over, values) * 0.11513)
    factor = 1 - branching(1 - factor, rate, values["attack_ms"], values["release_ms"])
    return gains(samples, rate, 20 * torch.log10(factor.clamp(min=1e-5)).unsqueeze(1))


def parallel_compressor(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The compressed sound beside a share of 20 to 60 % of the untouched one ("New York")."""
    level_db = peak_db(samples.abs().amax(1), rate)
    over = branching(_overshoot_db(level_db, values), rate, values["attack_ms"], values["release_ms"])
    change_db = _turned_down(over, values)
    share = 0.2 + 0.4 * uniform(seeds, 1, samples)
    lifted = change_db - change_db.mean(1, keepdim=True)
    factor = share + (1 - share) * torch.exp(lifted.clamp(max=40) * 0.11513)
    return gains(samples, rate, 20 * torch.log10(factor).unsqueeze(1))


def console_expander(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """The console's law on a coarser grid."""
    return _expanded(samples, rate, envelope_db(samples, rate).amax(1), values)


def rms_expander(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Moved by the mean power over 5 to 50 ms, so that it opens late and steadily."""
    window_ms = 5 * 10 ** uniform(seeds, 1, samples)[:, 0]
    return _expanded(samples, rate, mean_db(samples, rate, window_ms).amax(1), values)


def gate(samples: Tensor, rate: int, values: Values, seeds: list[int]) -> Tensor:
    """Opens at once when a peak passes the threshold, holds 10 to 80 ms, closes by constant dB per second."""
    hold_ms = 10 * 8 ** uniform(seeds, 1, samples)[:, 0]
    level_db = peak_db(samples.abs().amax(1), rate)
    open_db = (level_db - values["threshold_db"][:, None] > 0).to(level_db) * values["range_db"][:, None]
    waiting = open_db * (1 + hold_ms / values["release_ms"])[:, None]
    fallen = dropped(waiting, rate, 1000 * values["range_db"] / values["release_ms"])
    change_db = torch.minimum(fallen, values["range_db"][:, None]) - values["range_db"][:, None]
    return gains(samples, rate, -lag(-change_db, rate, 0.5 * values["attack_ms"]).unsqueeze(1))


def _expanded(samples: Tensor, rate: int, level_db: Tensor, values: Values) -> Tensor:
    excess = (values["ratio"] - 1)[:, None]
    limit_db = values["range_db"][:, None] / excess.clamp(min=1e-6)
    short = torch.minimum((values["threshold_db"][:, None] - level_db).clamp(min=0), limit_db)
    change_db = -excess * branching(short, rate, values["release_ms"], values["attack_ms"])
    return gains(samples, rate, change_db.unsqueeze(1))


def _overshoot_db(level_db: Tensor, values: Values) -> Tensor:
    """How far levels (batch, steps) are above the threshold, bent along the knee's parabola."""
    knee = values["knee_db"].clamp(min=1e-3)[:, None]
    above = level_db - values["threshold_db"][:, None] + knee / 2
    within = torch.minimum(above.clamp(min=0), knee)
    return within.square() / (2 * knee) + (above - knee).clamp(min=0)


def _turned_down(over: Tensor, values: Values) -> Tensor:
    return over * (1 / values["ratio"] - 1)[:, None]


COMPRESSORS = {
    "console": console_compressor,
    "rms": rms_compressor,
    "unlinked": unlinked_compressor,
    "opto": opto_compressor,
    "linear_release": linear_release_compressor,
    "gain_domain": gain_domain_compressor,
    "parallel": parallel_compressor,
}
"""Implementation → compressor; the console's comes first."""

EXPANDERS = {"console": console_expander, "rms": rms_expander, "gate": gate}
"""Implementation → expander; the console's comes first."""
