"""How far apart are two sets of sounds as sets? The kernel distance of their embeddings."""

from __future__ import annotations

import torch
from torch import Tensor


def kad(outputs: Tensor, references: Tensor) -> float:
    """The unbiased squared maximum mean discrepancy × 100 under a Gaussian kernel; about 0 for equal sets.

    outputs, references  (N, D) and (M, D) embeddings, at least two each. ValueError for fewer.
    The bandwidth is the median distance between the references.
    Source   Chung et al., "KAD: no more FAD!", ICML 2025; Gretton et al., JMLR 13, 2012, lemma 6.
    """
    if min(len(outputs), len(references)) < 2:
        raise ValueError("a distance of sets needs two sounds in each")
    ours, theirs = outputs.double(), references.double()
    among = torch.pdist(theirs)
    width = 2 * among.median().square().clamp(min=1e-12)

    def kernel(first: Tensor, second: Tensor) -> Tensor:
        return torch.exp(-torch.cdist(first, second).square() / width)

    def within(sounds: Tensor) -> Tensor:
        count = len(sounds)
        return (kernel(sounds, sounds).sum() - count) / (count * (count - 1))

    return float(100 * (within(ours) + within(theirs) - 2 * kernel(ours, theirs).mean()))
