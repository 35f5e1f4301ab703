"""Transfers with a truth: the oracle is exact, a better system is measured better, and errors have units."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from styletransfer import encoders
from styletransfer.audio import Audio
from styletransfer.converter.console import MASTER, STRIP, Settings, neutral
from styletransfer.converter.tcn import TCN, TCNConfig
from styletransfer.converters import tcn
from styletransfer.corpus.folder import RATE, Corpus, write_song
from styletransfer.encoder.network import EncoderConfig, FXEncoder
from styletransfer.errors import CheckpointError, ConfigError, UsageError
from styletransfer.evaluation.matchering import Matchering, MatcheringError
from styletransfer.evaluation.transfer import evaluate, report, truth_tables, with_truth
from styletransfer.evaluation.transfer.answers import (
    CLOSED,
    LEVELLED,
    NOTHING,
    ORACLE,
    RAW,
    Answer,
    Constant,
    Converter,
    Levelled,
    Oracle,
    Raw,
    Summed,
)
from styletransfer.evaluation.transfer.answers import TCN as TCN_NAME
from styletransfer.evaluation.transfer.best import beside_best
from styletransfer.evaluation.transfer.comparing import ALL_STEMS, Column, blamed_on, share_right
from styletransfer.evaluation.transfer.kad import kad
from styletransfer.evaluation.transfer.preset import Preset, drawn_preset, load_preset, mean_settings
from styletransfer.evaluation.transfer.settings import settings_error
from styletransfer.evaluation.transfer.spectral import Truth
from styletransfer.evaluation.transfer.with_truth import (
    MIX,
    NEUTRAL,
    OTHERWISE,
    SEPARATED,
    TRUE,
    Judged,
    TruthPlan,
    judge_task,
)
from styletransfer.tasks import Task, apply_settings


def noise(seed: int, seconds: float = 2.0) -> Tensor:
    """Bursts of stereo noise."""
    frames = round(seconds * RATE)
    decay = torch.exp(-8 * (torch.arange(frames) / RATE % 0.5))
    return 0.1 * decay * torch.randn(2, frames, generator=torch.Generator().manual_seed(seed))


def strip(**changes: dict[str, float]) -> Settings:
    settings = neutral(STRIP)
    return settings | {stage: settings[stage] | knobs for stage, knobs in changes.items()}


@pytest.fixture(scope="module")
def task() -> Task:
    """Louder drums and darker bass."""
    settings = {
        "drums": strip(gain={"gain_db": 6.0}),
        "bass": strip(eq={"high_shelf_gain_db": -9.0, "peak_4_gain_db": -6.0}),
    }
    ours, theirs = ({"drums": noise(i), "bass": noise(i + 1)} for i in (0, 2))
    return Task(
        ours, apply_settings(ours, settings), apply_settings(theirs, settings), settings, pieces=("a", "b")
    )


def test_spectral_distance_is_zero_for_the_truth_and_grows_away_from_it():
    sound = noise(0)
    truth = Truth(sound)
    assert truth.distance(sound).left_right == 0
    steps = [truth.distance(gain * sound) for gain in (1.1, 1.5, 3.0)]
    assert steps[0].left_right < steps[1].left_right < steps[2].left_right
    assert steps[0].mid_side < steps[1].mid_side < steps[2].mid_side


def test_a_gain_weighs_what_its_definition_says():
    """Where all is above the floor, ×10 is a mean squared log10 of 1 in each of the four sizes."""
    sound = 0.5 * torch.randn(2, RATE, generator=torch.Generator().manual_seed(1))
    truth = Truth(0.1 * sound)
    assert truth.distance(sound).left_right == pytest.approx(0.4, abs=0.06)


def test_swapped_channels_are_heard_left_and_right_but_not_in_mid_and_side():
    sound = noise(0) * torch.tensor([[1.0], [0.2]])
    found = Truth(sound).distance(sound.flip(0))
    assert found.left_right > 0.01
    assert found.mid_side < 1e-6


def test_settings_errors_have_their_units():
    truth = strip(gain={"gain_db": 4.0}, reverb={"wet": 0.3, "decay_s": 2.0}, width={"width": 2.0})
    found = strip(gain={"gain_db": 1.0}, reverb={"wet": 0.1, "decay_s": 1.0})
    errors = settings_error(truth, found)
    assert errors["level"] == pytest.approx(3.0)
    assert errors["wet"] == pytest.approx(0.2)
    assert errors["decay"] == pytest.approx(1.0)
    assert errors["width"] == pytest.approx(6.02, abs=0.01)
    assert errors["eq"] == pytest.approx(0.0)
    assert "attack" not in errors
    assert all(error == 0 for error in settings_error(truth, truth).values())


def test_what_the_master_does_counts_as_the_strips_own():
    truth = strip(gain={"gain_db": 4.0})
    master = neutral(MASTER) | {"gain": {"gain_db": 3.0}}
    assert settings_error(truth, strip(gain={"gain_db": 1.0}), master)["level"] == pytest.approx(0.0)


def test_the_oracle_is_exact_and_the_closed_form_beats_doing_nothing(task: Task):
    systems = [
        Raw(),
        Levelled(),
        Converter(CLOSED, {"converter": CLOSED}),
        Oracle(),
        Constant(drawn_preset(draws=20)),
    ]
    judged = [judge_task(task, systems)]
    assert judged[0].scores[ORACLE].spectral[MIX].left_right < 1e-6
    assert all(error < 1e-6 for error in judged[0].scores[ORACLE].settings["drums"].values())
    column = Column(judged, MIX)
    assert column.mean(CLOSED) < column.mean(RAW) / 2
    assert column.mean(NOTHING) == min(column.mean(RAW), column.mean(LEVELLED))
    assert set(judged[0].scores[CLOSED].spectral) == {MIX, "drums", "bass"}


def test_blame_falls_on_the_effect_that_was_missed(task: Task):
    """Drums should be louder and bass darker; each system misses one of both."""

    class Missing:
        def __init__(self, stem: str) -> None:
            self.name = f"without {stem}"
            self.stem = stem

        def __call__(self, task: Task) -> Answer:
            settings = {**task.settings, self.stem: neutral(STRIP)}
            stems = apply_settings(task.input, settings)
            return Answer(torch.stack(list(stems.values())).sum(0), stems, settings)

    systems = [Raw(), Oracle(), Missing("drums"), Missing("bass")]
    judged = [judge_task(task, systems, blamed=[system.name for system in systems])]
    loud = blamed_on(judged, "without drums", "drums")
    assert loud["level"] > 0.005
    assert max(distance for effect, distance in loud.items() if effect != "level") < 1e-6
    dark = blamed_on(judged, "without bass", "bass")
    others = [distance for effect, distance in dark.items() if effect not in ("tone", "level")]
    assert dark["tone"] > 0.001
    assert max(others) < dark["tone"] / 5
    assert max(blamed_on(judged, ORACLE).values()) < 1e-6
    assert blamed_on(judged, RAW, "bass")["tone"] == pytest.approx(dark["tone"])
    assert "level" in truth_tables.blame_table(judged, "without bass")


def test_the_best_baseline_is_named_and_compared_with():
    said = beside_best({NOTHING: [4.0, 4.0], CLOSED: [2.0, 3.0], "ours": [1.0, 4.0]}, "ours", 0)
    assert said.startswith("best baseline: closed; ours − closed: mean 0.0000")
    assert "further away on 50 % of pairs" in said
    assert not beside_best({"ours": [1.0]}, "ours", 0)


def test_the_oracle_says_nothing_of_another_chain(task: Task):
    assert Oracle()(replace(task, neutral_input=False)) is None
    judged = judge_task(replace(task, neutral_input=False), [Raw(), Converter(CLOSED, {"converter": CLOSED})])
    assert judged.scores[CLOSED].settings == {}


def test_a_wrong_reference_is_told_from_the_right_one(task: Task):
    wrong = replace(task, reference={name: 0.1 * sound for name, sound in task.reference.items()})
    judged = judge_task(task, [Raw(), Levelled()], shuffled=Levelled(), wrong=wrong)
    assert share_right([judged], LEVELLED) == 1.0


def test_stems_are_a_column_of_their_own():
    class Half:
        name = "half"

        def __call__(self, task: Task) -> Answer:
            return Answer(task.truth_mix, {"drums": task.truth["drums"]})

    ours = {"drums": noise(0), "bass": noise(1)}
    task = Task(ours, {name: 2 * sound for name, sound in ours.items()}, ours, None)
    judged: list[Judged] = [judge_task(task, [Raw(), Half()])]
    assert Column(judged, "bass").mean("half") is None
    assert Column(judged, ALL_STEMS).mean("half") == 0
    assert Column(judged, ALL_STEMS).against("half", RAW, seed=0).share_worse == 0


def test_sets_of_the_same_kind_are_close_and_others_are_not():
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(200, 4, generator=generator) for _ in range(2))
    assert abs(kad(first, second)) < 1.0
    assert kad(first + 3, second) > 20
    with pytest.raises(ValueError, match="two sounds"):
        kad(first[:1], second)


def test_a_preset_is_a_mean_on_perceptual_scales_and_survives_its_file(tmp_path: Path):
    mean = mean_settings([strip(width={"width": 0.5}), strip(width={"width": 2.0}, gain={"gain_db": 4.0})])
    assert mean["gain"]["gain_db"] == pytest.approx(2.0)
    assert mean["width"]["width"] == pytest.approx(1.25)
    preset = Preset(
        pairs=1, seed=0, date="2026-01-01", automix="0", stems=drawn_preset(draws=5), master=neutral(MASTER)
    )
    path = preset.save(tmp_path / "preset.json")
    assert load_preset(path) == preset
    path.write_text("{}")
    with pytest.raises(ConfigError, match="holds no preset"):
        load_preset(path)


def small_corpus(folder: Path) -> Path:
    for index in range(3):
        stems = {name: noise(10 * index + i, 4.0) for i, name in enumerate(("drums", "bass"))}
        meta = {"id": f"s{index}", "title": "t", "piece": f"p{index}", "sources": [], "packages": ["p"]}
        write_song(folder, stems, {**meta, "licences": [], "split": "test", "seed": 0, "kind": "rendered"})
    return folder


class Shares:
    """A separator that gives every stem a share of the mix."""

    rate = RATE

    def __init__(self, name: str) -> None:
        self.name = self.fingerprint = name
        self.shares = torch.tensor([float(share) for share in name.split()])

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        yield self.shares[:, None, None] * mix.samples


def test_the_whole_table_from_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(self: Matchering) -> None:
        raise MatcheringError("Matchering could not be installed")

    monkeypatch.setattr(Matchering, "install", refuse)
    monkeypatch.setattr(evaluate, "choose", Shares)
    torch.manual_seed(0)
    small = FXEncoder(EncoderConfig(dimensions=8, hidden=8))
    seen, unseen = (
        encoders.save(tmp_path, name, small, {"trained_on": marks})[0]
        for name, marks in (("seen", [evaluate.piece_mark("p1")]), ("unseen", ["00000000"]))
    )
    plan = replace(evaluate.QUICK, truth=TruthPlan(1, 0, 1, 1, passage_s=1.5))
    config = evaluate.TransferConfig(
        corpus=small_corpus(tmp_path / "corpus"),
        finished=False,
        encoder=str(unseen),
        plan=plan,
        cache=tmp_path / "cache",
        songs=tmp_path,
        separator=".4 .3 .2 .1",
        other_separator=".25 .25 .25 .25",
        refine=1,
    )
    found = evaluate.evaluate(config)
    measured = set(found.truth[TRUE, NEUTRAL][0].scores)
    assert {"console", "console, refined", "console, master locked", "console, no gate"} <= measured
    assert "console, refined, master locked" not in measured
    text = report.markdown(found, config)
    assert "Matchering is left out" in text
    assert "### Stems by .4 .3 .2 .1 beside .25 .25 .25 .25" in text
    nothing = truth_tables.separators_table(
        found.truth[SEPARATED, NEUTRAL], found.truth[OTHERWISE, NEUTRAL], 0
    ).splitlines()[2]
    assert nothing.split("|")[4].strip() == "0.00 [0.00, 0.00]"  # neither separator changes the mix
    assert nothing.split("|")[7].strip() != "0.00 [0.00, 0.00]"
    assert len(found.truth[TRUE, NEUTRAL]) == 1
    paths = report.write(found, config, tmp_path / "out")
    figures = json.loads(paths[0].read_text("utf-8"))
    assert {goal["what"] for goal in figures["goals"]} >= {"MSS ÷ do nothing, mix, L/R, true stems"}
    assert paths[2].stat().st_size > 5000
    with pytest.raises(CheckpointError, match="trained on 1 of the pieces"):
        evaluate.evaluate(replace(config, encoder=str(seen)))
    with pytest.raises(UsageError, match="no converter"):
        evaluate.evaluate(replace(config, converters=("nonsense",)))
    with pytest.raises(UsageError, match="bench and dev, not 'nosuch'"):
        evaluate.evaluate(replace(config, finished=True, set_name="nosuch"))
    with pytest.raises(UsageError, match="nothing to measure"):
        evaluate.evaluate(replace(config, corpus=None, finished=False))


def test_chains_of_several_makes_have_a_truth_but_no_settings(tmp_path: Path):
    songs = Corpus(small_corpus(tmp_path / "corpus")).songs("test")
    plan = TruthPlan(0, 0, 1, 1, passage_s=1.5, foreign=2)
    found = with_truth.judge(songs, [Raw(), Oracle()], [], {TRUE: None}, plan, tmp_path / "cache")
    (((condition, kind), judged),) = found.items()
    assert (condition, kind, len(judged)) == (TRUE, with_truth.FOREIGN, 2)
    for one in judged:
        assert set(one.scores) == {Raw().name}  # no settings, so no oracle
        assert one.scores[Raw().name].spectral["mix"].left_right > 0


def network_of(folder: Path) -> Path:
    """A small network that makes stems anew."""
    torch.manual_seed(0)
    network = TCN(TCNConfig(condition=tcn.condition_size(256), channels=8, blocks=2, bands=8, hidden=8))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return tcn.save(folder, "tcn-tiny", network.eval(), "e6dd7ffd", {"trained_on": ["0123"]})[0]


def test_a_network_without_knobs_is_judged_by_its_sound(task: Task, tmp_path: Path):
    options = {"converter": str(network_of(tmp_path)), "gate": False, "lock": ["master"]}
    anew = Converter("anew", options)
    judged = judge_task(task, [Raw(), anew, Summed(anew)])
    score = judged.scores["anew"]
    summed = judged.scores["anew, plain sum"].spectral
    assert summed[MIX].left_right == pytest.approx(score.spectral[MIX].left_right, rel=0.02)  # no rest
    assert summed["drums"] == score.spectral["drums"]
    assert set(score.spectral) == {MIX, "drums", "bass"}
    assert score.spectral["drums"] != judged.scores[RAW].spectral["drums"]
    assert not score.settings


def test_shipped_networks_without_knobs_stand_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    closed = {CLOSED: {"converter": CLOSED}}
    notes: list[str] = []
    monkeypatch.setattr(evaluate.converters, "shipped", lambda name: name != TCN_NAME)
    assert evaluate._beside({"console": {}}, set(), notes) == closed
    assert "no network of it" in notes[0]
    loaded = tcn.load(network_of(tmp_path))
    monkeypatch.setattr(evaluate.converters, "shipped", lambda name: True)
    monkeypatch.setattr(evaluate.converters, "choose", lambda name: loaded)
    assert evaluate._beside(closed, set(), notes) == {TCN_NAME: {"converter": TCN_NAME}}
    assert not evaluate._beside({**closed, TCN_NAME: {}}, set(), notes)
    assert not evaluate._beside(closed, {"0123"}, notes)
    assert "trained on pieces" in notes[-1]
