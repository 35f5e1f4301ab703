"""The console network: untrained it changes nothing, trained it stays within its reach."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from styletransfer.converter.console import STRIP
from styletransfer.converter.network import STRIPS, ConsoleConfig, ConsoleNetwork, Heard
from styletransfer.converter.parameters import knobs_of


def heard(batch: int, config: ConsoleConfig) -> Heard:
    chance = Generator().manual_seed(0)

    def vectors(width: int) -> Tensor:
        return torch.randn(batch, width, generator=chance)

    sides = [vectors(width) for width in (config.embedding,) * 2 + (config.explicit,) * 2]
    return Heard(*sides, closed_form=vectors(ConsoleNetwork(config).scale.shape[1]))


def test_an_untrained_network_leaves_the_closed_form_alone_and_learns() -> None:
    network = ConsoleNetwork()
    strips = torch.arange(len(STRIPS))
    residuals = network(heard(5, network.config), strips)
    assert not residuals.any()
    residuals.sum().backward()
    assert network.out.weight.grad is not None
    assert network.out.weight.grad.abs().sum() > 0


def test_residuals_stay_within_reach_and_a_scale_of_zero_silences_a_strip() -> None:
    network = ConsoleNetwork().eval()
    own = network.scale.shape[1]  # first how much of the closed form, then what it turns of its own accord
    with torch.no_grad():
        network.out.bias[own:].fill_(50.0)
        network.scale[1] = 0.0
    residuals = network(heard(5, network.config), torch.arange(5))
    names = [f"{stage}.{name}" for stage, name, _ in knobs_of(STRIP)]
    assert residuals[0, names.index("eq.peak_1_gain_db")] == 6
    assert residuals[0, names.index("eq.peak_1_frequency_hz")] == 0
    assert not residuals[1].any()
    assert not residuals[0, len(names) :].any()  # a stem's strip has fewer knobs than the master


def test_it_can_take_all_of_the_closed_form_back() -> None:
    network = ConsoleNetwork().eval()
    with torch.no_grad():
        network.out.bias[: network.scale.shape[1]].fill_(-50.0)
    told = heard(4, network.config)
    names = [f"{stage}.{name}" for stage, name, _ in knobs_of(STRIP)]
    left = (told.closed_form + network(told, torch.arange(4)))[:, names.index("eq.peak_1_gain_db")]
    assert not left.any()


def test_it_is_small() -> None:
    assert sum(parameter.numel() for parameter in ConsoleNetwork().parameters()) < 5e6
