"""Magnitudes are torch's own, whoever takes them."""

from __future__ import annotations

import torch

from styletransfer.encoder.magnitude import magnitude


def test_magnitudes_equal_torch_s_for_any_layout_and_keep_gradients() -> None:
    spectrum = torch.randn(2, 5, 7, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    for layout in (spectrum, spectrum.transpose(0, 2), spectrum[:, ::2], spectrum.conj()):
        torch.testing.assert_close(magnitude(layout), layout.abs())
    learned = spectrum.clone().requires_grad_()
    magnitude(learned).sum().backward()
    assert learned.grad is not None
    assert learned.grad.abs().min() > 0.9
