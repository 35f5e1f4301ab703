"""Knobs turned by hand: what is heard is what the whole rendering gives, and only what moved is rendered."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from styletransfer import mixdown
from styletransfer.applying import render
from styletransfer.audio import STEMS, Audio
from styletransfer.converter.console import MASTER, STRIP, Settings, neutral
from styletransfer.document import Asked, Console, Document, Figures, SeparatorUsed, Source
from styletransfer.encoder.measures import measure
from styletransfer.errors import ConfigError
from styletransfer.result import Result
from styletransfer.retouching import Retouch
from styletransfer.sources import Song
from styletransfer.treating import Treated

SECONDS = 6.0


def stem(seed: int, rate: int = 44_100) -> Audio:
    """Noise that is loudest in its second half."""
    frames = round(SECONDS * rate)
    generator = torch.Generator().manual_seed(seed)
    swell = torch.linspace(0.2, 1.0, frames)
    return Audio(0.05 * swell * torch.randn(2, frames, generator=generator), rate)


def transferred(rate: int = 44_100, console: Console | None = None) -> Result:
    """A result without a transfer: stems of noise, a rest beside them, every kind of stage at work."""
    stems = {name: stem(number) for number, name in enumerate(STEMS)}
    rest = 0.01 * torch.randn(2, round(SECONDS * rate), generator=torch.Generator().manual_seed(9))
    added = torch.stack([one.at_rate(rate).samples for one in stems.values()]).sum(0)
    song = Audio(added + rest, rate)
    if console is None:
        strips = {name: neutral(STRIP) for name in STEMS}
        strips["drums"]["compressor"] |= {"threshold_db": -30.0, "ratio": 3.0, "makeup_db": 2.0}
        strips["bass"]["eq"]["peak_2_gain_db"] = 5.0
        strips["other"]["reverb"]["wet"] = 0.2
        master = neutral(MASTER)
        master["eq"]["peak_3_gain_db"] = -3.0
        master["gain"]["gain_db"] = 2.0
        console = Console(**strips, master=master)
    mix = render(song, stems, console.stems(), console.master)
    document = Document(
        input=Source(name="song", sha256="0" * 64, rate=rate, channels=2, frames=song.frames),
        separator=SeparatorUsed(name="builtin", fingerprint="test"),
        asked=Asked(amount=1),
        console=console,
        after=Figures.of(mixdown.loudness_of(mix), measure(mix.samples, rate), {}),
    )
    return Result(mix, document, Song(song, "song", "0" * 64), None, stems, None, unchanged=False)


def residual_db(one: Audio, other: Audio) -> float:
    difference = (one.samples - other.samples).square().mean()
    return 10 * math.log10(float(difference / other.samples.square().mean()) + 1e-30)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_passage_is_the_results(rate: int) -> None:
    result = transferred(rate)
    retouch = Retouch(result, length_s=2.0)
    assert retouch.passage_s[0] >= 3  # where it is loudest
    assert residual_db(retouch.input(), result.song.audio.excerpt(*retouch.passage_s)) == -300
    heard = retouch.mix()
    assert heard.duration_s == pytest.approx(retouch.passage_s[1] - retouch.passage_s[0])
    assert residual_db(heard, result.mix.excerpt(*retouch.passage_s)) < -50


def test_a_turn_is_heard_in_the_passage_and_in_the_whole() -> None:
    result = transferred()
    retouch = Retouch(result, length_s=2.0)
    before = retouch.mix()
    retouch.turn({"drums": {"gain": {"gain_db": 6.0}}, "master": {"width": {"width": 0.0}}})
    after = retouch.mix()
    assert residual_db(after, before) > -20
    assert torch.allclose(after.samples[0], after.samples[1], atol=1e-5)  # width 0 is mono
    whole = retouch.finished()
    assert residual_db(after, whole.mix.excerpt(*retouch.passage_s)) < -50
    assert whole.document.console.drums["gain"]["gain_db"] == 6.0
    assert result.document.console.drums["gain"]["gain_db"] == 0.0
    assert whole.document.after != result.document.after


def test_nothing_turned_gives_the_transfers_own_result() -> None:
    result = transferred()
    retouch = Retouch(result)
    assert retouch.finished() is result
    retouch.turn({"bass": {"gain": {"gain_db": 3.0}}})
    retouch.turn({"bass": result.document.console.bass})
    assert retouch.finished() is result


def test_a_neutral_console_passes_the_input() -> None:
    retouch = Retouch(transferred(console=Console()), length_s=2.0)
    assert torch.equal(retouch.mix().samples, retouch.input().samples)


def test_only_the_strip_that_moved_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    retouch = Retouch(transferred(), length_s=2.0)
    retouch.mix()
    rendered = []
    processed_stem = mixdown.processed_stem

    def counted(stem: Audio, settings: Settings, treated: Treated | None = None) -> Audio:
        rendered.append(settings)
        return processed_stem(stem, settings, treated)

    monkeypatch.setattr(mixdown, "processed_stem", counted)
    retouch.turn({"vocals": {"gain": {"gain_db": -3.0}}})
    retouch.mix()
    retouch.stem("vocals")
    assert rendered == [retouch.console.vocals]
    retouch.turn({"master": {"gain": {"gain_db": 1.0}}})
    retouch.mix()
    assert len(rendered) == 1


@pytest.mark.parametrize(
    "strips",
    [
        {"piano": {"gain": {"gain_db": 1.0}}},
        {"drums": {"gong": {"gain_db": 1.0}}},
        {"drums": {"gain": {"gain": 1.0}}},
        {"drums": {"gain": {"gain_db": 100.0}}},
        {"drums": {"gain": {"gain_db": math.nan}}},
        {"master": {"reverb": {"wet": 0.5}}},
    ],
)
def test_what_there_isnt_is_refused_and_nothing_turned(
    strips: dict[str, dict[str, dict[str, float]]],
) -> None:
    retouch = Retouch(transferred(), length_s=2.0)
    before = retouch.console
    with pytest.raises(ConfigError):
        retouch.turn(strips)
    assert retouch.console == before


def test_a_mono_result_stays_mono() -> None:
    result = transferred()
    mono = replace(result, mix=result.mix.with_channels(1))
    assert Retouch(mono, length_s=2.0).mix().channels == 1
