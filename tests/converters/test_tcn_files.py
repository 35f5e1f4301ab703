from __future__ import annotations

from pathlib import Path

import pytest
import torch

from styletransfer import files
from styletransfer.converter import fx
from styletransfer.converter.tcn import TCN, TCNConfig, TCNStage
from styletransfer.converters import tcn
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.errors import CheckpointError
from styletransfer.style import SILENT_LUFS, SongStyle, Style

ENCODER = "0123abcd"


def style(seed: int, loudness_lufs: float = -25.0, learned: int = 4) -> Style:
    generator = torch.Generator().manual_seed(seed)
    embedding = torch.nn.functional.normalize(torch.randn(learned, generator=generator), dim=0)
    said = torch.randn(len(EXPLICIT_NAMES), generator=generator)
    return Style(embedding, torch.zeros(learned), said, torch.zeros_like(said), loudness_lufs)


def song(seed: int, **stems: Style) -> SongStyle:
    return SongStyle(style(seed, -18.0), stems, ENCODER)


def stirred(config: TCNConfig) -> TCN:
    torch.manual_seed(0)
    network = TCN(config)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return network.eval()


@pytest.fixture
def loaded(tmp_path: Path) -> tcn.LoadedTCN:
    config = TCNConfig(condition=tcn.condition_size(4), channels=8, blocks=2, bands=8, hidden=8)
    path, _ = tcn.save(tmp_path, "tiny", stirred(config), ENCODER, {"steps": 3})
    return tcn.load(path)


@pytest.mark.parametrize("preset", ["small", "paper"])
def test_saved_and_loaded_it_does_the_same(preset: str, tmp_path: Path) -> None:
    small = TCNConfig(condition=6, channels=8, blocks=2, bands=8, hidden=8)
    network = stirred(small if preset == "small" else TCNConfig("paper", 6, channels=4, blocks=3, kernel=5))
    path, sha256 = tcn.save(tmp_path, "tiny", network, ENCODER, {"steps": 3})
    assert path.name == f"tiny-{sha256[:8]}.safetensors"
    loaded = tcn.load(path)
    assert (loaded.network.config, loaded.encoder) == (network.config, ENCODER)
    assert (loaded.fingerprint, loaded.facts["steps"]) == (sha256[:8], 3)
    samples, told = 0.1 * torch.randn(1, 2, 20_000), torch.randn(1, 6)
    made, again = network(samples, told), loaded.network(samples, told)
    assert (made - again).norm() < 0.01 * made.norm()  # float16
    assert tcn.save(tmp_path, "tiny", loaded.network, ENCODER, {"steps": 3})[0] == path


def test_other_weights_are_refused() -> None:
    with pytest.raises(CheckpointError, match="no tcn"):
        tcn.load("fxencoder-small")


def test_a_condition_says_reference_difference_stem_and_level() -> None:
    ours, theirs = style(1), style(2)
    told = tcn.condition("other", ours, theirs, 5.0, tcn.condition_size(4) + 3)
    numbers = len(EXPLICIT_NAMES)
    assert torch.allclose(told[:4], 2 * theirs.learned)
    assert torch.allclose(told[4 : 4 + numbers], theirs.explicit)
    assert torch.allclose(told[8 + numbers : 8 + 2 * numbers], theirs.explicit - ours.explicit)
    assert told[8 + 2 * numbers :].tolist() == [0, 0, 1, 0, 1, 0, 0, 0]
    alone = tcn.condition("other", style(1, learned=16), style(2, learned=16), 5.0, 16)
    assert torch.allclose(alone, 4 * style(2, learned=16).learned)
    with pytest.raises(ValueError, match="doesn't fit"):
        tcn.condition("other", ours, theirs, 0.0, 20)


