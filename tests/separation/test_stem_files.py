"""Ready-made stems: found by name, and held against their mix."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch
from separation_sounds import RATE, level_db, parts, song

from styletransfer.audio import STEMS, Audio
from styletransfer.errors import SeparationError
from styletransfer.separation import read_stems, rest_of


def put(folder: Path, name: str, samples: torch.Tensor, rate: int = RATE) -> None:
    soundfile.write(folder / name, samples.numpy().T, rate, subtype="FLOAT" if name.endswith("wav") else None)


def put_all(folder: Path, names: dict[str, str], delay: int = 0) -> None:
    for stem, samples in parts(5).items():
        put(folder, names[stem], torch.roll(samples, delay, -1))


@pytest.mark.parametrize(
    "names",
    [
        {"drums": "drums.wav", "bass": "bass.wav", "other": "other.wav"},
        {"drums": "03 Drum Bus.wav", "bass": "Bass_DI.wav", "other": "all OTHERS.wav"},
        {
            "drums": "Bass Culture - drums.wav",
            "bass": "Bass Culture - bass.wav",
            "other": "Bass Culture - other.wav",
        },
        {"drums": "drums.wav", "bass": "bass.wav", "other": "other.flac"},
    ],
)
def test_any_names_that_contain_the_stems(tmp_path: Path, names: dict[str, str]) -> None:
    put_all(tmp_path, names)
    put(tmp_path, "mixdown.wav", torch.zeros(2, 100))
    (tmp_path / "vocals.txt").write_text("no sound")
    stems = read_stems(tmp_path, song(5))
    assert tuple(stems) == STEMS
    for name, samples in parts(5).items():
        assert level_db(stems[name].samples - samples) < -80
    assert not stems["vocals"].samples.any()
    assert level_db(rest_of(song(5), stems).samples) < -80


def test_mono_stems_become_stereo(tmp_path: Path) -> None:
    put(tmp_path, "vocal.wav", parts(1)["bass"][:1])
    assert {stem.channels for stem in read_stems(tmp_path).values()} == {2}


def test_what_is_left_without_the_voice_is_no_voice(tmp_path: Path) -> None:
    put(tmp_path, "no_vocals.wav", torch.zeros(2, RATE))
    with pytest.raises(SeparationError, match="in its name"):
        read_stems(tmp_path)


def test_ambiguity_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "bass.wav", torch.zeros(2, RATE))
    put(tmp_path, "bass old.wav", torch.zeros(2, RATE))
    with pytest.raises(SeparationError, match="both look like bass"):
        read_stems(tmp_path)
    (tmp_path / "bass old.wav").rename(tmp_path / "drum and bass.wav")
    with pytest.raises(SeparationError, match="several stems"):
        read_stems(tmp_path)


def test_a_folder_without_stems_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeparationError, match="in its name"):
        read_stems(tmp_path)
    with pytest.raises(SeparationError, match="no folder"):
        read_stems(tmp_path / "nowhere")


@pytest.mark.parametrize(("rate", "frames"), [(48000, RATE), (RATE, RATE - 1)])
def test_stems_that_differ_are_refused(tmp_path: Path, rate: int, frames: int) -> None:
    put(tmp_path, "bass.wav", torch.zeros(2, RATE))
    put(tmp_path, "drums.wav", torch.zeros(2, frames), rate)
    with pytest.raises(SeparationError, match="export all stems alike"):
        read_stems(tmp_path)


def test_another_length_than_the_mix_is_refused(tmp_path: Path) -> None:
    put_all(tmp_path, {name: f"{name}.wav" for name in parts(1)})
    with pytest.raises(SeparationError, match="length"):
        read_stems(tmp_path, song(5.01))


@pytest.mark.parametrize(("delay", "told"), [(1105, "25.1 ms later"), (-441, "10.0 ms earlier")])
def test_another_start_than_the_mix_is_refused(tmp_path: Path, delay: int, told: str) -> None:
    put_all(tmp_path, {name: f"{name}.wav" for name in parts(1)}, delay)
    with pytest.raises(SeparationError, match=told):
        read_stems(tmp_path, song(5))


def test_a_mastered_mix_keeps_its_stems(tmp_path: Path) -> None:
    """Level, saturation and a missing stem are no other start."""
    put_all(tmp_path, {name: f"{name}.wav" for name in parts(1)})
    (tmp_path / "bass.wav").unlink()
    mastered = Audio(torch.tanh(3 * song(5).samples), RATE)
    assert read_stems(tmp_path, mastered)["drums"].frames == mastered.frames


def test_a_mix_at_another_rate(tmp_path: Path) -> None:
    put_all(tmp_path, {name: f"{name}.wav" for name in parts(1)})
    assert read_stems(tmp_path, song(5).at_rate(48000))["drums"].rate == RATE


def test_vox_is_a_voice(tmp_path: Path) -> None:
    voice = parts(5)["other"]
    put(tmp_path, "Lead Vox.wav", voice)
    put(tmp_path, "no vocals.wav", 0.5 * voice)
    assert torch.equal(read_stems(tmp_path)["vocals"].samples, voice)
