"""The DAWproject file: within the schema's rules, and with the console's settings in its devices."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
import soundfile
import torch
from dawproject_schema import faults
from session_sounds import moved, panned, residual_db, result_from, song_of, stems_of

from styletransfer import STEMS, daw
from styletransfer.audio import Audio
from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, Settings, neutral
from styletransfer.daw.dawproject import FADER_TOP
from styletransfer.result import Result
from styletransfer.sources import Song


def exported(result: Result, folder: Path) -> tuple[Element, zipfile.ZipFile]:
    (path,) = daw.export(result, folder, ["dawproject"])
    assert [other.name for other in folder.iterdir()] == ["session.dawproject"]
    archive = zipfile.ZipFile(path)
    assert archive.testzip() is None
    assert faults(fromstring(archive.read("metadata.xml")), "metadata") == []
    root = fromstring(archive.read("project.xml"))
    assert faults(root, "project") == []
    return root, archive


def unlimited() -> Settings:
    """A master at rest, its limiter out of reach."""
    return neutral(MASTER) | {"limiter": {"ceiling_db": 24.0, "release_ms": 100.0}}


def value(element: Element, path: str) -> float:
    found = element.find(path)
    assert found is not None
    return float(found.attrib["value"])


def sound(archive: zipfile.ZipFile, name: str) -> torch.Tensor:
    samples, _ = soundfile.read(
        io.BytesIO(archive.read(f"audio/{name}.wav")), dtype="float64", always_2d=True
    )
    return torch.from_numpy(samples.T.copy())


def played(root: Element, archive: zipfile.ZipFile) -> torch.Tensor:
    """The session where every generic device is ours, without the master's."""
    bus = torch.zeros(1)
    for track in root.findall("Structure/Track")[:-1]:
        channel = track.find("Channel")
        assert channel is not None
        if channel.find("Mute").attrib["value"] == "true":  # type: ignore[union-attr]
            continue
        samples = sound(archive, track.attrib["name"].replace(" ", "_")).float()
        for device in channel.findall("Devices/*"):
            samples = fx.render(samples, [stage(device)])
        bus = bus + panned(samples, value(channel, "Volume"), 2 * value(channel, "Pan") - 1)
    return bus


def stage(device: Element) -> fx.Stage:
    """A generic device as the effect of the console that it came from; the knee is REAPER's to know."""
    if device.tag == "Compressor":
        return fx.Compressor(
            44100,
            threshold_db=value(device, "Threshold"),
            ratio=value(device, "Ratio"),
            knee_db=6.0,
            attack_ms=1000 * value(device, "Attack"),
            release_ms=1000 * value(device, "Release"),
            makeup_db=value(device, "OutputGain"),
        )
    if device.tag == "NoiseGate":
        return fx.Expander(
            44100,
            threshold_db=value(device, "Threshold"),
            ratio=value(device, "Ratio"),
            range_db=value(device, "Range"),
            attack_ms=1000 * value(device, "Attack"),
            release_ms=1000 * value(device, "Release"),
        )
    bands = device.findall("Band")
    gain_db = 0.0 if device.find("OutputGain") is None else value(device, "OutputGain")
    if not bands:
        return fx.Local(lambda samples: fx.gain(samples, gain_db=gain_db))
    ends = {"lowShelf": 0, "highShelf": 2}
    assert [ends.get(band.attrib["type"], 1) for band in bands] == sorted(
        ends.get(band.attrib["type"], 1) for band in bands
    )
    flat = (0.0, 100.0, 1.0)
    settings = [(value(band, "Gain"), value(band, "Freq"), value(band, "Q")) for band in bands]
    if bands[0].attrib["type"] != "lowShelf":
        settings.insert(0, flat)
    if bands[-1].attrib["type"] != "highShelf":
        settings.append(flat)
    gains, frequencies, qs = zip(*settings, strict=True)
    return fx.Equalizer(44100, gain_db=gains, frequency_hz=frequencies, q=qs)


def test_at_rest_the_session_is_the_song(tmp_path: Path) -> None:
    stems = stems_of()
    song = song_of(stems, 48000)
    root, archive = exported(result_from(song, stems), tmp_path)
    assert [track.attrib["name"] for track in root.findall("Structure/Track")] == [*STEMS, "rest", "Master"]
    assert residual_db(played(root, archive), song.audio.samples) < -90
    assert {device.tag for device in root.iter() if "deviceRole" in device.attrib} == {"Limiter"}


def test_played_with_our_effects_the_tracks_are_the_bus(tmp_path: Path) -> None:
    stems = stems_of()
    strips, _ = moved()
    strips["drums"]["width"]["width"] = 1.0
    result = result_from(song_of(stems), stems, strips, unlimited())
    assert residual_db(played(*exported(result, tmp_path)), result.mix.samples) < -90


def test_a_width_before_a_compressor_moves_it_a_little(tmp_path: Path) -> None:
    stems = stems_of()
    strips, _ = moved()
    result = result_from(song_of(stems), stems, strips, unlimited())
    assert -60 < residual_db(played(*exported(result, tmp_path)), result.mix.samples) < -25


