"""The whole path with a network that makes stems anew: real music, in stems that are shares of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from styletransfer import (
    STEMS,
    Audio,
    Result,
    UsageError,
    apply,
    encoders,
    interpolate,
    mixdown,
    report,
    transfer,
)
from styletransfer import weights as shelf
from styletransfer.cli import app
from styletransfer.cli.completion import converters as proposed
from styletransfer.converter import fx
from styletransfer.converter.console import STRIP, neutral
from styletransfer.converter.tcn import RATE, TCN, TCNConfig
from styletransfer.converters import NAMES, choose, tcn
from styletransfer.document import Document
from styletransfer.errors import CheckpointError, ConfigError
from styletransfer.files import read
from styletransfer.retouching import NETWORK, Retouch
from styletransfer.stem_cache import StemCache
from styletransfer.summary import summary
from styletransfer.web.desk import Desk
from styletransfer.web.sliders import sliders_of
from styletransfer.web.wishes import Turn

ENCODER = "e6dd7ffd"
SHARES = dict(zip(STEMS, (0.3, 0.3, 0.2, 0.2), strict=True))
PLAIN: dict[str, Any] = {
    "gate": False,
    "lock": ["master"],
    "lufs": "off",
    "true_peak_db": 6.0,
    "confident": False,
}


class Shares:
    """Takes a mix apart at once: each stem gets another share of it."""

    name, fingerprint, rate = "builtin", "shares", RATE

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        yield mix.with_channels(2).samples * torch.tensor(list(SHARES.values()))[:, None, None]


def decibels(error: Tensor, sound: Tensor) -> float:
    return float(10 * torch.log10(error.square().mean() / sound.square().mean() + 1e-30))


@pytest.fixture(scope="module")
def sounds(songs: dict[str, Path]) -> tuple[Audio, Audio]:
    """4.5 s of the example songs: more than two contexts, and no whole number of blocks."""
    ours, theirs = (read(songs[name]).excerpt(20, 24.5) for name in ("input", "reference"))
    return Audio(ours.samples * 0.5, ours.rate), theirs


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = TCN(TCNConfig(condition=tcn.condition_size(256), channels=8, blocks=2, bands=8, hidden=8))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    folder = tmp_path_factory.mktemp("weights")
    return tcn.save(folder, "tcn-tiny", network.eval(), ENCODER, {}, {"drums": 0.5, "bass": 0.0})[0]


@pytest.fixture(scope="module")
def mixed(sounds: tuple[Audio, Audio], weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A transfer of the sounds with the network, and what else is asked."""
    cache = StemCache(tmp_path_factory.mktemp("stems"))

    def mix(**asked: Any) -> Result:
        return transfer(*sounds, separator=Shares(), converter=str(weights), cache=cache, **asked)

    return mix


@pytest.fixture(scope="module")
def plain(mixed: Any) -> Result:
    """Nothing but the stems changed."""
    found: Result = mixed(**PLAIN)
    return found


