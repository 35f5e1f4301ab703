from __future__ import annotations

import math

import pytest
import torch

from styletransfer.encoder import network as networks
from styletransfer.encoder.description import DESCRIPTION, SPECTRAL
from styletransfer.encoder.loss import Heads, nt_xent
from styletransfer.encoder.network import HEARD, EncoderConfig, FXEncoder, stem_number


@pytest.fixture(scope="module")
def encoder() -> FXEncoder:
    torch.manual_seed(0)
    return FXEncoder().eval()


def excerpts(count: int = 3, seconds: float = 3.0) -> torch.Tensor:
    return torch.randn(count, 2, round(44100 * seconds), generator=torch.Generator().manual_seed(1)) * 0.1


def test_the_small_preset_keeps_its_size(encoder: FXEncoder) -> None:
    assert sum(value.numel() for value in encoder.parameters()) <= 3_000_000


def test_the_paper_preset_has_the_papers_shape() -> None:
    with torch.device("meta"):
        paper = FXEncoder(EncoderConfig.paper())
    count = sum(value.numel() for value in paper.trunk.blocks.parameters())
    assert count == pytest.approx(81e6, rel=0.01)
    assert math.prod(networks.PAPER_STRIDES) == 4096
    assert (paper.config.dimensions, networks.PAPER_CHANNELS[-1]) == (2048, 2048)


def test_the_papers_network_runs_and_strides_by_4096() -> None:
    torch.manual_seed(0)
    blocks = networks._Paper().blocks.eval()
    with torch.no_grad():
        assert blocks(torch.randn(1, 2, 8 * 4096)).shape[-1] in (8, 9)


def test_embeddings_have_unit_norm_whatever_the_length_and_don_t_sway_one_another(encoder: FXEncoder) -> None:
    sound = excerpts()
    with torch.no_grad():
        together = encoder.embed(sound, "drums")
        alone = encoder.embed(sound[1:2], "drums")
        shorter = encoder.embed(sound[..., :60000], "drums")
    assert together.shape == (3, 256)
    torch.testing.assert_close(together.norm(dim=-1), torch.ones(3))
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=0)
    assert shorter.shape == (3, 256)


def test_it_is_told_which_stem_it_hears(encoder: FXEncoder) -> None:
    with torch.no_grad():
        embeddings = torch.stack([encoder.embed(excerpts(1), stem)[0] for stem in HEARD])
    assert torch.pdist(embeddings).min() > 1e-3
    with pytest.raises(ValueError, match="hears drums"):
        stem_number("guitar")


def test_every_parameter_gets_a_gradient() -> None:
    torch.manual_seed(0)
    encoder, heads = FXEncoder(), Heads(256, 7, 3)
    features = encoder.describe(excerpts(4, 1.5))
    stem = torch.tensor([0, 1, 2, 3])
    heard = encoder.hear(features, stem)
    regression, presence = heads.losses(
        heard, torch.rand(4, 7), torch.ones(4, 7, dtype=torch.bool), torch.rand(4, 3) > 0.5, torch.ones(4, 3)
    )
    (heard.square().mean() + regression + presence).backward()
    for name, value in [*encoder.named_parameters(), *heads.named_parameters()]:
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name


def test_the_contrastive_loss_wants_like_styles_near_and_others_far() -> None:
    style, stem = torch.tensor([0, 0, 1, 1]), torch.zeros(4, dtype=torch.long)
    right = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    wrong = right[[0, 2, 1, 3]]
    assert nt_xent(right, style, stem, 0.1) < 0.01
    assert nt_xent(wrong, style, stem, 0.1) > 5
    # by hand: each has one positive at cosine 1, two negatives at 0
    expected = math.log(1 + 2 * math.exp(-1 / 0.5))
    assert float(nt_xent(right, style, stem, 0.5)) == pytest.approx(expected, rel=1e-4)


def test_other_stems_are_no_rivals() -> None:
    style = torch.tensor([0, 0, 1, 1])
    same = torch.ones(4, 2)
    assert float(nt_xent(same, style, torch.tensor([0, 0, 1, 1]), 0.1)) == pytest.approx(0.0, abs=1e-6)
    # all of one stem: two rivals as near as the positive
    assert float(nt_xent(same, style, torch.zeros(4), 0.1)) == pytest.approx(math.log(3), rel=1e-4)
    with pytest.raises(ValueError, match="positive"):
        nt_xent(same, torch.arange(4), torch.zeros(4), 0.1)


def test_regression_counts_only_what_is_active() -> None:
    heads = Heads(4, 2, 1)
    torch.nn.init.zeros_(heads.shares.weight)
    torch.nn.init.zeros_(heads.shares.bias)
    shares = torch.tensor([[0.5, 1.0]])
    for active, expected in (([[True, False]], 0.0), ([[False, True]], 3.0)):
        regression, _ = heads.losses(
            torch.zeros(1, 4), shares, torch.tensor(active), *[torch.ones(1, 1) > 0] * 2
        )
        assert float(regression.detach()) == pytest.approx(expected)


@pytest.mark.slow
def test_it_overfits_a_handful_of_styles() -> None:
    torch.manual_seed(0)
    encoder = FXEncoder()
    sounds = torch.cat((excerpts(4, 1.5), excerpts(4, 1.5).flip(-1)))
    gains = torch.tensor([0.1, 0.3, 1.0, 3.0]).repeat(2)[:, None, None]
    style, stem = torch.arange(4).repeat(2), torch.full((8,), 2)
    features = encoder.describe(sounds * gains)
    optimizer = torch.optim.AdamW(encoder.parameters(), 1e-3)
    for _ in range(40):
        loss = nt_xent(encoder.hear(features, stem), style, stem, 0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.2


def test_an_ear_for_spectra_hears_no_fast_envelopes() -> None:
    torch.manual_seed(0)
    network = FXEncoder(EncoderConfig(dimensions=8, hidden=8, ear="spectra")).eval()
    described, drums = torch.randn(1, DESCRIPTION), torch.zeros(1, dtype=torch.long)
    with torch.no_grad():
        before = network.hear(described, drums)
        assert torch.equal(network.hear(described + (1 - SPECTRAL), drums), before)
        assert not torch.equal(network.hear(described + SPECTRAL, drums), before)
    assert 0.3 < float(SPECTRAL.mean()) < 0.8
