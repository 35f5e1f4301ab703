"""How much of a stem is its own: sure masks, leakage and quiet stems must be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from separation_sounds import RATE, parts

from styletransfer import transfer
from styletransfer.audio import STEMS, Audio
from styletransfer.separation.confidence import Confidence, bearable, confidences, leaks, own_share
from styletransfer.stem_cache import StemCache


def stems(leak: float, duration_s: float = 4.0) -> tuple[Audio, dict[str, Audio]]:
    """The known parts, each with a share of the others; the vocals are nothing but that."""
    known = parts(duration_s)
    known["vocals"] = torch.zeros_like(known["drums"])
    total = torch.stack(list(known.values())).sum(0)
    sounds = {name: (1 - leak) * known[name] + leak / 4 * total for name in STEMS}
    return Audio(total, RATE), {name: Audio(sound, RATE) for name, sound in sounds.items()}


def test_clean_stems_are_trusted_and_mixed_ones_less() -> None:
    clean = confidences(*stems(0.0))
    leaking = confidences(*stems(0.6))
    for name in ("drums", "bass", "other"):
        assert clean[name].mean > leaking[name].mean + 0.05, name
        assert clean[name].mean > 0.7


def test_a_stem_that_is_only_leakage_is_not_trusted() -> None:
    told = confidences(*stems(0.3))["vocals"]
    assert told.mean < 0.5 * confidences(*stems(0.3))["bass"].mean
    assert told.mean < 0.5


def test_a_silent_stem_bears_nothing() -> None:
    told = confidences(*stems(0.0))["vocals"]
    assert told.mean == 0
    assert bearable({"vocals": told}, {"vocals": told}) == {"vocals": 0}
    assert leaks({"vocals": told}, "the input", {}) == []


def test_confidence_moves_with_time() -> None:
    mix, clean = stems(0.0)
    _, leaking = stems(0.8)
    half = mix.frames // 2
    both = {
        name: Audio(torch.cat((clean[name].samples[:, :half], leaking[name].samples[:, half:]), 1), RATE)
        for name in STEMS
    }
    told = confidences(mix, both)["bass"].over_time
    assert len(told) == 4
    assert told[0] > told[2] + 0.05


def test_long_songs_are_walked_through() -> None:
    mix, whole = stems(0.2, 40.0)
    told = confidences(mix, whole)["drums"]
    first = confidences(mix.excerpt(0, 10), {name: s.excerpt(0, 10) for name, s in whole.items()})["drums"]
    assert len(told.over_time) == 40
    assert torch.allclose(told.over_time[:9], first.over_time[:9], atol=1e-4)


def test_both_sides_must_bear_a_change() -> None:
    sure, unsure = (confidences(*stems(leak)) for leak in (0.0, 0.9))
    bears = bearable(sure, unsure)
    assert bears["bass"] == unsure["bass"].mean < sure["bass"].mean


def test_leakage_is_warned_of() -> None:
    features = torch.tensor([[-10.0, 0.1, -8.0, 30.0]])
    told = Confidence(features, torch.ones(1))
    for bears, words in (({"drums": 0.4}, "changed by 40 %"), ({}, "acts on others")):
        (note,) = leaks({"drums": told}, "the input", bears)
        assert note.code == "stem-leaky"
        assert note.strip == "drums"
        assert "the input" in note.message
        assert words in note.message


def test_decibels_become_shares() -> None:
    assert float(own_share(torch.tensor(0.0))) == pytest.approx(0.5)
    assert float(own_share(torch.tensor(20.0))) == pytest.approx(0.99, abs=1e-3)


class Shares:
    """A separator that gives every stem a share of the mix, three of them a small one."""

    name, rate, fingerprint = "builtin", RATE, "shares"

    def blocks(self, mix: Audio) -> Iterator[torch.Tensor]:
        for block in mix.with_channels(2).blocks(2**16):
            yield torch.stack([share * block for share in (0.18, 0.18, 0.46, 0.18)])


@pytest.mark.parametrize("confident", [False, True])
def test_a_transfer_tells_of_leaky_stems_and_changes_them_less_where_that_is_asked(
    confident: bool, tmp_path: Path
) -> None:
    first, second = (stems(0.0, 8.0)[0], Audio(stems(0.0, 8.0)[0].samples.flip(1).clone(), RATE))
    found = transfer(
        (first.samples, RATE),
        (second.samples, RATE),
        separator=Shares(),
        converter="closed",
        confident=confident,
        cache=StemCache(tmp_path),
    )
    told = [note.message for note in found.warnings if note.code == "stem-leaky"]
    assert told
    assert all(("changed by" in message) == confident for message in told)
