"""FluidSynth plays each note when it should, in its own stem, dry."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

import pytest
import torch
from tiny_bank import tiny_bank

from styletransfer.corpus.fluidsynth import Message, render
from styletransfer.corpus.folder import RATE
from styletransfer.errors import AudioError

pytestmark = pytest.mark.skipif(
    ctypes.util.find_library("fluidsynth") is None, reason="no libfluidsynth here"
)


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.sf2"
    path.write_bytes(tiny_bank())
    return path


def test_notes_sound_in_their_stems_at_their_times(bank: Path) -> None:
    told = [
        Message(0.0, 0, "other", "on", 69, 100),
        Message(0.5, 0, "other", "off", 69),
        Message(1.0, 0, "bass", "on", 57, 100),
        Message(1.5, 9, "drums", "on", 38, 100),
    ]
    stems = render(told, 2.0, bank)
    assert set(stems) == {"drums", "bass", "other"}
    level = {
        name: samples.square().mean(0).reshape(-1, RATE // 10).mean(1) for name, samples in stems.items()
    }
    starts = {name: int((values > 1e-5).nonzero()[0]) for name, values in level.items()}
    assert starts == {"other": 0, "bass": 10, "drums": 15}
    assert level["other"][8:].max() < 1e-6  # the note has ended, and no reverb follows
    assert level["bass"][:9].max() == 0


def test_a_note_has_its_pitch_and_a_bus_without_notes_is_no_stem(bank: Path) -> None:
    stems = render([Message(0.0, 3, "bass", "on", 57, 100)], 1.0, bank)
    assert set(stems) == {"bass"}
    spectrum = torch.fft.rfft(stems["bass"].mean(0)).abs()
    peak = int(spectrum.argmax())
    assert peak == pytest.approx(220.5, abs=2)


def test_a_program_that_a_bank_lacks_is_replaced(bank: Path) -> None:
    told = [Message(0.0, 0, "other", "program", 81), Message(0.0, 0, "other", "on", 60, 100)]
    assert "other" in render(told, 0.5, bank)


def test_pan_is_kept(bank: Path) -> None:
    told = [Message(0.0, 0, "other", "control", 10, 127), Message(0.0, 0, "other", "on", 60, 100)]
    left, right = render(told, 0.5, bank)["other"].square().mean(1)
    assert right > 100 * left


def test_what_is_no_bank_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.sf2").write_bytes(b"nothing")
    with pytest.raises(AudioError, match=r"x\.sf2 is no sound bank"):
        render([], 0.1, tmp_path / "x.sf2")
