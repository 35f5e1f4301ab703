"""The direct transformation network: stereo in, stereo out, steered by a style (Koo et al., ICASSP 2023)."""

from __future__ import annotations

from .network import RATE, TCN, TCNConfig
from .stage import CHUNK_FRAMES, TCNStage

__all__ = ["CHUNK_FRAMES", "RATE", "TCN", "TCNConfig", "TCNStage"]
