"""What a network without knobs did to a stem: nothing is there to list, so the change is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from styletransfer.audio import Audio
from styletransfer.encoder.measures import BAND_HZ, measure

from .console_curves import Curve
from .drawing import INK, MUTED, VERSION_COLOURS, Picture, canvas, legend, over_frequency

_HEARD_DB = 66.0
"""Bands this far below a stem's loudest hold nothing whose change could be heard."""

_SIDE_FLOOR_DB = -40.0


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """How a passage of a stem differs behind a network, in dB.

    level, punch, width    of the whole; `width` with sides at least 40 dB below the mid.
    mid_db, side_db        (30,) per third octave; NaN where there is nothing to hear before.
    """

    level_db: float
    punch_db: float
    width_db: float
    mid_db: Curve
    side_db: Curve

    @property
    def words(self) -> str:
        """On a line."""
        return (
            f"level {self.level_db:+.1f} dB, punch {self.punch_db:+.1f} dB, width {self.width_db:+.1f} dB "
            "in its loudest passage"
        )


def change_of(before: Audio, after: Audio) -> Change:
    """From the same passage of a stem before and after."""
    dry, wet = (measure(sound.samples, sound.rate) for sound in (before, after))

    def changed(name: str) -> Curve:
        levels = [np.asarray(getattr(side, name).numpy(), np.float64) for side in (dry, wet)]
        heard = np.minimum(*levels) > float(dry.mid_db.max()) - _HEARD_DB
        return np.where(heard, levels[1] - levels[0], np.nan)

    widths = [max(side.width_db, _SIDE_FLOOR_DB) for side in (dry, wet)]
    return Change(
        level_db=wet.loudness_lufs - dry.loudness_lufs,
        punch_db=wet.punch_db - dry.punch_db,
        width_db=widths[1] - widths[0],
        mid_db=changed("mid_db"),
        side_db=changed("side_db"),
    )


def change_picture(name: str, change: Change) -> Picture:
    """The change of each third octave, of mid and side."""
    hertz = np.asarray(BAND_HZ.numpy(), np.float64)
    with canvas(2.5) as (figure, [axes]):
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.plot(hertz, change.mid_db, color=INK, label="mid")
        if not np.isnan(change.side_db).all():
            axes.plot(hertz, change.side_db, color=VERSION_COLOURS[2], linestyle="--", label="side")
        over_frequency(axes)
        most = np.nanmax(np.abs(np.concatenate((change.mid_db, change.side_db))), initial=5.0)
        axes.set_ylim(-most - 1, most + 1)
        axes.set_ylabel("change, dB")
        legend(figure)
    return Picture(
        f"{name}-network",
        figure,
        "What the network changed, by third octave",
        f"Level of each third octave after over before; {change.words}.",
    )
