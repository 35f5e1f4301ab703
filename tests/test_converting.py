"""A network corrects the closed form: only strips that both sides have, only styles of its own encoder."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator

from styletransfer import converters, encoders, weights
from styletransfer.converter.console import MASTER, STRIP, for_louder, neutral
from styletransfer.converter.network import STRIPS, ConsoleNetwork
from styletransfer.converters import LoadedConsole, console
from styletransfer.converting import encoder_of
from styletransfer.encoder.network import EncoderConfig, FXEncoder
from styletransfer.errors import CheckpointError, ConfigError, UsageError
from styletransfer.style import SILENT_LUFS, SongStyle, Style


def style(seed: int, *, silent: bool = False) -> Style:
    chance = Generator().manual_seed(seed)
    learned = torch.nn.functional.normalize(torch.randn(256, generator=chance), dim=0)
    said = torch.randn(73, generator=chance)
    return Style(learned, learned * 0, said, said * 0, SILENT_LUFS if silent else -20.0)


def song(seed: int, encoder: str = "0123abcd") -> SongStyle:
    return SongStyle(style(seed), {name: style(seed + 1) for name in STRIPS[:4]}, encoder)


def eager() -> ConsoleNetwork:
    network = ConsoleNetwork().eval()
    with torch.no_grad():
        network.out.bias.fill_(0.5)
    return network


def loaded(network: ConsoleNetwork) -> LoadedConsole:
    return LoadedConsole(network, "fedc3210", "0123abcd", {})


def matched() -> dict[str, dict[str, dict[str, float]]]:
    strips = {name: neutral(STRIP) for name in STRIPS[:4]}
    for name in ("drums", "vocals"):
        strips[name]["eq"]["peak_1_gain_db"] = 2.0
    return strips


def test_strips_that_were_matched_move_and_the_others_stay() -> None:
    after = loaded(eager()).corrected(matched(), song(1), song(2))
    assert after["bass"] == neutral(STRIP) == after["other"]
    assert after["drums"]["eq"]["peak_1_gain_db"] == pytest.approx(
        2 + (2 + 6) * torch.tanh(torch.tensor(0.5)).item()  # on in the closed form's direction, and its own
    )
    assert after["drums"]["compressor"]["ratio"] > 1.5


def test_a_master_is_corrected_where_the_network_was_taught_it() -> None:
    network = eager()
    after = loaded(network).corrected_master(neutral(MASTER), style(1), style(2))
    assert loaded(network).sets_master
    assert after["eq"]["peak_5_gain_db"] == pytest.approx(6 * math.tanh(0.5), abs=1e-4)
    assert after["limiter"] == pytest.approx(neutral(MASTER)["limiter"], rel=1e-5)
    network.scale[STRIPS.index("master")] = 0
    assert not loaded(network).sets_master
    for stage, knobs in loaded(network).corrected_master(neutral(MASTER), style(1), style(2)).items():
        assert knobs == pytest.approx(neutral(MASTER)[stage], rel=1e-5)


def test_a_network_does_the_same_to_a_louder_song() -> None:
    network, strips = loaded(eager()), matched()
    strips["drums"]["compressor"] |= {"ratio": 2.0, "threshold_db": -30.0}
    quiet = network.corrected(strips, song(1), song(2))
    strips["drums"]["compressor"]["threshold_db"] += 6
    louder = {name: replace(one, loudness_lufs=one.loudness_lufs + 6) for name, one in song(1).stems.items()}
    loud = network.corrected(strips, replace(song(1), stems=louder), song(2))
    for name in ("drums", "vocals"):
        expected = for_louder(STRIP, quiet[name], 6)
        assert expected["compressor"]["threshold_db"] == pytest.approx(
            quiet[name]["compressor"]["threshold_db"] + 6
        )
        for stage, knobs in expected.items():
            assert loud[name][stage] == pytest.approx(knobs, rel=1e-4, abs=1e-4)
    master = neutral(MASTER)
    one = network.corrected_master(master, style(1), style(2))
    other = network.corrected_master(master, replace(style(1), loudness_lufs=-14.0), style(2))
    assert other["compressor"]["threshold_db"] == pytest.approx(one["compressor"]["threshold_db"] + 6)
    assert other["eq"] == one["eq"]


def test_an_untrained_network_is_the_closed_form() -> None:
    before = matched()
    after = loaded(ConsoleNetwork().eval()).corrected(before, song(1), song(2))
    for name, settings in before.items():
        for stage, knobs in settings.items():
            assert after[name][stage] == pytest.approx(knobs, rel=1e-5)


def test_styles_of_another_encoder_are_refused() -> None:
    with pytest.raises(ValueError, match="encoders"):
        loaded(eager()).corrected(matched(), song(1), song(2, "99999999"))


def test_a_network_survives_its_file(tmp_path: Path) -> None:
    network = eager()
    path, _ = console.save(tmp_path, "console-tiny", network, "0123abcd", {"steps": 3})
    again = converters.choose(str(path))
    assert again is not None
    assert (again.encoder, again.facts["steps"], again.fingerprint) == ("0123abcd", 3, path.stem[-8:])
    before, after = (one.corrected(matched(), song(1), song(2)) for one in (loaded(network), again))
    assert after["vocals"]["eq"] == pytest.approx(before["vocals"]["eq"], rel=1e-2)


def test_a_converter_hears_through_its_own_encoder_which_lies_beside_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = FXEncoder(EncoderConfig(dimensions=16, hidden=16))
    heard = encoders.load(encoders.save(tmp_path, "own", small, {})[0])
    file = str(tmp_path / "run" / "console-tiny-fedc3210.safetensors")
    network = replace(loaded(eager()), encoder=heard.fingerprint)
    with pytest.raises(ConfigError, match=f"ends in -{heard.fingerprint}.safetensors"):
        encoder_of(network, file)
    for name in (encoders.SHIPPED, next(tmp_path.glob("own-*"))):
        (tmp_path / "run").mkdir(exist_ok=True)
        encoders.put_beside(name, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == [f"own-{heard.fingerprint}.safetensors"]
    assert encoder_of(network, file).fingerprint == heard.fingerprint
    shipped = encoders.load().fingerprint
    assert encoder_of(replace(network, encoder=shipped), "console").fingerprint == shipped


def test_names_that_arent_converters_are_refused(tmp_path: Path) -> None:
    assert converters.choose("closed") is None
    with pytest.raises(UsageError, match="no converter 'magic'"):
        converters.choose("magic")
    path, _ = weights.save(tmp_path, "other", {"x": torch.zeros(1)}, {"kind": "else"})
    with pytest.raises(CheckpointError, match="no console converter"):
        converters.choose(str(path))
