"""The scores by their physics, and the whole evaluation on songs of tones and noise."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import soundfile
import torch
from typer.testing import CliRunner

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.corpus.folder import write_song
from styletransfer.errors import UsageError
from styletransfer.evaluation.separation import calibration, evaluate, goals, report, songs, systems
from styletransfer.evaluation.separation.scores import audible, score
from styletransfer.evaluation.separation.systems import MEDIAN, MIX, ORACLE, System

RATE = 44_100


def noise(seed: int, seconds: float = 3.0) -> torch.Tensor:
    return 0.1 * torch.randn(2, round(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def tone(hertz: float, seconds: float = 3.0) -> torch.Tensor:
    return 0.1 * torch.sin(2 * torch.pi * hertz * torch.arange(round(seconds * RATE)) / RATE).expand(2, -1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for index in range(3):
        stems = {"drums": noise(index), "bass": tone(70.0 + index), "other": tone(900.0 + index)}
        meta = {"id": f"s{index}", "title": "x", "piece": f"p{index // 2}", "sources": [], "packages": []}
        write_song(folder, stems, {**meta, "licences": [], "split": "test", "seed": 0, "kind": "rendered"})
    return folder


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    (folder / "song").mkdir()
    tracks = {"Drums": noise(9), "singing": tone(500.0), "guitar": tone(1500.0), "guitar2": tone(1700.0)}
    for name, sound in {**tracks, "music": noise(8)}.items():
        soundfile.write(folder / "song" / f"{name}.wav", sound.T.numpy(), RATE)
    (folder / "joint").mkdir()
    for name, sound in {"BassDrums": noise(7), "Vocals": tone(500.0)}.items():
        soundfile.write(folder / "joint" / f"{name}.wav", sound.T.numpy(), RATE)
    return folder


def test_scores_are_what_the_error_says() -> None:
    truth, error = noise(0), noise(1)
    found = score(truth + error * 10 ** (-12 / 20), truth, RATE)
    for figure in (found.sdr_db, found.si_sdr_db, found.bss_sdr_db):
        assert figure == pytest.approx(12, abs=0.2)


def test_a_wrong_level_costs_sdr_but_no_si_sdr() -> None:
    found = score(0.5 * noise(0), noise(0), RATE)
    assert found.sdr_db == pytest.approx(6.02, abs=0.01)
    assert found.si_sdr_db > 60


def test_one_bad_second_moves_the_whole_but_not_the_median() -> None:
    truth = noise(0)
    estimate = truth + 0.01 * noise(1)
    estimate[:, :RATE] += noise(2, 1.0)
    found = score(estimate, truth, RATE)
    assert found.sdr_db < 6
    assert found.bss_sdr_db > 35


def test_silence_has_no_bss_figure_and_faint_stems_no_score() -> None:
    assert math.isnan(score(torch.zeros(2, RATE), noise(0, 1.0), RATE).bss_sdr_db)
    assert not audible(noise(0) * 1e-3, noise(1))
    assert audible(noise(0) * 0.1, noise(1))


def test_the_oracle_is_better_than_the_mix(corpus: Path) -> None:
    mix, truth = songs.corpus_songs(corpus, "test")[0].read()
    oracle = systems.ideal_ratio_mask(mix, truth)
    for name in ("drums", "bass", "other"):
        best = score(oracle[name].samples, truth[name].samples, RATE).sdr_db
        assert best > score(mix.samples, truth[name].samples, RATE).sdr_db + 5


def test_pieces_come_before_further_renderings(corpus: Path) -> None:
    assert [song.name for song in songs.corpus_songs(corpus, "test")] == ["s0", "s2", "s1"]
    assert len(songs.corpus_songs(corpus, "test", 1)) == 1


def test_tracks_are_told_by_their_names(real: Path) -> None:
    joint, song = songs.real_songs(real)
    mix, stems = song.read()
    assert set(stems) == {"drums", "other", "vocals"}
    whole = noise(9) + tone(500.0) + tone(1500.0) + tone(1700.0)
    assert (mix.samples - whole).abs().max() < 1e-3
    mix, stems = joint.read()
    assert set(stems) == {"vocals"}  # a track with two stems belongs to the mix, and can't be scored
    assert (mix.samples - noise(7) - tone(500.0)).abs().max() < 1e-3


def known(leak: float) -> System:
    def separate(mix: Audio, truth: Stems) -> Stems:
        silent = torch.zeros_like(mix.samples)
        sounds = {name: truth[name].samples if name in truth else silent for name in STEMS}
        return {
            name: Audio((1 - leak) * sound + leak / 4 * mix.samples, RATE) for name, sound in sounds.items()
        }

    return System(f"leaks {leak}", "test", separate)


@pytest.fixture(scope="module")
def config(corpus: Path, real: Path) -> evaluate.SeparationConfig:
    return evaluate.SeparationConfig(corpus, real, packaged=False)


@pytest.fixture(scope="module")
def found(config: evaluate.SeparationConfig) -> evaluate.Findings:
    mix = System(MIX, MIX, lambda mix, truth: dict.fromkeys(STEMS, mix))
    median = System(MEDIAN, MEDIAN, known(0.8).separate)
    oracle = System(ORACLE, ORACLE, systems.ideal_ratio_mask)
    return evaluate.evaluate(config, systems=[mix, median, known(0.1), oracle])


def test_systems_are_ranked_as_they_are(found: evaluate.Findings) -> None:
    assert found.kinds() == ["real", "rendered"]
    assert goals.asked_for(found) == "leaks 0.1"
    for stem in ("drums", "bass", "other"):
        lead = found.lead("rendered", "leaks 0.1", MEDIAN, stem)
        assert lead.low > 3
        assert found.best_baseline("rendered", stem) in (MIX, MEDIAN)
    assert math.isnan(found.estimate("real", MIX, "bass", "sdr_db").value)
    assert len(found.values("real", MIX, "vocals")) == 2


def test_goals_are_held_against_figures(found: evaluate.Findings) -> None:
    listed = {goal.what: goal for goal in goals.goals(found)}
    assert listed["SDR of drums on real recordings"].met
    assert listed["lead over the median split in bass, rendered songs"].met


def test_what_no_stem_claims_is_measured(found: evaluate.Findings) -> None:
    assert all(judged.rest_db["leaks 0.1"] < -100 for judged in found.of("rendered"))
    joint = found.of("real")[0]  # its truth lacks the two-stem track, so these stems do, too
    assert joint.rest_db["leaks 0.1"] > -10
    missed = {goal.what: goal for goal in goals.goals(found)}["what no stem claims, dB re the mix"]
    assert not missed.met


def test_a_report_says_it_all(
    found: evaluate.Findings, config: evaluate.SeparationConfig, tmp_path: Path
) -> None:
    paths = report.write(found, config, tmp_path)
    assert [path.suffix for path in paths] == [".json", ".md", ".png"]
    text = paths[1].read_text(encoding="utf-8")
    assert "## Real: SDR" in text
    assert "leaks 0.1" in text
    assert "| stem | real songs | real, correlation | rendered songs | rendered, correlation |" in text
    assert "rendered, processor seconds per second" in text
    figures = json.loads(paths[0].read_text(encoding="utf-8"), parse_constant=pytest.fail)  # no NaN
    assert set(figures["confidence"]) == {"real", "rendered"}
    assert figures["confidence"]["real"]["bass"] == {"songs": 0, "correlation": None}
    assert figures["means"]["rendered"]["leaks 0.1"]["drums"]["sdr_db"]["value"] > 6
    assert paths[2].stat().st_size > 5000


def test_confidence_can_be_calibrated(found: evaluate.Findings) -> None:
    told = calibration.weights(found, "leaks 0.1")
    assert set(told) == {"constant", *calibration.FEATURES}
    assert all(math.isfinite(value) for value in told.values())


def test_nothing_to_judge_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to judge"):
        evaluate.evaluate(evaluate.SeparationConfig(None, packaged=False))


def test_the_command_prints_tables(corpus: Path, tmp_path: Path) -> None:
    from styletransfer.cli import app

    arguments = ["evaluate", "separator", "--corpus", str(corpus), "--songs", "1", "-q", "-o", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "## Rendered: SDR" in done.output
    assert (tmp_path / "separation.png").exists()
