"""The REAPER project: parsed by another program's parser, and played with its own effects' sources."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import rpp
import torch
from session_sounds import fields, moved, panned, played, residual_db, result_from, song_of, stems_of

from styletransfer import STEMS, daw
from styletransfer.audio import Audio
from styletransfer.converter import fx
from styletransfer.converter.console import STRIP, neutral
from styletransfer.daw.reaper import quoted
from styletransfer.daw.session import COLOURS, fader_and_pan
from styletransfer.files import read
from styletransfer.sources import Song

HOSTILE = "\"'`../../etc\n> <JS evil\r\n|]]>&<!-- \x00\x1b[2J \u2028 ☃ é \udcff"


def reference(name: str = "their song.flac") -> Song:
    return Song(Audio(torch.zeros(1, 48000) + 0.1, 48000), name, "theirs")


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_at_rest_the_session_is_the_song(tmp_path: Path, rate: int) -> None:
    stems = stems_of()
    song = song_of(stems, rate)
    daw.export(result_from(song, stems), tmp_path, ["rpp"])
    root = rpp.loads((tmp_path / "session.rpp").read_text(encoding="utf-8"))
    assert [track.find("FXCHAIN") for track in root.findall("TRACK")] == [None] * 5
    assert {tuple(fields(track, "VOLPAN")[:2]) for track in root.findall("TRACK")} == {
        ("1.000000000", "0.000000000")
    }
    assert residual_db(played(tmp_path / "session.rpp", bypass=True), song.audio.samples) < -90


def test_played_with_its_effects_the_session_is_the_result(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    result = result_from(song_of(stems), stems, strips, master)
    daw.export(result, tmp_path, ["rpp"])
    assert residual_db(result.mix.samples, result.song.audio.samples) > -10  # nearly as large as the song
    assert residual_db(played(tmp_path / "session.rpp"), result.mix.samples) < -90
    # nothing is rendered into the sounds, so that with all effects off they are the song again
    assert residual_db(played(tmp_path / "session.rpp", bypass=True), result.song.audio.samples) < -90


def test_at_another_rate_than_the_stems_it_is_nearly_the_result(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    result = result_from(song_of(stems, 48000), stems, strips, master)
    daw.export(result, tmp_path, ["rpp"])
    assert residual_db(played(tmp_path / "session.rpp"), result.mix.samples) < -30


def test_a_reverb_is_a_track_of_its_own(tmp_path: Path) -> None:
    stems = stems_of()
    strips = {name: neutral(STRIP) for name in STEMS}
    strips["vocals"]["eq"]["peak_3_gain_db"] = 5.0
    strips["vocals"]["balance"]["balance"] = 0.5
    strips["vocals"]["reverb"] |= {"wet": 0.4, "decay_s": 0.5}
    strips["vocals"]["gain"]["gain_db"] = -4.0
    result = result_from(song_of(stems), stems, strips)
    daw.export(result, tmp_path, ["rpp"])
    root = rpp.loads((tmp_path / "session.rpp").read_text(encoding="utf-8"))
    names = [fields(track, "NAME") for track in root.findall("TRACK")]
    assert names == [["drums"], ["bass"], ["other"], ["vocals"], ["vocals reverb"], ["rest"]]
    assert residual_db(played(tmp_path / "session.rpp"), result.mix.samples) < -90
    assert float(read(tmp_path / "audio" / "vocals_reverb.wav").samples.abs().max()) > 0.01
    assert residual_db(played(tmp_path / "session.rpp", bypass=True), result.song.audio.samples) < -90


def test_tracks_have_names_colours_notes_and_places(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    daw.export(result_from(song_of(stems), stems, strips, master, reference()), tmp_path, ["rpp"])
    root = rpp.loads((tmp_path / "session.rpp").read_text(encoding="utf-8"))
    assert fields(root, "TEMPO")[0] == "120"
    assert fields(root, "SAMPLERATE")[:2] == ["44100", "1"]
    tracks = root.findall("TRACK")
    notes = {note.attrib[0]: note.children for note in root.find("EXTENSIONS").children}
    for track, stem in zip(tracks, [*STEMS, "rest", "reference"], strict=True):
        assert fields(track, "NAME")[0].startswith(stem)
        red, green, blue = COLOURS[stem]
        assert int(fields(track, "PEAKCOL")[0]) == 0x1000000 | blue << 16 | green << 8 | red
        assert fields(track, "BEAT") == ["0"]
        assert fields(track, "TRACKID") == track.attrib
        assert notes[track.attrib[0]] == track.find("ITEM").find("NOTES").children
        assert read(tmp_path / fields(track.find("ITEM").find("SOURCE"), "FILE")[0]).frames
    theirs = tracks[-1]
    assert fields(theirs, "MUTESOLO")[0] == "1"
    assert fields(theirs, "MAINSEND")[0] == "0"
    assert fields(theirs, "NAME") == ["reference: their song.flac"]
    assert "saturation" in "".join(notes[tracks[3].attrib[0]])
    assert "copy the folder Effects/automix" in "".join(root.find("NOTES").children)


def test_effects_that_the_project_names_lie_beside_it(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    daw.export(result_from(song_of(stems), stems, strips, master), tmp_path, ["rpp"])
    root = rpp.loads((tmp_path / "session.rpp").read_text(encoding="utf-8"))
    chains = [track.find("FXCHAIN") for track in root.findall("TRACK")] + [root.find("MASTERFXLIST")]
    named = [effect.attrib[0] for chain in chains if chain is not None for effect in chain.findall("JS")]
    assert len(named) == 11
    assert all((tmp_path / "Effects" / name).is_file() for name in named)


@pytest.mark.parametrize("balance", [-1.0, -0.3, 0.0, 0.2, 1.0])
@pytest.mark.parametrize("gain_db", [-8.0, 3.0])
def test_fader_and_pan_are_the_consoles_gain_and_balance(gain_db: float, balance: float) -> None:
    samples = torch.ones(2, 3, dtype=torch.float64)
    wanted = fx.gain(fx.balance(samples[None], balance=balance), gain_db=gain_db)[0]
    fader, pan = fader_and_pan(gain_db, balance)
    assert -1 <= pan <= 1
    assert torch.allclose(panned(samples, fader, pan), wanted, atol=1e-12)
    assert math.copysign(1, pan) == math.copysign(1, balance) or pan == 0


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    stems = stems_of()
    song = song_of(stems, name=HOSTILE)
    daw.export(result_from(song, stems, reference=reference(HOSTILE)), tmp_path, ["rpp"])
    text = (tmp_path / "session.rpp").read_text(encoding="utf-8")
    assert not set(text) & {"\x00", "\x1b", "\r", "\u2028"}
    root = rpp.loads(text)
    assert len(root.findall("TRACK")) == 6
    assert root.findall("JS") == []
    written = "\"''../../etc > <JS evil |]]>&<!-- [2J ☃ é"
    assert fields(root, "TITLE") == [written]
    assert fields(root.findall("TRACK")[-1], "NAME") == ["reference: " + written]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Effects", "audio", "session.rpp"]


@pytest.mark.parametrize("name", ["plain", 'with "quotes"', "it's", "a `tick`", "both \" and '", "", "> <"])
def test_a_name_comes_back(name: str) -> None:
    root = rpp.loads(f"<A\n  NAME {quoted(name)}\n>")
    assert fields(root, "NAME") == [name]


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    result = result_from(song_of(stems), stems, strips, master, reference())
    paths = daw.export(result, tmp_path)
    assert len(set(paths)) == len(paths)
    assert set(paths) <= set(daw.outputs(tmp_path, daw.KINDS))
    texts = {path: path.read_bytes() for path in paths if path.suffix in (".rpp", ".jsfx", ".txt")}
    assert daw.export(result, tmp_path) == paths
    assert {path: path.read_bytes() for path in texts} == texts
