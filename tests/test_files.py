"""Sound in and out: nothing shifts, nothing wraps, nothing is half-written, errors speak."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from styletransfer import codecs, files, formats, scratch
from styletransfer.audio import Audio
from styletransfer.errors import AudioError, UsageError

CLICK = 12_345


def noise(channels: int, frames: int, level: float = 0.1) -> Tensor:
    return level * torch.randn(channels, frames, generator=torch.Generator().manual_seed(0))


def clicks(rate: int, channels: int = 2, frames: int = 40_123) -> Audio:
    samples = noise(channels, frames, 1e-4)
    samples[:, CLICK] = 0.9
    return Audio(samples, rate)


def write_with_pyav(path: Path, codec: str, audio: Audio) -> Path:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=audio.rate)
        stream.layout = "stereo" if audio.channels == 2 else "mono"
        stream.bit_rate = 256_000
        adapt = av.AudioResampler(stream.codec_context.codec.audio_formats[0].name, stream.layout, audio.rate)
        frame = av.AudioFrame.from_ndarray(audio.samples.numpy(), "fltp", stream.layout.name)
        frame.sample_rate, frame.pts = audio.rate, 0
        for part in [*adapt.resample(frame), None]:
            for packet in stream.encode(part):
                container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("a.wav", "PCM_16", 2.0**-15),
        ("a.wav", "PCM_24", 2.0**-23),
        ("a.wav", "PCM_32", 2.0**-24),
        ("a.wav", "FLOAT", 0),
        ("a.wav", "DOUBLE", 0),
        ("a.rf64", "PCM_24", 2.0**-23),
        ("a.flac", "PCM_16", 2.0**-15),
        ("a.flac", "PCM_24", 2.0**-23),
        ("a.aiff", "PCM_24", 2.0**-23),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_files_return_the_sound(
    tmp_path: Path, name: str, subtype: str, step: float, channels: int
) -> None:
    audio = Audio(noise(channels, 100_003), 44100)
    path = audio.write(tmp_path / name, subtype)
    info, back = files.inspect(path), files.read(path)
    assert (info.rate, info.channels, info.frames) == (44100, channels, 100_003)
    assert (info.subtype, info.duration_s) == (subtype, 100_003 / 44100)
    error = (back.samples - audio.samples).abs().max().item()
    assert error <= (1.5 * step if subtype == "PCM_16" else 0.51 * step)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("a.wav", 8_000),
        ("a.wav", 192_000),
        ("a.flac", 96_000),
        ("a.aiff", 48_000),
        ("a.ogg", 44_100),
        ("a.ogg", 48_000),
        ("a.opus", 48_000),
        ("a.opus", 24_000),
        ("a.mp3", 44_100),
        ("a.mp3", 48_000),
        ("a.mp3", 32_000),
        ("a.mp3", 22_050),
        ("a.mp3", 8_000),
    ],
)
def test_a_click_stays_where_it_was(tmp_path: Path, name: str, rate: int) -> None:
    path = files.write(tmp_path / name, clicks(rate))
    back = files.read(path)
    assert (back.rate, back.frames) == (rate, 40_123)
    assert back.samples.abs().argmax(-1).tolist() == [CLICK, CLICK]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "codec", "shift"), [("a.m4a", "aac", 0), ("a.m4a", "alac", 0), ("a.aac", "aac", 1024)]
)
def test_a_click_stays_where_it_was_in_codecs(
    tmp_path: Path, name: str, codec: str, shift: int, channels: int
) -> None:
    path = write_with_pyav(tmp_path / name, codec, clicks(44100, channels))
    back = files.read(path)
    assert (back.rate, back.channels) == (44100, channels)
    assert set(back.samples.abs().argmax(-1).tolist()) == {CLICK + shift}
    assert 0 <= back.frames - 40_123 < 2048 + shift  # AAC fills its last frame
    assert files.inspect(path).frames == back.frames


def test_what_soundfile_cannot_read_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_with_pyav(tmp_path / "a.m4a", "aac", clicks(44100))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(AudioError, match=r"pip install 'automix\[codecs\]'"):
        files.read(path)


def test_a_long_sound_is_read_into_scratch_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = Audio(noise(2, 100_000), 44100)
    path = files.write(tmp_path / "a.wav", audio, subtype="FLOAT")
    monkeypatch.setattr(scratch, "THRESHOLD_BYTES", 0)
    back = files.read(path)
    assert back.samples.untyped_storage().data_ptr() in scratch._mappings
    assert torch.equal(back.samples, audio.samples)


def test_dither_is_triangular_and_independent_of_the_signal() -> None:
    steps = torch.linspace(-3, 3, 601).repeat_interleave(2000)[None]
    quantized = formats.quantized(steps / 2**15, 16, torch.Generator().manual_seed(1)).double() / 2**16
    error = (quantized - steps).view(601, 2000)
    assert error.mean(-1).abs().max() < 0.08  # no distortion: the error's mean is zero at every level …
    assert (error.var(-1) - 0.25).abs().max() < 0.05  # … and its power the same: 1/12 + 2/12
    assert error.abs().max() <= 1.5


def test_dither_can_be_repeated(tmp_path: Path) -> None:
    audio = Audio(noise(2, 200_000), 44100)
    first, second = (files.write(tmp_path / f"{i}.wav", audio, subtype="PCM_16") for i in range(2))
    third = files.write(
        tmp_path / "3.wav", audio, subtype="PCM_16", generator=torch.Generator().manual_seed(7)
    )
    assert first.read_bytes() == second.read_bytes() != third.read_bytes()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
def test_integers_clip_and_never_wrap(tmp_path: Path, subtype: str) -> None:
    audio = Audio(torch.tensor([[1.0, 1.5, 40.0, -1.0, -1.5, -40.0]]).repeat(1, 1000), 44100)
    back = files.read(files.write(tmp_path / "a.wav", audio, subtype=subtype)).samples
    assert (back.sign() == audio.samples.sign()).all()
    assert (back.abs() > 0.97).all()
    assert files.overs(audio) == 4000


def test_floats_keep_what_is_over(tmp_path: Path) -> None:
    audio = Audio(torch.tensor([[1.5, -40.0]]), 44100)
    assert torch.equal(
        files.read(files.write(tmp_path / "a.wav", audio, subtype="FLOAT")).samples, audio.samples
    )


def test_a_result_is_written_like_its_input(tmp_path: Path) -> None:
    audio = Audio(noise(1, 9000), 44100)

    def subtype_like(subtype: str, name: str) -> str:
        source = files.inspect(files.write(tmp_path / "source.wav", audio, subtype=subtype))
        return str(files.inspect(files.write(tmp_path / name, audio, like=source)).subtype)

    assert subtype_like("PCM_16", "b.wav") == "PCM_16"
    assert subtype_like("FLOAT", "b.wav") == "FLOAT"
    assert subtype_like("PCM_16", "b.flac") == "PCM_16"
    assert subtype_like("FLOAT", "b.flac") == "PCM_24"
    assert subtype_like("PCM_16", "b.ogg") == "VORBIS"
    mp3 = files.inspect(files.write(tmp_path / "a.mp3", audio))
    assert files.inspect(files.write(tmp_path / "b.wav", audio, like=mp3)).subtype == "PCM_24"


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_the_same_kind_of_file_is_copied_to_the_byte(tmp_path: Path, subtype: str) -> None:
    source = tmp_path / "a.wav"
    soundfile.write(source, noise(2, 50_000).double().numpy().T, 44100, subtype=subtype)
    assert files.copy_frames(source, tmp_path / "b.wav").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("source_name", "subtype", "name"),
    [
        ("a.wav", "PCM_16", "b.flac"),
        ("a.wav", "PCM_24", "b.aiff"),
        ("a.flac", "PCM_16", "b.wav"),
        ("a.wav", "PCM_32", "b.rf64"),
    ],
)
def test_frames_are_copied_to_the_bit(tmp_path: Path, source_name: str, subtype: str, name: str) -> None:
    source = tmp_path / source_name
    full_scale = np.random.default_rng(0).integers(-(2**31), 2**31, (70_000, 2), dtype=np.int32)
    soundfile.write(source, full_scale, 44100, subtype=subtype)
    target = files.copy_frames(source, tmp_path / name)
    assert soundfile.info(target).subtype == subtype
    assert np.array_equal(*(soundfile.read(path, dtype="int32")[0] for path in (source, target)))


def test_doubles_go_where_doubles_go(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((5000, 2))
    soundfile.write(tmp_path / "a.wav", values, 44100, subtype="DOUBLE")
    target = files.copy_frames(tmp_path / "a.wav", tmp_path / "b.aiff")
    assert np.array_equal(soundfile.read(target)[0], values)
    smaller = files.copy_frames(tmp_path / "a.wav", tmp_path / "c.wav", subtype="FLOAT")
    assert np.array_equal(soundfile.read(smaller, dtype="float32")[0], values.astype(np.float32))


BROKEN: dict[str, Callable[[Path], Path]] = {}
"""Part of the sentence that is expected → what makes the file."""


def broken(sentence: str) -> Callable[[Any], Any]:
    def mark(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        BROKEN[sentence] = make
        return make

    return mark


@broken("does not exist")
def _missing(folder: Path) -> Path:
    return folder / "no.wav"


@broken("is a folder")
def _folder(folder: Path) -> Path:
    return folder


@broken("is empty")
def _empty(folder: Path) -> Path:
    (folder / "a.wav").touch()
    return folder / "a.wav"


@broken("is not a sound file")
def _text(folder: Path) -> Path:
    (folder / "a.wav").write_text("these are words, not waves\n" * 1000)
    return folder / "a.wav"


@broken("sound")
def _headerless(folder: Path) -> Path:
    (folder / "a.raw").write_bytes(np.random.default_rng(0).bytes(100_000))
    return folder / "a.raw"


@broken("has 3 channels")
def _surround(folder: Path) -> Path:
    soundfile.write(folder / "a.wav", np.zeros((1000, 3)), 44100)
    return folder / "a.wav"


@broken("rate of 4000 Hz")
def _slow(folder: Path) -> Path:
    soundfile.write(folder / "a.wav", np.zeros((1000, 2)), 4000)
    return folder / "a.wav"


@broken("not numbers")
def _nan(folder: Path) -> Path:
    values = np.zeros((100_000, 2), np.float32)
    values[90_000, 1] = np.nan
    soundfile.write(folder / "a.wav", values, 44100, subtype="FLOAT")
    return folder / "a.wav"


@broken("holds no sound")
def _no_frames(folder: Path) -> Path:
    soundfile.write(folder / "a.wav", np.zeros((0, 2)), 44100)
    return folder / "a.wav"


@pytest.mark.parametrize("sentence", BROKEN)
def test_errors_speak(tmp_path: Path, sentence: str) -> None:
    path = BROKEN[sentence](tmp_path)
    with pytest.raises(AudioError, match=sentence) as caught:
        files.read(path)
    message = str(caught.value)
    assert path.name in message
    assert ";" in message  # what to do follows
    assert "\n" not in message


def test_errors_speak_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(AudioError, match="is not a sound file"):
        files.read(_text(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = files.write(tmp_path / "a.wav", clicks(44100))
    path.chmod(0)
    with pytest.raises(AudioError, match="permission"):
        files.read(path)


def test_a_refused_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.write(tmp_path / "a.wav", clicks(44100))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AudioError, match=r"a\.wav can't be read \(Permission denied\)"):
        files.read(path)


@pytest.mark.parametrize("name", ["a.wav", "a.rf64", "a.flac", "a.aiff", "a.mp3", "a.ogg", "a.opus", "a.m4a"])
@pytest.mark.parametrize("share", [0.999, 0.5])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, share: float) -> None:
    audio = Audio(noise(2, 96_000), 48000)
    if name == "a.m4a":
        path = write_with_pyav(tmp_path / name, "aac", audio)
    else:
        path = files.write(tmp_path / name, audio)
    files.read(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(AudioError, match=r"cut short|damaged|not a sound file"):
        files.read(path)


def test_a_wav_of_unknown_length_is_read(tmp_path: Path) -> None:
    """Recorders that write to a pipe leave the sizes at their maximum."""
    path = files.write(tmp_path / "a.wav", clicks(44100), subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    assert files.read(path).frames == 40_123


def test_tags_behind_the_sound_are_no_truncation(tmp_path: Path) -> None:
    for name in ("a.wav", "a.mp3", "a.flac"):
        path = files.write(tmp_path / name, clicks(44100))
        path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
        assert files.read(path).frames == 40_123


def test_usable_sounds_are_long_and_loud_enough() -> None:
    files.check_usable(Audio(noise(2, 22_050), 44100), "a")
    with pytest.raises(AudioError, match=r"lasts 0\.45 s"):
        files.check_usable(Audio(noise(2, 20_000), 44100), "a")
    with pytest.raises(AudioError, match="silent"):
        files.check_usable(Audio(noise(2, 44_100, 1e-5), 44100), "a")


@pytest.mark.parametrize(
    ("name", "rate", "subtype", "sentence"),
    [
        ("a.opus", 44_100, None, "can't be written at 44100 Hz.*48000"),
        ("a.mp3", 96_000, None, "can't be written at 96000 Hz"),
        ("a.xyz", 44_100, None, "suffix"),
        ("a.m4a", 44_100, None, "suffix"),
        ("a.flac", 44_100, "FLOAT", "can't hold FLOAT"),
    ],
)
def test_what_cannot_be_written_is_said_before(
    tmp_path: Path, name: str, rate: int, subtype: str | None, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        files.write(tmp_path / name, clicks(rate), subtype=subtype)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_an_interrupted_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    path = files.write(tmp_path / "a.wav", clicks(44100))
    before = path.read_bytes()

    def fail(*_: object) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        raise failure

    monkeypatch.setattr(files, "quantized", fail)
    with pytest.raises(failure):
        files.write(path, Audio(noise(2, 100_000), 44100))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="there is no folder"):
        files.write(tmp_path / "gone" / "a.wav", clicks(44100))
    (tmp_path / "b.wav").mkdir()
    with pytest.raises(AudioError, match="it is a folder"):
        files.write(tmp_path / "b.wav", clicks(44100))


@pytest.mark.skipif(sys.platform != "linux", reason="limits file sizes as Linux does")
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys, torch\n"
        "from styletransfer import files, audio, errors\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try: files.write(sys.argv[1], audio.Audio(torch.zeros(2, 441_000), 44100))\n"
        "except errors.AudioError as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.wav")], capture_output=True, text=True, check=True
    )
    assert "can't be written" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_wav_above_4_gb_becomes_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WAV_LIMIT_BYTES", 100_000)
    path = files.write(tmp_path / "a.wav", clicks(44100))
    assert files.inspect(path).format == "RF64"
    assert files.read(path).frames == 40_123
    assert files.copy_frames(path, tmp_path / "b.wav").read_bytes() == path.read_bytes()


def test_codecs_are_asked_only_for_what_libsndfile_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.write(tmp_path / "a.mp3", clicks(44100))
    monkeypatch.delattr(codecs, "blocks")
    shutil.move(path, tmp_path / "without suffix")
    assert files.read(tmp_path / "without suffix").frames == 40_123
