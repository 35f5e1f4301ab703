"""Plain stems, and what holds for every kind of session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from session_sounds import moved, played, residual_db, result_from, song_of, stems_of

from styletransfer import STEMS, UsageError, daw, mixdown
from styletransfer.applying import render
from styletransfer.audio import Audio
from styletransfer.errors import AudioError
from styletransfer.files import inspect, read
from styletransfer.treating import Treated, Treatment


@pytest.mark.parametrize("rate", [44100, 48000])
def test_the_stems_sum_to_the_mix_before_the_master(tmp_path: Path, rate: int) -> None:
    stems = stems_of()
    strips, master = moved()
    strips["other"]["reverb"]["wet"] = 0.2
    song = song_of(stems, rate)
    paths = daw.export(result_from(song, stems, strips, master), tmp_path, ["stems"])
    sounds = [path for path in paths if path.suffix == ".wav"]
    assert [path.stem for path in sounds] == [*STEMS, "rest"]
    assert {(inspect(path).subtype, inspect(path).rate) for path in sounds} == {("FLOAT", rate)}
    bus = mixdown.mix_bus(song.audio, stems, strips)
    total = torch.stack([read(path).samples for path in sounds]).sum(0)
    assert residual_db(total, bus.samples) < -90


def test_the_masters_settings_are_told(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    daw.export(result_from(song_of(stems, name="a\nb"), stems, strips, master), tmp_path, ["stems"])
    text = (tmp_path / "stems" / "settings.txt").read_text(encoding="utf-8")
    assert text.startswith("a b, ")
    assert "    high shelf +3.00 dB at 15000 Hz, Q 0.70\n" in text
    assert "    width (x): 1.2\n" in text
    assert "    ceiling (dBTP): -3\n" in text
    assert "    drive (dB): 9\n" in text


def test_what_a_network_mixed_is_rendered(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    told = Treatment.of(torch.zeros(3), 0.0, 0.75)
    treated = {name: Treated(Audio(stems[name].samples.flip(0), stems[name].rate), told) for name in STEMS}
    result = result_from(song_of(stems), stems, strips, master)
    mix = render(result.song.audio, stems, strips, master, treated)
    result = replace(result, mix=mix, treated=treated)
    daw.export(result, tmp_path)
    words = "a network's rendering, 75 % of its change"
    assert words in (tmp_path / "session.rpp").read_text(encoding="utf-8")
    with ZipFile(tmp_path / "session.dawproject") as pack:
        assert pack.read("project.xml").decode().count(words.partition("s ")[2]) == 4
    assert (tmp_path / "stems" / "settings.txt").read_text(encoding="utf-8").count(words) == 4
    assert residual_db(played(tmp_path / "session.rpp"), mix.samples) < -90
    bus = mixdown.mix_bus(result.song.audio, stems, strips, treated)
    assert residual_db(played(tmp_path / "session.rpp", bypass=True), bus.samples) < -90


def test_a_mono_song_makes_a_stereo_session(tmp_path: Path) -> None:
    stems = stems_of()
    song = song_of(stems)
    mono = type(song)(song.audio.with_channels(1), song.name, song.key)
    daw.export(result_from(mono, stems), tmp_path)
    assert residual_db(played(tmp_path / "session.rpp"), mono.audio.with_channels(2).samples) < -90


@pytest.mark.parametrize("kinds", [["logic"], [], ["rpp", "Stems"]])
def test_what_is_not_known_is_refused(tmp_path: Path, kinds: list[str]) -> None:
    stems = stems_of()
    with pytest.raises(UsageError, match="rpp, dawproject, stems"):
        daw.export(result_from(song_of(stems), stems), tmp_path / "new", kinds)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    stems = stems_of()
    (tmp_path / "file").touch()
    with pytest.raises(AudioError, match="file"):
        daw.export(result_from(song_of(stems), stems), tmp_path / "file", ["rpp"])
