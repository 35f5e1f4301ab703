"""Long symmetric filters by FFT, in frames (overlap-save), differentiable and on any device."""

from __future__ import annotations

import torch
from torch import Tensor


def convolve(samples: Tensor, taps: Tensor) -> Tensor:
    """The valid part of a convolution: only where the whole filter lies on the sound.

    samples  (..., time).
    taps     (length,), or (filters, length) for several filters at once.
    Returns  (..., time - length + 1), or (..., filters, time - length + 1).
    Source   overlap-save; Stockham, "High-speed convolution and correlation", 1966.
    """
    length = taps.shape[-1]
    wanted = samples.shape[-1] - length + 1
    if wanted <= 0:
        raise ValueError(f"a filter of {length} taps needs more than {samples.shape[-1]} samples")
    size = 1 << (min(max(4 * length, 4096), samples.shape[-1]) - 1).bit_length()
    step = size - length + 1
    frames = -(-wanted // step)
    padded = torch.nn.functional.pad(samples, (0, frames * step + length - 1 - samples.shape[-1]))
    spectrum = torch.fft.rfft(padded.unfold(-1, size, step))
    response = torch.fft.rfft(taps, size)
    if taps.ndim == 2:
        spectrum, response = spectrum.unsqueeze(-3), response.unsqueeze(-2)
    pieces: Tensor = torch.fft.irfft(spectrum * response, size)[..., length - 1 :]
    return pieces.flatten(-2)[..., :wanted]
