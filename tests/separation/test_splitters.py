"""Splitters that were trained, or will be: what holds for their networks whatever they have learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from separation_sounds import RATE, level_db, song

from styletransfer import weights
from styletransfer.audio import STEMS, Audio
from styletransfer.errors import CheckpointError
from styletransfer.separation import choose, rest_of, separate, splitters
from styletransfer.separation.builtin import OVERLAP, PATCH, Builtin
from styletransfer.separation.split_bands import band_widths
from styletransfer.separation.splitters import LearnedSplitter, SplitterConfig

CONFIGS = (
    SplitterConfig("unet", 128, 4),
    SplitterConfig("bands", 128, 8),
    SplitterConfig("tdf", 128, 4),
)


def spectra(batch: int = 1, bins: int = 128, frames: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 2, bins, frames, generator=generator, dtype=torch.complex64)


def network(config: SplitterConfig) -> torch.nn.Module:
    torch.manual_seed(0)
    built = splitters.build(config)
    for parameter in built.parameters():  # as if it had learned something
        parameter.data += 0.03 * torch.randn_like(parameter)
    return built.eval()


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda config: config.architecture)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("splitter")
    path, _ = splitters.save(folder, "splitter-test", network(request.param), request.param, {"steps": 1})
    return path


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.architecture)
def test_masks_share_every_bin_out(config: SplitterConfig) -> None:
    masks = network(config)(spectra(2))
    assert masks.shape == (2, 3, 2, 128, 64)
    assert (masks.sum(1) - 1).abs().max() < 1e-5
    assert (masks - 1 / 3).abs().max() > 0.01


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.architecture)
def test_every_parameter_learns(config: SplitterConfig) -> None:
    learner = network(config).train()
    heard = spectra(2)
    (learner(heard) * heard[:, None])[:, 0].abs().square().sum().backward()
    for name, parameter in learner.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name


def test_bands_cover_all_bins() -> None:
    for bins in (64, 1024, 2048):
        assert sum(band_widths(bins)) == bins


def test_a_network_starts_from_spleeter() -> None:
    learner = splitters.build(SplitterConfig("unet", 1024, 8))
    came = splitters.start(learner, 0)
    theirs, _ = weights.load("spleeter-accompaniment")
    state = learner.state_dict()
    assert torch.equal(state["down.3.conv.weight"], theirs["down.3.conv.weight"])
    assert state["up.5.conv.weight"].shape[1] == 8
    assert "down.3.conv.weight" in came
    assert "last.weight" not in came
    assert not splitters.start(splitters.build(SplitterConfig("bands", 128, 8)), 0)


def test_what_is_saved_is_loaded(saved: Path) -> None:
    loaded = splitters.load(saved)
    assert loaded.facts["steps"] == 1
    heard = spectra()
    with torch.no_grad():
        error = loaded.network(heard) - network(loaded.config)(heard)
    assert error.abs().mean() < 0.01  # float16 in between


def test_other_weights_are_refused() -> None:
    with pytest.raises(CheckpointError, match="no splitter"):
        splitters.load("spleeter-vocals")
    with pytest.raises(CheckpointError, match="no weights named"):
        splitters.load("nothing")


def test_what_is_split_adds_up_again(saved: Path) -> None:
    splitter = LearnedSplitter(splitters.load(saved))
    sound = song(1.3).samples
    split = splitter.split(sound, RATE, 2.0)
    assert split.shape == (3, *sound.shape)
    assert level_db(split.sum(0) - sound) < -110
    assert level_db(split[0]) > -60


def test_neither_side_is_favoured(saved: Path) -> None:
    splitter = LearnedSplitter(splitters.load(saved))
    sound = song(1).samples
    for stem, swapped in zip(splitter.split(sound, RATE), splitter.split(sound.flip(0), RATE), strict=True):
        assert level_db(stem - swapped.flip(0)) < -80
    mono = sound.mean(0, keepdim=True).expand(2, -1)
    for stem in splitter.split(mono, RATE):
        assert level_db(stem[0] - stem[1]) < -90


def test_it_splits_all_frequencies() -> None:
    """Above its highest bin, too: no stem gets what lies there as a whole."""
    splitter = LearnedSplitter(splitters.LoadedSplitter(network(CONFIGS[0]), CONFIGS[0], "0" * 8, {}))
    time = torch.arange(RATE) / RATE
    for stem in splitter.split(0.3 * torch.sin(2 * torch.pi * 18_000 * time).expand(2, -1).clone(), RATE):
        assert -50 < level_db(stem) < -13


def test_a_file_serves_as_a_separator(saved: Path) -> None:
    separator = choose(str(saved))
    assert saved.stem.rpartition("-")[2] in separator.fingerprint
    mix = song(2)
    stems = separate(mix, separator)
    assert tuple(stems) == STEMS
    assert level_db(rest_of(mix, stems).samples) < -90


def test_what_comes_later_changes_nothing_earlier(tmp_path: Path) -> None:
    """Patches lie on a grid of their own: in what blocks a song comes doesn't matter."""
    path, _ = splitters.save(tmp_path, "splitter-test", network(CONFIGS[1]), CONFIGS[1], {})
    separator = choose(str(path))
    once = song(PATCH / RATE).samples
    twice = torch.cat((once, once[:, : 2 * RATE]), 1)
    short, long = (separate(Audio(samples, RATE), separator) for samples in (once, twice))
    safe = PATCH - OVERLAP
    for name in STEMS:
        error = short[name].samples[:, :safe] - long[name].samples[:, :safe]
        assert level_db(error) < level_db(once) - 60


def test_without_a_trained_splitter_the_median_serves() -> None:
    shipped = splitters.SHIPPED in weights.manifest()
    assert ("median" in Builtin().fingerprint) != shipped
