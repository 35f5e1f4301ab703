"""The effects of the mixing console: pure differentiable functions, and stages that render in blocks."""

from __future__ import annotations

from .arguments import BandParameter, Parameter, amplitude
from .dynamics import (
    Compressor,
    Expander,
    compress,
    compressed_level_db,
    compression_gain_db,
    expand,
    expanded_level_db,
)
from .equalizer import (
    HIGHEST_FREQUENCY,
    Bands,
    Equalizer,
    MidSideEqualizer,
    equalize,
    equalizer_response,
    equalizer_response_db,
    mid_side_equalize,
)
from .imaging import balance, gain, widen
from .limiter import Limiter, limit
from .reverb import Reverb, reverberate
from .saturation import saturate
from .streaming import BLOCK_FRAMES, Local, Stage, render, stream

__all__ = [
    "BLOCK_FRAMES",
    "HIGHEST_FREQUENCY",
    "BandParameter",
    "Bands",
    "Compressor",
    "Equalizer",
    "Expander",
    "Limiter",
    "Local",
    "MidSideEqualizer",
    "Parameter",
    "Reverb",
    "Stage",
    "amplitude",
    "balance",
    "compress",
    "compressed_level_db",
    "compression_gain_db",
    "equalize",
    "equalizer_response",
    "equalizer_response_db",
    "expand",
    "expanded_level_db",
    "gain",
    "limit",
    "mid_side_equalize",
    "render",
    "reverberate",
    "saturate",
    "stream",
    "widen",
]