@pytest.fixture(scope="module")
def ready(plain: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stems of the input, as files."""
    folder = tmp_path_factory.mktemp("ready")
    for name, stem in plain.dry_stems.items():
        stem.write(folder / f"{name}.wav", "FLOAT")
    return folder


def unbroken(result: Result, weights: Path) -> Tensor:
    """The input plus what the network changes of each stem, each in one piece."""
    network, total = tcn.load(weights), result.song.audio.samples.clone()
    for name, told in result.document.treatments.items():
        stem, factor = result.dry_stems[name].samples, 10 ** (told.gain_db / 20)
        with torch.no_grad():
            made = network.network((stem * factor)[None], told.vector[None])[0] / factor
        total += told.amount * (made - stem)
    return total


def test_stems_go_through_the_network_by_difference(plain: Result, weights: Path) -> None:
    told = plain.document.treatments
    assert {name: one.amount for name, one in told.items()} == {"drums": 0.5, "other": 1.0, "vocals": 1.0}
    assert plain.document.converter.fingerprint == weights.stem[-8:]
    assert all(settings == neutral(STRIP) for settings in plain.document.console.stems().values())
    source = plain.song.audio.samples
    assert decibels(plain.mix.samples - source, source) > -40  # it does something
    assert decibels(plain.mix.samples - unbroken(plain, weights), source) < -100
    assert [note.strip for note in plain.warnings if note.code == "network-failed"] == ["bass"]
    stems = torch.stack([plain.stems[name].samples for name in (*STEMS, "rest")]).sum(0)
    assert decibels(stems - plain.mix.samples, source) < -100
    assert "drums: a network's rendering, 50 % of its change" in "\n".join(summary(plain.document))


def test_blocks_of_another_size_give_the_same(
    plain: Result, mixed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixdown, "BLOCK", 5_000)
    assert decibels(mixed(**PLAIN).mix.samples - plain.mix.samples, plain.mix.samples) < -100


def test_amount_0_is_the_input(mixed: Any) -> None:
    result = mixed(amount=0)
    assert result.unchanged
    assert torch.equal(result.mix.samples, result.song.audio.samples)
    assert not result.document.treatments


def test_amounts_and_locks_hold(mixed: Any, plain: Result, weights: Path) -> None:
    asked = PLAIN | {"lock": ["master", "vocals"], "amount": 0.5, "stem_amounts": {"other": 0.25}}
    result = mixed(**asked)
    assert {n: t.amount for n, t in result.document.treatments.items()} == {"drums": 0.25, "other": 0.25}
    assert result.document.treatments["drums"].condition == plain.document.treatments["drums"].condition
    source = result.song.audio.samples
    assert decibels(result.mix.samples - unbroken(result, weights), source) < -100


def test_the_gate_takes_back_what_a_network_did(mixed: Any) -> None:
    result = mixed(stem_amounts={"vocals": 0.5}, confident=False)
    amounts, validated = result.document.gate.amounts, {"drums": 0.5, "other": 1.0, "vocals": 1.0}
    told = {name: one.amount for name, one in result.document.treatments.items()}
    assert told == {n: pytest.approx(amounts[n] * share) for n, share in validated.items() if amounts[n]}


def test_a_network_changes_a_separated_stem_as_far_as_it_is_its_own(mixed: Any) -> None:
    first, second = (mixed(confident=told, gate=False).document.treatments for told in (True, False))
    assert first.keys() == second.keys() != set()
    for name, one in first.items():
        assert 0 < one.amount < 0.9 * second[name].amount


def test_saved_settings_give_the_same_sound_again(
    plain: Result, weights: Path, sounds: tuple[Audio, Audio], ready: Path, tmp_path: Path
) -> None:
    path = plain.document.save(tmp_path / "result.json")
    assert Document.load(path) == plain.document
    again = apply(path, sounds[0], stems_in=ready, converter=str(weights))
    assert decibels(again.mix.samples - plain.mix.samples, plain.mix.samples) < -100
    assert again.document.treatments == plain.document.treatments
    half = apply(path, sounds[0], stems_in=ready, converter=str(weights), amount=0.5)
    wanted = (plain.mix.samples + plain.song.audio.samples) / 2
    assert decibels(half.mix.samples - wanted, wanted) < -100
    with pytest.raises(UsageError, match="no preset"):
        apply(path, sounds[1], converter=str(weights))


def test_another_network_is_refused(
    plain: Result, sounds: tuple[Audio, Audio], ready: Path, tmp_path: Path
) -> None:
    other = TCN(TCNConfig(condition=8, channels=8, blocks=2, bands=8, hidden=8))
    path = tcn.save(tmp_path, "tcn-other", other, ENCODER, {})[0]
    with pytest.raises(CheckpointError, match=path.stem[-8:]):
        apply(plain.document, sounds[0], converter=str(path))
    claimed = plain.document.model_copy(deep=True)
    claimed.converter.fingerprint = path.stem[-8:]
    with pytest.raises(ConfigError, match="663 numbers, not 8"):
        apply(claimed, sounds[0], stems_in=ready, converter=str(path))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"converter": {"name": "closed"}}, "need the converter tcn"),
        ({"treatments": {"piano": {"amount": 1, "gain_db": 0, "condition": "AAAAAA=="}}}, "no stem 'piano'"),
        (
            {"treatments": {"drums": {"amount": 2, "gain_db": 0, "condition": "AAAAAA=="}}},
            "less than or equal",
        ),
        ({"treatments": {"drums": {"amount": 1, "gain_db": 0, "condition": "AAA"}}}, "base64"),
        ({"treatments": {"drums": {"amount": 1, "gain_db": 0, "condition": "AADAfw=="}}}, "finite"),
    ],
)
def test_broken_treatments_are_named(
    plain: Result, tmp_path: Path, broken: dict[str, Any], said: str
) -> None:
    path = plain.document.save(tmp_path / "result.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | broken))
    with pytest.raises(ConfigError, match=said):
        Document.load(path)


@pytest.mark.parametrize("asked", [{"only": ["eq"]}, {"refine": 10}])
def test_what_a_network_cannot_be_asked_is_refused_at_once(asked: dict[str, Any], weights: Path) -> None:
    with pytest.raises(UsageError, match="tcn converter"):
        transfer("missing.wav", "missing.wav", converter=str(weights), **asked)


def test_between_references_only_what_is_heard_is_interpolated(
    sounds: tuple[Audio, Audio], weights: Path, tmp_path: Path
) -> None:
    ours, theirs = sounds
    asked: dict[str, Any] = {"separator": Shares(), "converter": str(weights), "cache": StemCache(tmp_path)}
    with pytest.raises(UsageError, match="--space embedding"):
        interpolate(ours, theirs, ours, **asked)
    way = interpolate(ours, theirs, ours, space="embedding", gate=False, **asked)
    middle = way.at(0.5)
    conditions = [one.document.treatments["other"].vector for one in (middle, way.first, way.second)]
    assert not torch.equal(conditions[0], conditions[1])
    assert torch.isfinite(middle.mix.samples).all()
    with pytest.raises(UsageError, match="swept"):
        way.sweep()


def test_the_amount_is_a_knob_by_hand(plain: Result) -> None:
    retouch = Retouch(plain, length_s=3.0)
    shown = sliders_of("drums", retouch.settings("drums"))
    assert [(one.knob, one.value) for one in shown["Network"]] == [("amount", 0.5)]
    assert "Network" not in sliders_of("bass", retouch.settings("bass"))
    whole = plain.mix.excerpt(*retouch.passage_s)
    assert decibels(retouch.mix().samples - whole.samples, whole.samples) < -80
    before = retouch.stem("drums").samples
    retouch.turn({"drums": {NETWORK: {"amount": 1.0}}})
    after, dry = retouch.stem("drums").samples, retouch.dry_stem("drums").samples
    assert torch.allclose(after - dry, 2 * (before - dry), atol=1e-6)
    finished = retouch.finished()
    assert finished.document.treatments["drums"].amount == 1.0
    for name in plain.treated:
        retouch.turn({name: {NETWORK: {"amount": 0.0}}})
    assert torch.equal(retouch.mix().samples, retouch.input().samples)
    retouch.turn({name: retouch.first[name] for name in STEMS})
    assert retouch.finished() is plain
    told = Desk(retouch, None).turn(Turn(strip="drums", settings={NETWORK: {"amount": 0.25}}))
    assert told["settings"]["drums"][NETWORK] == {"amount": 0.25}
    assert Desk(retouch, None).turn(Turn(strip="drums"))["settings"]["drums"][NETWORK] == {"amount": 0.5}
    for wrong in ({"amount": 2.0}, {"drive": 1.0}):
        with pytest.raises(ConfigError, match="network"):
            retouch.turn({"drums": {NETWORK: wrong}})
    with pytest.raises(ConfigError, match="no stage 'network'"):
        retouch.turn({"bass": {NETWORK: {"amount": 1.0}}})


def test_the_report_tells_the_change_where_there_are_no_knobs(plain: Result) -> None:
    told = {strip.name: strip for strip in report.report_of(plain, "none").strips}
    assert told["other"].line.startswith("a network's rendering, 100 % of its change, level ")
    assert [picture.key for picture in told["other"].pictures] == ["other-network"]
    assert not told["other"].rows
    assert not told["bass"].line


def test_at_another_rate_the_difference_is_resampled() -> None:
    sound = 0.1 * torch.randn(2, 24_000, generator=torch.Generator().manual_seed(0))
    stem = Audio(sound, 48_000)
    halved = mixdown.behind(stem, [fx.Local(lambda block: block / 2)], RATE).samples
    assert halved.shape == sound.shape
    made, whole = torch.fft.rfft(halved), torch.fft.rfft(sound)
    high, low = slice(11_300, None), slice(10_000)  # above what the network hears, and below
    assert decibels((made - whole)[:, high].abs(), whole[:, high].abs()) < -30
    assert decibels((made - whole / 2)[:, low].abs(), whole[:, low].abs()) < -40


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_names_that_are_no_converter_get_exit_code_2(songs: dict[str, Path], tmp_path: Path) -> None:
    asked = [songs["input"], songs["reference"], "-o", tmp_path / "out.wav", "--converter"]
    done = run("transfer", *asked, "magic")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "closed, console, tcn" in done.stderr.splitlines()[-1]
    assert set(proposed("")) == {"auto", *NAMES}


def test_without_shipped_weights_a_sentence_says_so(
    songs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {name: entry for name, entry in shelf.manifest().items() if name != tcn.SHIPPED}
    monkeypatch.setattr(shelf, "manifest", lambda: entries)
    done = run("transfer", songs["input"], songs["reference"], "-o", tmp_path / "o.wav", "--converter", "tcn")
    assert done.exit_code == CheckpointError.exit_status
    assert done.stderr.splitlines()[-1].startswith(
        "automix: no tcn network comes with this version; train one"
    )


def test_shipped_weights_need_no_file(
    plain: Result,
    weights: Path,
    sounds: tuple[Audio, Audio],
    ready: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    entry = {"file": weights.name, "sha256": sha256, "origin": "here", "licence": "none"}
    encoder = shelf.manifest()[encoders.SHIPPED]
    for path in (weights, shelf.SHIPPED / encoder["file"]):
        shutil.copy(path, tmp_path)
    entries = {tcn.SHIPPED: entry, encoders.SHIPPED: encoder}
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    monkeypatch.setattr(shelf, "SHIPPED", tmp_path)
    network = choose("tcn")
    assert network is not None
    assert (network.name, network.encoder) == ("tcn", ENCODER)
    again = apply(plain.document, sounds[0], stems_in=ready)
    assert decibels(again.mix.samples - plain.mix.samples, plain.mix.samples) < -100
