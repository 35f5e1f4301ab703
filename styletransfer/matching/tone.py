"""Fit a console equalizer to a wanted curve, so that a spectrum match stays a handful of readable bands."""

from __future__ import annotations

import torch
from torch import Tensor

from styletransfer.converter.console import Band
from styletransfer.converter.fx import equalizer_response_db
from styletransfer.encoder.measures import BAND_HZ

RIDGE = 0.3
"""How strongly a band's gain is held at zero, against one unit of weight per third octave."""

_RATE = 48000
_ROUNDS = 4


def smoothed(curve_db: Tensor, weights: Tensor) -> Tensor:
    """A third-octave curve (30,) averaged over about an octave by its weights; where nothing weighs, 0."""
    kernel = torch.tensor([[[1.0, 2.0, 1.0]]], dtype=curve_db.dtype) / 4
    total = torch.nn.functional.conv1d((curve_db * weights)[None, None], kernel, padding=1)[0, 0]
    weight = torch.nn.functional.conv1d(weights[None, None], kernel, padding=1)[0, 0]
    return torch.where(weight > 1e-6, total / weight.clamp(min=1e-6), torch.zeros_like(total))


def fit_equalizer(
    target_db: Tensor, weights: Tensor, bands: tuple[Band, ...], limit_db: float
) -> dict[str, float]:
    """Band gains whose joint response comes closest to a wanted curve, as knobs of an `eq` stage.

    target_db  (30,) wanted gain at the third-octave centres.
    weights    (30,) how much each centre counts, 0 to 1.
    limit_db   no gain exceeds ± this.
    Source     weighted least squares on the bands' interaction, Gauss–Newton (Välimäki and Reiss,
               "All about audio equalization", Applied Sciences 6(5), 2016, section 5).
    """
    gains = torch.zeros(len(bands), dtype=torch.float64)
    centres = torch.tensor([band.centre_hz for band in bands], dtype=torch.float64)
    q = torch.tensor([band.q for band in bands], dtype=torch.float64)
    weights = weights.double()
    if weights.sum() > 0:
        for _ in range(_ROUNDS):
            response = _response_db(gains[None], centres, q)[0]
            slope = _slopes(gains, centres, q)
            normal = slope.T @ (weights[:, None] * slope) + RIDGE * torch.eye(len(bands), dtype=torch.float64)
            right = slope.T @ (weights * (target_db.double() - response)) - RIDGE * gains
            gains = (gains + torch.linalg.solve(normal, right)).clamp(-limit_db, limit_db)
    return {
        f"{band.name}_{knob}": round(float(value), 3)
        for band, gain in zip(bands, gains, strict=True)
        for knob, value in (("gain_db", gain), ("frequency_hz", band.centre_hz), ("q", band.q))
    }


def response_db(knobs: dict[str, float], bands: tuple[Band, ...]) -> Tensor:
    """(30,) response in dB of an `eq` stage at the third-octave centres."""
    gain, frequency, q = (
        torch.tensor([knobs[f"{band.name}_{knob}"] for band in bands], dtype=torch.float64)
        for knob in ("gain_db", "frequency_hz", "q")
    )
    return _response_db(gain[None], frequency, q)[0]


def _response_db(gains: Tensor, centres: Tensor, q: Tensor) -> Tensor:
    shape = gains.shape
    return equalizer_response_db(
        BAND_HZ, _RATE, gain_db=gains, frequency_hz=centres.expand(shape), q=q.expand(shape)
    )


def _slopes(gains: Tensor, centres: Tensor, q: Tensor) -> Tensor:
    """(30, bands) change of the joint response in dB per dB of each band's gain."""
    step = torch.eye(len(gains), dtype=torch.float64)
    up, down = _response_db(gains + step, centres, q), _response_db(gains - step, centres, q)
    return ((up - down) / 2).T
