from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor

from styletransfer.converter import fx
from styletransfer.converter.tcn import RATE, TCN, TCNConfig, TCNStage
from styletransfer.converter.tcn.framed import HOP, band_weights

TINY = TCNConfig(condition=6, channels=8, blocks=2, bands=8, hidden=8, dropout=0.0)
TINY_PAPER = TCNConfig("paper", condition=6, channels=4, blocks=3, kernel=5)


def stirred(config: TCNConfig, seed: int = 0) -> TCN:
    """A network whose last layers do something, in evaluation mode."""
    torch.manual_seed(seed)
    network = TCN(config)
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    return network.eval()


def condition(config: TCNConfig, seed: int = 0) -> Tensor:
    return torch.randn(1, config.condition, generator=torch.Generator().manual_seed(seed))


def music(duration_s: float) -> Tensor:
    """Struck chords over noise, (1, 2, time): tones, transients, decays, quiet and a wide image."""
    generator = torch.Generator().manual_seed(1)
    frames = round(duration_s * RATE)
    time_s = torch.arange(frames) / RATE
    sound = 0.002 * torch.randn(2, frames, generator=generator)
    for start_s in torch.arange(0, duration_s, 0.37).tolist():
        here = torch.exp(-5 * (time_s - start_s)) * (time_s >= start_s)
        for _ in range(3):
            pitch, place = 80 * 30 ** torch.rand(2, generator=generator)
            gain = 0.1 * torch.stack((place / 2400, 1 - place / 2400))
            sound += gain[:, None] * here * torch.sin(2 * torch.pi * pitch * time_s)
    return sound[None]


def decibels(error: Tensor, signal: Tensor) -> float:
    return float(20 * torch.log10(error.detach().norm() / signal.norm()))


@pytest.mark.parametrize("config", [TINY, TINY_PAPER], ids=["small", "paper"])
def test_stereo_in_and_out_of_the_same_length_with_gradients_everywhere(config: TCNConfig) -> None:
    network = stirred(config).train()
    samples = torch.cat((music(0.5), music(0.5).flip(1)))
    made = network(samples, condition(config).expand(2, -1))
    assert made.shape == samples.shape
    made.square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_a_fresh_network_changes_no_bit() -> None:
    samples = music(1.0)
    network = TCN(TINY).eval()
    assert torch.equal(network(samples, condition(TINY)), samples)
    assert torch.equal(fx.render(samples[0], [TCNStage(network, condition(TINY)[0])]), samples[0])


def test_a_fresh_network_learns() -> None:
    network = TCN(TINY)
    network(music(0.5), condition(TINY)).square().mean().backward()
    assert network.trunk.resting.weight.grad.any()
    assert network.trunk.moving.weight.grad.any()


def test_silence_stays_silent() -> None:
    assert not stirred(TINY)(torch.zeros(1, 2, RATE), condition(TINY)).any()


@pytest.mark.parametrize("config", [TINY, TINY_PAPER], ids=["small", "paper"])
def test_the_condition_steers(config: TCNConfig) -> None:
    network, samples = stirred(config), music(0.5)
    one, other = (network(samples, condition(config, seed)) for seed in (1, 2))
    assert decibels(one - other, samples) > -40
    for block in network.trunk.blocks:  # each of them by itself
        torch.nn.init.zeros_(block.film.weight)
    if config.preset == "paper":
        one, other = (network(samples, condition(config, seed)) for seed in (1, 2))
        assert torch.equal(one, other)


@pytest.mark.parametrize("config", [TINY, TINY_PAPER], ids=["small", "paper"])
def test_nothing_beyond_the_context_is_heard(config: TCNConfig) -> None:
    """A gradient in the middle reaches as far as the convolutions do, to both sides, and no further."""
    network = stirred(config).double()  # so that transforms' rounding is no influence
    half = network.context + 2 * HOP
    samples = (0.1 * torch.randn(1, 2, 2 * half + 1, dtype=torch.float64)).requires_grad_()
    made = network.excerpt(samples, condition(config).double())
    made[0, :, half].sum().backward()
    assert samples.grad is not None
    strength = samples.grad[0].abs().amax(0)
    felt = (strength > 1e-11 * strength.max()).nonzero()[:, 0] - half
    assert felt.min() >= -network.context
    assert felt.max() <= network.context
    unit = HOP if config.preset == "small" else 1
    assert felt.min() <= -config.reach * unit
    assert felt.max() >= config.reach * unit


def test_the_papers_shape() -> None:
    with torch.device("meta"):
        network = TCN(TCNConfig.paper())
    assert 2 * network.context + 1 == 229_363  # samples
    assert (2 * network.context + 1) / RATE == pytest.approx(5.2, abs=0.005)
    learned = sum(parameter.numel() for parameter in network.parameters())
    assert learned == 10_547_970
    everything = sum(value.numel() for value in network.state_dict().values())
    assert everything == pytest.approx(10.6e6, rel=0.005)
    shapes = {tuple(value.shape) for value in network.state_dict().values()}
    assert {(128, 2, 15), (128, 128, 15), (256, 2048), (256,), (128, 1, 1), (2, 128, 1), (2,)} <= shapes


