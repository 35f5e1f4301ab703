"""Normalizing takes an engineer's hand off: dry and effected meet, twice is once, silence is left alone."""

from __future__ import annotations

import pytest
import torch
from normalization_sounds import RATE, effected, music
from torch import Tensor

from styletransfer.audio import Audio
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.normalization import Averages, normalize, normalize_audio
from styletransfer.normalization.measuring import Look, look


def seen(samples: Tensor) -> Look:
    found = look(samples, RATE)
    assert found is not None
    return found


def apart(one: Tensor, other: Tensor) -> dict[str, float]:
    """How far two sounds are from each other, in dB, by measure."""
    a, b = seen(one), seen(other)
    spectra = [found.measures.mid_db - found.measures.loudness_lufs for found in (a, b)]
    assert a.onset_peak_db is not None
    assert b.onset_peak_db is not None
    return {
        "loudness": abs(a.loudness_lufs - b.loudness_lufs),
        "spectrum": float((spectra[0] - spectra[1])[3:27].abs().mean()),
        "width": abs(a.measures.width_db - b.measures.width_db),
        "balance": abs(a.measures.balance_db - b.measures.balance_db),
        "onset peak": abs(a.onset_peak_db - b.onset_peak_db),
        "punch": abs(a.measures.punch_db - b.measures.punch_db),
    }


@pytest.mark.parametrize("stem", ["drums", "vocals", "mix"])
def test_dry_and_effected_meet(averages: Averages, stem: str) -> None:
    dry = music(0)
    wet = effected(dry)
    before = apart(dry, wet)
    after = apart(*normalize(torch.stack([dry, wet]), RATE, stem, averages))
    assert after["loudness"] < 0.1
    assert after["width"] < 0.3
    assert after["balance"] < 0.3
    assert after["spectrum"] < 0.4 * before["spectrum"]
    assert after["onset peak"] < 0.6 * before["onset peak"]
    assert after["punch"] < 0.6 * before["punch"]


def test_the_averages_are_reached(averages: Averages) -> None:
    target = averages.of("other")
    for sound in (effected(music(1)), music(2, width=0.1, level=0.01)):
        found = seen(normalize(sound[None], RATE, "other", averages)[0])
        assert found.loudness_lufs == pytest.approx(target.loudness_lufs, abs=0.1)
        assert found.measures.width_db == pytest.approx(target.width_db, abs=0.5)
        assert found.measures.balance_db == pytest.approx(target.balance_db, abs=0.3)
        tone = found.measures.mid_db - found.measures.loudness_lufs
        missed = tone - torch.tensor(target.mid_db) + target.loudness_lufs
        assert float(missed[3:27].abs().mean()) < 2.0


def test_twice_is_nearly_once(averages: Averages) -> None:
    once = normalize(effected(music(3))[None], RATE, "drums", averages)
    twice = normalize(once, RATE, "drums", averages)
    moved = apart(once[0], twice[0])
    assert moved["spectrum"] < 0.7
    assert max(moved["loudness"], moved["width"], moved["balance"]) < 0.2
    assert max(moved["punch"], moved["onset peak"]) < 2.0


def test_level_does_not_matter(averages: Averages) -> None:
    sound = effected(music(4))
    loud, soft = normalize(torch.stack([sound, 0.1 * sound]), RATE, "bass", averages)
    assert float((loud - soft).abs().max()) < 0.02 * float(loud.abs().max())


def test_silence_and_the_very_short_pass(averages: Averages) -> None:
    for samples in (torch.zeros(1, 2, RATE), 0.1 * torch.randn(1, 2, 2000), torch.zeros(0, 2, RATE)):
        assert torch.equal(normalize(samples, RATE, "vocals", averages), samples)
    half_silent = torch.cat([music(5, 4.0), torch.zeros(2, 4 * RATE)], 1)
    found = normalize(half_silent[None], RATE, "vocals", averages)[0]
    assert float(found[:, 5 * RATE :].abs().max()) < 1e-3


def test_mono_stays_mono(averages: Averages) -> None:
    one = effected(music(6)).mean(0, keepdim=True)
    target = averages.of("vocals").loudness_lufs
    found = normalize_audio(Audio(one, RATE), "vocals", averages)
    assert found.channels == 1
    assert integrated_lufs(found.samples.expand(2, -1), RATE) == pytest.approx(target, abs=0.1)
    left, right = normalize(one.expand(2, -1)[None], RATE, "vocals", averages)[0]
    balance = averages.of("vocals").balance_db
    assert torch.allclose(left * 10 ** (balance / 20), right, atol=1e-3)


def test_a_hard_panned_stem_comes_to_the_middle(averages: Averages) -> None:
    left = music(7).mean(0)
    for panned in (torch.stack([left, torch.zeros_like(left)]), torch.stack([0.1 * left, left])):
        found = seen(normalize(panned[None], RATE, "other", averages)[0])
        assert abs(found.measures.balance_db - averages.of("other").balance_db) < 1.0


def test_examples_of_a_batch_do_not_touch_each_other(averages: Averages) -> None:
    sounds = torch.stack([music(8, 3.0), effected(music(9, 3.0))])
    before = sounds.clone()
    together = normalize(sounds, RATE, "drums", averages)
    alone = torch.cat([normalize(one[None], RATE, "drums", averages) for one in sounds])
    assert torch.equal(together, alone)
    assert torch.equal(sounds, before)


def test_other_rates_and_wrong_arguments(averages: Averages) -> None:
    found = normalize(music(10, 4.0)[None], 48_000, "other", averages)
    assert integrated_lufs(found[0], 48_000) == pytest.approx(averages.of("other").loudness_lufs, abs=0.1)
    with pytest.raises(ValueError, match="tambourine"):
        normalize(music(10, 1.0)[None], RATE, "tambourine", averages)
    with pytest.raises(ValueError, match="batch"):
        normalize(music(10, 1.0), RATE, "drums", averages)


def test_rooms_come_by_chance_and_seed(averages: Averages) -> None:
    sounds = torch.stack([music(seed, 4.0) for seed in range(6)])
    dry = normalize(sounds, RATE, "vocals", averages)
    first, again, other = (
        normalize(sounds, RATE, "vocals", averages, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    changed = (first - dry).abs().amax((1, 2)) > 1e-3
    assert changed.any()
    for wet, without, room in zip(first, dry, changed, strict=True):
        if room:
            assert seen(wet).decay_s > 0.99 * seen(without).decay_s
            assert seen(wet).loudness_lufs == pytest.approx(averages.of("vocals").loudness_lufs, abs=0.1)