def test_the_masters_side_goes_into_the_tracks_and_the_rest_into_devices(tmp_path: Path) -> None:
    stems = stems_of()
    _, master = moved()
    result = result_from(song_of(stems), stems, None, master)
    root, archive = exported(result, tmp_path)
    linear = {name: master[name] for name in ("side_eq", "width")}
    wanted = result_from(song_of(stems), stems, None, unlimited() | linear)
    assert residual_db(played(root, archive), wanted.mix.samples) < -90
    channel = root.findall("Structure/Track")[-1].find("Channel")
    assert channel is not None
    assert [device.tag for device in channel.findall("Devices/*")] == ["Equalizer", "Compressor", "Limiter"]
    bands = {(band.attrib["type"], value(band, "Gain")) for band in channel.findall("Devices/Equalizer/Band")}
    assert bands == {("bell", -3.0), ("highShelf", 3.0)}
    gain_db = value(channel, "Devices/Limiter/InputGain")
    turned = fx.balance(torch.ones(1, 2, 1), balance=0.1)[0]
    after = panned(torch.ones(2, 1), 10 ** (gain_db / 20), 2 * value(channel, "Pan") - 1)
    assert torch.allclose(after, turned * 10 ** (5.0 / 20), atol=1e-4)
    assert value(channel, "Devices/Limiter/Threshold") == -3.0
    comment = root.findall("Structure/Track")[-1].attrib["comment"]
    assert "side equalizer, width" in comment


def test_a_fader_beyond_the_top_goes_on_in_a_device(tmp_path: Path) -> None:
    stems = stems_of()
    strips = {name: neutral(STRIP) for name in STEMS}
    strips["bass"]["gain"]["gain_db"] = 11.0
    result = result_from(
        song_of(stems),
        stems,
        strips,
        neutral(MASTER) | {"limiter": {"ceiling_db": 24.0, "release_ms": 100.0}},
    )
    root, archive = exported(result, tmp_path)
    volumes = [value(track, "Channel/Volume") for track in root.findall("Structure/Track")]
    assert max(volumes) == FADER_TOP
    assert residual_db(played(root, archive), result.mix.samples) < -90


def test_a_track_says_what_was_rendered(tmp_path: Path) -> None:
    stems = stems_of()
    strips, _ = moved()
    strips["bass"]["reverb"] |= {"wet": 0.3}
    root, _ = exported(result_from(song_of(stems), stems, strips), tmp_path)
    notes = {track.attrib["name"]: track.attrib["comment"] for track in root.findall("Structure/Track")}
    assert notes["drums"].startswith("Rendered into the sound: width.\nLive: equalizer, compressor.")
    assert notes["vocals"].startswith("Rendered into the sound: saturation.\nLive: no effect.")
    assert "next track" in notes["bass"]
    assert "reverb alone" in notes["bass reverb"]


def test_clips_lie_in_place_and_sounds_can_be_sought(tmp_path: Path) -> None:
    stems = stems_of()
    reference = Song(Audio(0.1 * torch.ones(1, 24000), 48000), "theirs", "1" * 64)
    root, archive = exported(result_from(song_of(stems), stems, reference=reference), tmp_path)
    clips = root.findall("Arrangement/Lanes/Lanes/Clips/Clip")
    assert len(clips) == 6
    for clip in clips:
        audio = clip.find("Audio")
        assert audio is not None
        assert float(clip.attrib["time"]) == 0
        entry = archive.getinfo(audio.find("File").attrib["path"])  # type: ignore[union-attr]
        assert entry.compress_type == zipfile.ZIP_STORED
        info = soundfile.info(io.BytesIO(archive.read(entry)))
        assert int(audio.attrib["sampleRate"]) == info.samplerate
        assert int(audio.attrib["channels"]) == info.channels
        assert math.isclose(float(clip.attrib["duration"]), info.frames / info.samplerate, abs_tol=1e-6)
    mutes = [track.find("Channel/Mute") for track in root.findall("Structure/Track")]
    assert [mute.attrib["value"] for mute in mutes if mute is not None] == ["false"] * 5 + ["true", "false"]
    assert value(root, "Transport/Tempo") == 120


@pytest.mark.parametrize("name", ["\"'`<>&]]>\n\r\t\x00\x0b ☃", "../../etc/passwd", "\ud800\ufffe\uffff", ""])
def test_hostile_names_stay_names(tmp_path: Path, name: str) -> None:
    stems = stems_of()
    reference = Song(Audio(0.1 * torch.ones(2, 24000), 48000), name, "1" * 64)
    root, archive = exported(result_from(song_of(stems, name=name), stems, reference=reference), tmp_path)
    shown = root.findall("Structure/Track")[-2].attrib["name"]
    assert shown.startswith("reference:")
    assert shown.isprintable()
    assert sorted(archive.namelist()) == sorted(
        ["metadata.xml", "project.xml", *(f"audio/{n}.wav" for n in (*STEMS, "rest", "reference"))]
    )


def test_the_rules_find_what_is_wrong(tmp_path: Path) -> None:
    stems = stems_of()
    strips, master = moved()
    root, _ = exported(result_from(song_of(stems), stems, strips, master), tmp_path)
    channel = root.find("Structure/Track/Channel")
    assert channel is not None
    channel.append(channel[0])
    channel.remove(channel[0])
    assert any("order" in fault for fault in faults(root, "project"))
    channel.attrib["destination"] = "id999999"
    assert any("nowhere" in fault for fault in faults(root, "project"))
    channel.attrib["id"] = channel.attrib["destination"] = "id0"
    assert any("twice" in fault for fault in faults(root, "project"))
    del root.attrib["version"]
    assert any("lacks version" in fault for fault in faults(root, "project"))
