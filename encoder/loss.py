"""What training asks of an encoder: like styles near, others far; and to tell what the chain was."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def nt_xent(embeddings: Tensor, style: Tensor, stem: Tensor, temperature: float) -> Tensor:
    """Normalized temperature-scaled cross-entropy over a batch, each stem among its own kind.

    embeddings    (batch, dimensions), any norm.
    style, stem   (batch,) numbers: the same style is a positive; only the same stem is a negative.
    Returns       the mean over positives, a scalar; ValueError where nothing has a positive.
    Source        Chen et al., SimCLR, ICML 2020; with several positives, Khosla et al., NeurIPS 2020.
    """
    losses, positives = embeddings.new_zeros((), dtype=torch.float32), 0
    for number in stem.unique().tolist():
        own_kind = stem == number
        named = style[own_kind]
        unit = functional.normalize(embeddings[own_kind].float(), dim=-1)
        with torch.autocast(unit.device.type, enabled=False):  # near rivals differ in the last digits
            logits = unit @ unit.T / temperature
        itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        logits = logits.masked_fill(itself, float("-inf"))
        positive = (named[:, None] == named) & ~itself
        log_share = logits - logits.logsumexp(-1, keepdim=True)
        losses = losses - log_share[positive].sum()
        positives += int(positive.sum())
    if positives == 0:
        raise ValueError("nothing in the batch has a positive")
    return losses / positives


class Heads(nn.Module):
    """What an embedding says of its chain: each parameter's share of its range, which effects are there."""

    def __init__(self, dimensions: int, parameters: int, effects: int) -> None:
        super().__init__()
        self.shares = nn.Linear(dimensions, parameters)
        self.present = nn.Linear(dimensions, effects)

    def losses(
        self, embeddings: Tensor, shares: Tensor, active: Tensor, present: Tensor, known: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean squared error of active parameters, in units of an even draw's; cross-entropy of presence
        where it is known."""
        error = (self.shares(embeddings) - (shares - 0.5)).square() * 12
        regression = (error * active).sum() / active.sum().clamp(min=1)
        presence = functional.binary_cross_entropy_with_logits(
            self.present(embeddings), present.float(), known.float(), reduction="sum"
        ) / known.sum().clamp(min=1)
        return regression, presence
