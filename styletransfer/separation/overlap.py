"""Long sounds in overlapping patches: what a separator makes of each is faded into the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor


def cross_faded(
    mix: Tensor, patch: int, overlap: int, separate: Callable[[Tensor], Tensor]
) -> Iterator[Tensor]:
    """Consecutive blocks (sources, channels, frames), together as long as the mix.

    mix       (channels, time); read patch by patch.
    patch     frames that `separate` sees at once; the patches lie on a fixed grid from the mix's first frame.
    overlap   frames that neighbours share, at most half a patch; they are faded linearly, which keeps the
              level, since both hold nearly the same.
    separate  (channels, ≤ patch) → (sources, channels, same length).
    """
    frames, hop = mix.shape[-1], patch - overlap
    fade = (torch.arange(overlap) + 0.5) / overlap
    before: Tensor | None = None
    start = 0
    while start < frames:
        sources = separate(mix[:, start : start + patch])
        if before is not None:
            both = torch.lerp(before, sources[..., :overlap], fade)
            sources = torch.cat((both, sources[..., overlap:]), -1)
        if start + patch >= frames:
            yield sources
            return
        yield sources[..., :hop]
        before = sources[..., hop:]
        start += hop
