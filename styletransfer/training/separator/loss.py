"""What is minimized: how far the masked accompaniment is from its sources."""

from __future__ import annotations

import torch
from torch import Tensor

_FLOOR = 1e-3
"""Of the accompaniment's energy: errors further below it than 30 dB count no more."""


def negative_sdr_db(masks: Tensor, heard: Tensor, sources: Tensor) -> Tensor:
    """Error over source in dB, the mean over a batch and its sources.

    masks    (batch, sources, 2, bins, frames), real or complex.
    heard    (batch, 2, bins, frames) complex, what the masks are for.
    sources  (batch, sources, 2, bins, frames) complex. One that is silent asks for silence.
    Source   10·log10(‖s − ŝ‖² / ‖s‖²) by Parseval, softened by _FLOOR of ‖heard‖².
    """
    error = _energy(masks * heard[:, None] - sources, (2, 3, 4))
    floor = _FLOOR * _energy(heard, (1, 2, 3))[:, None] + 1e-8
    return 10 * torch.log10((error + floor) / (_energy(sources, (2, 3, 4)) + floor)).mean()


def relative_l1(masks: Tensor, heard: Tensor, sources: Tensor) -> Tensor:
    """The mean magnitude of the errors, over the mean magnitude of what is heard."""
    error = masks * heard[:, None] - sources
    magnitude = (torch.view_as_real(error).square().sum(-1) + 1e-8).sqrt()
    return magnitude.mean() / heard.abs().mean().clamp(min=1e-6)


def _energy(x: Tensor, dimensions: tuple[int, ...]) -> Tensor:
    return torch.view_as_real(x).square().sum(-1).sum(dimensions)
