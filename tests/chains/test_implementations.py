"""Every implementation of every effect does something measurable, and survives whatever it is given."""

from __future__ import annotations

import pytest
import torch
from chain_sounds import RATE, difference_db, music, settings, through
from torch import Tensor

from styletransfer.chains import EFFECTS
from styletransfer.chains.effects import IMPLEMENTATIONS
from styletransfer.chains.parameters import PARAMETERS


def _best_scale(sound: Tensor, target: Tensor) -> Tensor:
    return (sound * target).sum() / sound.square().sum()


ALL = [(stage, name) for stage, table in IMPLEMENTATIONS.items() for name in table]
SWIFT = [(stage, name) for stage, name in ALL if stage != "codec"]


@pytest.mark.parametrize(("stage", "name"), ALL)
def test_changes_the_sound_by_a_measurable_amount(stage: str, name: str) -> None:
    samples = music()
    output = through(stage, name, samples)
    assert output.shape == samples.shape
    assert output.dtype == torch.float32
    assert output.isfinite().all()
    assert difference_db(output, samples) > -40
    if stage != "gain":  # and not by a mere gain
        assert difference_db(samples * _best_scale(samples, output), output) > -40


@pytest.mark.parametrize(("stage", "name"), ALL)
def test_silence_stays_silent(stage: str, name: str) -> None:
    output = through(stage, name, torch.zeros(1, 2, RATE // 2))
    assert output.isfinite().all()
    assert output.abs().max() < 1e-6


@pytest.mark.parametrize(("stage", "name"), SWIFT)
def test_hard_sounds_come_out_finite(stage: str, name: str) -> None:
    square = torch.sign(torch.sin(torch.arange(RATE // 4) * 0.05)).expand(2, -1)
    click = torch.zeros(2, RATE // 4)
    click[:, 100] = 1
    one_sided = music()[0, :, : RATE // 4] * torch.tensor([[1.0], [0.0]])
    loud = 50 * music()[1, :, : RATE // 4]
    samples = torch.stack((square, click, one_sided, loud))
    assert through(stage, name, samples).isfinite().all()


@pytest.mark.parametrize(("stage", "name"), SWIFT)
@pytest.mark.parametrize("frames", [1, 37, 5000])
def test_short_sounds_keep_their_length(stage: str, name: str, frames: int) -> None:
    output = through(stage, name, music()[:1, :, :frames])
    assert output.shape == (1, 2, frames)
    assert output.isfinite().all()


@pytest.mark.parametrize(("stage", "name"), SWIFT)
def test_examples_do_not_hear_each_other(stage: str, name: str) -> None:
    samples = music(1.0)
    values = settings(stage, 3)
    values = {key: value * torch.tensor([1.0, 0.9, 0.8]) for key, value in values.items()}
    process = IMPLEMENTATIONS[stage][name]
    together = process(samples, RATE, values, [5, 6, 7])
    alone = process(samples[1:2], RATE, {key: value[1:2] for key, value in values.items()}, [6])
    assert difference_db(together[1:2], alone) < -90


@pytest.mark.parametrize(("stage", "name"), SWIFT)
def test_the_input_is_left_as_it_was(stage: str, name: str) -> None:
    samples = music(1.0)
    before = samples.clone()
    through(stage, name, samples)
    assert torch.equal(samples, before)


def test_implementations_differ_from_each_other() -> None:
    samples = music()
    for stage in EFFECTS:
        outputs = {name: through(stage, name, samples) for name in IMPLEMENTATIONS[stage]}
        names = list(outputs)
        for i, name in enumerate(names):
            for other in names[:i]:
                one, two = outputs[name], outputs[other]
                assert difference_db(_best_scale(one, two) * one, two) > -45, (stage, name, other)


@pytest.mark.parametrize(("stage", "name"), SWIFT)
@pytest.mark.parametrize("end", ["low", "high"])
def test_the_ends_of_all_ranges_come_out_finite(stage: str, name: str, end: str) -> None:
    extremes = {knob: getattr(limits, end) for knob, limits in PARAMETERS[stage].items()}
    assert through(stage, name, music(1.0), **extremes).isfinite().all()
