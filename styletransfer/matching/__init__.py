"""The closed-form match: from measures of both sides to console settings, without a network."""

from __future__ import annotations

from .dynamics import fit_dynamics, fit_glue
from .strips import SongMeasures, louder_lu, match_master, match_stems, on_both

__all__ = ["SongMeasures", "fit_dynamics", "fit_glue", "louder_lu", "match_master", "match_stems", "on_both"]
