"""How a style steers a layer: feature-wise linear modulation."""

from __future__ import annotations

import torch
from torch import Tensor


def film(features: Tensor, factors: Tensor) -> Tensor:
    """Scale and shift features (batch, channels, time) by factors (batch, 2 · channels), scales first.

    Source   Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", AAAI 2018.
    """
    scale, shift = factors.unsqueeze(-1).chunk(2, 1)
    return torch.addcmul(shift, scale, features)