def test_the_paper_keeps_within_full_scale() -> None:
    made = stirred(TINY_PAPER)(30 * music(0.5), condition(TINY_PAPER))
    assert made.abs().max() == 1


@pytest.mark.parametrize("config", [TINY, TINY_PAPER], ids=["small", "paper"])
@pytest.mark.parametrize(("chunk", "block"), [(4096, 1000), (44_100, 4096), (100_000, 131_072)])
def test_blocks_equal_the_unbroken_run(config: TCNConfig, chunk: int, block: int) -> None:
    network, told = stirred(config), condition(config)
    samples = music(4.0)
    with torch.no_grad():
        unbroken = network(samples, told)[0]
    stage = TCNStage(network, told[0], chunk_frames=chunk)
    made = fx.render(samples[0], [stage], block_frames=block)
    assert decibels(unbroken - samples[0], samples[0]) > -40  # it does something
    assert decibels(made - unbroken, unbroken) < -100


def test_whole_steps_of_shift_shift_the_output() -> None:
    network, told, samples = stirred(TINY), condition(TINY), music(1.0)
    later = torch.nn.functional.pad(samples, (2 * network.step, 0))
    with torch.no_grad():
        plain, shifted = network(samples, told), network(later, told)
    assert decibels(shifted[..., 2 * network.step :] - plain, plain) < -100


def test_a_stage_hears_louder_and_takes_it_back() -> None:
    network, told, samples = stirred(TINY), condition(TINY), music(1.0)
    with torch.no_grad():
        wanted = network(samples * 2, told)[0] / 2
    made = fx.render(samples[0], [TCNStage(network, told[0], gain_db=20 * 0.30102999566)])
    assert decibels(made - wanted, wanted) < -100


@torch.no_grad()
def test_it_can_learn_an_equalizer_a_room_and_overtones() -> None:
    """Each group of gains does what it is there for: gains of bands, companions, what crosses."""
    network = TCN(TINY).eval()
    samples = music(1.0)
    gains = network.trunk.resting.bias.data.view(-1, TINY.bands)
    gains[:2, -2:] = 0.5  # neper, the highest bands of mid and side
    made = network(samples, condition(TINY))
    high = torch.fft.rfft(made).abs()[..., 15_000:].sum() / torch.fft.rfft(samples).abs()[..., 15_000:].sum()
    assert float(high) == pytest.approx(1.65, rel=0.03)
    gains.zero_()
    gains[8:10] = 0.3  # the longer room
    click = torch.zeros(1, 2, RATE // 2)
    click[..., 1000] = 1.0
    tail = network(click, condition(TINY))[..., 1700:4000]  # its first 15 ms are predelay
    assert tail.square().sum() > 0.003
    gains.zero_()
    gains[4:6] = 1.0  # overtones
    tone = 0.4 * torch.sin(2 * torch.pi * 1000 * torch.arange(RATE) / RATE).expand(1, 2, -1)
    spectrum = torch.fft.rfft(network(tone, condition(TINY))).abs()[0, 0]
    assert spectrum[3000] > 0.02 * spectrum[1000]


def test_bins_share_out_their_gains() -> None:
    assert torch.allclose(band_weights(48).sum(0), torch.ones(1025), atol=1e-6)


def test_wrong_shapes_are_refused() -> None:
    network = TCN(TINY)
    with pytest.raises(ValueError, match="samples must be"):
        network(torch.zeros(1, 1, 100), condition(TINY))
    with pytest.raises(ValueError, match="condition must be"):
        network(torch.zeros(2, 2, 100), condition(TINY))
    with pytest.raises(ValueError, match="samples must be"):
        network.within(torch.zeros(1, 2, 100), condition(TINY))


@pytest.mark.slow
def test_four_stems_take_less_than_a_second_per_second() -> None:
    """In processor time of all threads together, so that what else runs here doesn't count."""
    network, samples = stirred(TCNConfig()), music(20.0)[0]
    began = time.process_time()
    for stem in range(4):
        fx.render(samples, [TCNStage(network, condition(network.config, stem)[0])])
    assert (time.process_time() - began) / 20 <= 1.0


@pytest.mark.slow
def test_it_learns_two_styles_by_heart() -> None:
    torch.manual_seed(0)
    network, samples = TCN(TINY), music(2.0).expand(2, -1, -1)
    told = torch.cat((condition(TINY, 1), condition(TINY, 2)))
    wanted = fx.gain(fx.widen(samples, width=torch.tensor([1.6, 0.5])), gain_db=torch.tensor([-4.0, 3.0]))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (network(samples, told) - wanted).square().mean()
        loss.backward()
        optimizer.step()
    before = (samples - wanted).square().mean()
    assert loss.item() < 0.05 * before.item()