def test_stages_change_what_both_sides_have(loaded: tcn.LoadedTCN) -> None:
    ours = song(1, drums=style(2), bass=style(3), vocals=style(4, SILENT_LUFS))
    theirs = song(5, drums=style(6), vocals=style(7), other=style(8))
    told = loaded.treatments(ours, theirs)
    assert list(told) == ["drums"]
    samples = 0.1 * torch.randn(2, 30_000)
    made = fx.render(samples, loaded.stages(told["drums"]))
    assert made.shape == samples.shape
    assert not torch.equal(made, samples)


def test_amounts_are_kept_and_stop_what_failed(tmp_path: Path) -> None:
    config = TCNConfig(condition=tcn.condition_size(4), channels=8, blocks=2, bands=8, hidden=8)
    path, _ = tcn.save(tmp_path, "tiny", stirred(config), ENCODER, {}, {"bass": 0.0, "drums": 0.5})
    loaded = tcn.load(path)
    ours, theirs = (song(side, drums=style(side), bass=style(side), other=style(side + 1)) for side in (1, 5))
    assert loaded.amounts == {"drums": 0.5, "bass": 0.0, "other": 1.0, "vocals": 1.0}
    found = loaded.treatments(ours, theirs)
    assert {name: told.amount for name, told in found.items()} == {"drums": 0.5, "other": 1.0}
    assert list(loaded.treatments(ours, theirs, ["other"])) == ["other"]


def test_louder_songs_get_the_same_change(loaded: tcn.LoadedTCN) -> None:
    """What is done hangs on the levels over the mix, and on how the stem sounds, not on the song's gain."""
    samples = 0.05 * torch.randn(2, 30_000, generator=torch.Generator().manual_seed(0))
    made = []
    for gain_db in (0.0, 12.0):
        ours = SongStyle(style(1, -18.0 + gain_db), {"bass": style(2, -25.0 + gain_db)}, ENCODER)
        heard = samples * 10 ** (gain_db / 20)
        told = loaded.treatments(ours, song(5, bass=style(6)))
        made.append(fx.render(heard, loaded.stages(told["bass"])))
    assert (made[1] / 10**0.6 - made[0]).norm() < 1e-4 * made[0].norm()


def test_styles_of_another_encoder_are_refused(loaded: tcn.LoadedTCN) -> None:
    ours = song(1, drums=style(2))
    with pytest.raises(ValueError, match="encoders"):
        loaded.treatments(ours, SongStyle(ours.mix, ours.stems, "another"))


def test_a_voice_that_one_side_lacks_moves_no_balance(loaded: tcn.LoadedTCN) -> None:
    """Without a voice every other stem is louder over its mix, and still as loud beside each other."""

    def levels(shift_db: float) -> list[float]:
        ours = song(1, drums=style(2, -24.0), other=style(3, -27.0))
        theirs = song(5, drums=style(6, -24.0 + shift_db), other=style(7, -25.0 + shift_db))
        found = loaded.treatments(ours, theirs)
        return [5 * float(found[name].vector[-1]) for name in ("drums", "other")]

    assert levels(3.0) == pytest.approx(levels(0.0), abs=1e-4)
    assert levels(0.0)[1] - levels(0.0)[0] == pytest.approx(2.0, abs=1e-4)
    assert levels(0.0)[0] < 0 < levels(0.0)[1]


def test_on_music_blocks_of_the_shipped_network_equal_the_unbroken_run(songs: dict[str, Path]) -> None:
    shipped = tcn.load()
    stem = files.read(songs["input"]).excerpt(2.0, 10.0).at_rate(44_100).with_channels(2).samples
    chance = torch.Generator().manual_seed(0)
    told = torch.randn(1, shipped.network.config.condition, generator=chance) / 4
    with torch.no_grad():
        unbroken = shipped.network(stem[None], told)[0]
    stage = TCNStage(shipped.network, told[0], chunk_frames=44_100)
    made = fx.render(stem, [stage], block_frames=10_000)

    def level_db(samples: torch.Tensor) -> float:
        return float(10 * torch.log10(samples.square().mean() / stem.square().mean()))

    assert level_db(unbroken - stem) > -30  # it does something
    assert level_db(made - unbroken) < -100
