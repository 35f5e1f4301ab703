"""Judging: systems never see what they are judged by, and a better system is judged better."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.evaluation.matchering import Matchering, MatcheringError
from styletransfer.evaluation.sound import RATE, halves
from styletransfer.evaluation.transfer import finished_tables as tables
from styletransfer.evaluation.transfer.judging import FLOOR, judge_pair
from styletransfer.evaluation.transfer.mixes import MATCHERING, NOTHING, UNGATED, DoNothing, Mixed


def song(seed: int, width: float, seconds: float = 8) -> Audio:
    generator = torch.Generator().manual_seed(seed)
    mid, side = torch.randn(2, round(seconds * RATE), generator=generator)
    swing = 1 + 0.5 * torch.sin(torch.arange(len(mid)) / RATE * 8)
    return Audio(0.05 * swing * torch.stack((mid + width * side, mid - width * side)), RATE)


@dataclass
class Widener:
    """Brings the width to that of the reference, and remembers what it was shown."""

    wanted: float
    shown: list[Audio] = field(default_factory=list)

    def __call__(self, source: Audio, reference: Audio) -> Mixed:
        self.shown.append(reference)
        mid = source.samples.mean(0, keepdim=True)
        return Mixed(Audio(mid + self.wanted * (source.samples - mid), source.rate), gated=True)


def apart(mix: Audio) -> Stems:
    """A separator that finds everything in `other` and a faint voice."""
    shares = dict.fromkeys(STEMS, 0.0) | {"other": 1.0, "vocals": 0.01}
    return {name: Audio(share * mix.with_channels(2).samples, mix.rate) for name, share in shares.items()}


@pytest.fixture(scope="module")
def judged():
    widener = Widener(wanted=4)
    systems = {NOTHING: DoNothing(), MATCHERING: Widener(wanted=2), "ours": widener}
    references = [song(1, 0.8), song(2, 0.8)]
    pairs = [judge_pair(song(0, 0.2), reference, systems, apart) for reference in references]
    return widener, references, pairs


def test_systems_see_the_first_half_only(judged):
    widener, references, _ = judged
    for shown, reference in zip(widener.shown, references, strict=True):
        first, second = halves(reference)
        assert torch.equal(shown.samples, first.samples)
        assert first.frames + second.frames == reference.frames
        assert not torch.equal(first.samples[:, :1000], second.samples[:, :1000])


def test_closer_is_judged_closer(judged):
    for pair in judged[2]:
        totals = {name: judgement.mix.total for name, judgement in pair.items()}
        assert totals[FLOOR] < totals[NOTHING] / 20
        assert totals["ours"] < totals[MATCHERING] < totals[NOTHING]
        assert pair["ours"].sides["width_db"] < 0.5
        assert pair[NOTHING].sides["width_db"] == pytest.approx(12, abs=0.5)


def test_only_stems_present_on_both_sides_count(judged):
    assert all(list(pair["ours"].stems) == ["other"] for pair in judged[2])


def test_a_rate_of_its_own_is_no_disadvantage():
    reference = song(1, 0.8, 4)
    plain = judge_pair(song(0, 0.2, 4), reference, {NOTHING: DoNothing()})[NOTHING].mix.total
    other = judge_pair(song(0, 0.2, 4).at_rate(48_000), reference, {NOTHING: DoNothing()})[NOTHING].mix.total
    assert other == pytest.approx(plain, rel=0.02)


def test_the_tables_show_the_figures(judged):
    pairs = judged[2]
    table = tables.closeness_table(pairs, seed=0)
    assert f"| {NOTHING} |" in table
    assert f"{sum(pair['ours'].mix.total for pair in pairs) / 2:.4f}" in table
    assert "| 2 of 2 |" in table
    assert "100 %" not in table.splitlines()[-1]
    assert "other (2)" in tables.stems_table(pairs)
    assert tables.terms_table(pairs, seed=0).count("\n") == 5
    assert "worst" in tables.content_table(pairs)
    json.dumps([{name: judgement.figures() for name, judgement in pair.items()} for pair in pairs])


def fake_environment(folder: Path, program: str) -> Matchering:
    """A Matchering whose interpreter is a script: it gets `-c`, the driver and three paths."""
    found = Matchering(folder)
    found.python.parent.mkdir(parents=True)
    found.python.write_text(f"#!{sys.executable}\nimport shutil, sys\nfrom pathlib import Path\n{program}\n")
    found.python.chmod(0o755)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for an interpreter is a script")
def test_results_are_kept_by_what_was_given(tmp_path: Path):
    count = tmp_path / "count"
    program = (
        f"target, reference, result = sys.argv[3:]\nPath({str(count)!r}).open('a').write('x')\n"
        "shutil.copy(target, result)\nprint('{\"seconds\": 1.5}')"
    )
    competitor = fake_environment(tmp_path, program)
    source, reference = song(0, 0.2, 1), song(1, 0.8, 1)
    first = competitor.transfer(source, reference)
    again = competitor.transfer(source, reference)
    assert count.read_text() == "x"
    assert torch.equal(first.samples, again.samples)
    assert (first.samples - source.samples).abs().max() < 2**-22
    competitor.transfer(source, song(2, 0.8, 1))
    assert competitor.seconds(source, reference) == 1.5
    assert count.read_text() == "xxx"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for an interpreter is a script")
def test_a_refused_pair_is_told(tmp_path: Path):
    competitor = fake_environment(tmp_path, "sys.exit('too short')")
    with pytest.raises(MatcheringError, match="too short"):
        competitor.transfer(song(0, 0.2, 1), song(1, 0.8, 1))
    with pytest.raises(MatcheringError, match="failed"):
        Matchering(tmp_path / "nowhere").transfer(song(0, 0.2, 1), song(1, 0.8, 1))


def test_a_gate_that_did_nothing_makes_no_difference():
    calls = []

    def never_gated(source: Audio, reference: Audio) -> Mixed:
        calls.append(source)
        return Mixed(source)

    systems = {NOTHING: DoNothing(), "ours": never_gated, "ours" + UNGATED: never_gated}
    found = judge_pair(song(0, 0.2, 2), song(1, 0.8, 2), systems)
    assert found["ours"] is found["ours" + UNGATED]
    assert len(calls) == 1


def test_content_of_stems_is_that_behind_the_strip():
    plain = song(0, 0.2, 2)

    def repainted(source: Audio, reference: Audio) -> Mixed:
        before = apart(source)
        noise = 0.05 * torch.randn(2, source.frames, generator=torch.Generator().manual_seed(5))
        return Mixed(source, False, before, before | {"other": Audio(noise, RATE)})

    kept = judge_pair(plain, song(1, 0.8, 2), {NOTHING: DoNothing(), "ours": repainted})["ours"].stem_content
    assert list(kept) == ["other"]
    assert kept["other"].onsets < 0.5
    assert kept["other"].si_sdr_db < 3
