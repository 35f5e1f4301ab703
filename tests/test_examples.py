"""The example songs: real, small, stereo, differently mixed, and free to hand on."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pyebur128
import pytest
from pyebur128 import MeasurementMode

from styletransfer import files
from styletransfer.encoder.loudness import LoudnessMeter, integrated_lufs
from styletransfer.encoder.measures import measure

EXAMPLES = Path(__file__).parent.parent / "examples"
SONGS = sorted(EXAMPLES.glob("*.flac"))


def test_the_expected_songs_are_there() -> None:
    assert {song.stem for song in SONGS} >= {"input", "reference", "vocal"}


@pytest.mark.parametrize("song", SONGS, ids=lambda song: song.stem)
def test_each_song_may_be_handed_on(song: Path) -> None:
    rows = re.findall(
        rf"^\| `{song.name}` \|(.*)\| (\S.*?) \| [\d:]+–[\d:]+ \|$",
        (EXAMPLES / "ATTRIBUTION.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(rows) == 1
    origin, licence = rows[0]
    assert all(cell.strip() for cell in origin.split("|"))  # title, author, source
    assert licence in ("CC0 1.0", "CC BY 3.0", "CC BY 4.0", "CC BY-SA 3.0", "CC BY-SA 4.0")


@pytest.mark.parametrize("song", SONGS, ids=lambda song: song.stem)
def test_each_song_is_small_loud_and_stereo(song: Path) -> None:
    info, audio = files.inspect(song), files.read(song)
    assert song.stat().st_size <= 3_000_000
    assert (info.format, info.subtype, info.channels) == ("FLAC", "PCM_16", 2)
    assert info.rate in (44_100, 48_000)
    assert 20 <= info.duration_s <= 30
    files.check_usable(audio, song)
    measures = measure(audio.samples, audio.rate)
    assert -20 < measures.loudness_lufs < -5
    assert measures.activity > 0.95
    assert -25 < measures.width_db < 3
    assert abs(measures.balance_db) < 2


def test_input_and_reference_are_mixed_differently() -> None:
    dull, bright = (files.read(EXAMPLES / f"{name}.flac") for name in ("input", "reference"))
    before, after = (measure(audio.samples, audio.rate) for audio in (dull, bright))
    assert integrated_lufs(bright.samples, 44100) > integrated_lufs(dull.samples, 44100) + 3
    assert after.width_db > before.width_db + 6
    assert after.punch_db < before.punch_db - 1
    treble = slice(24, 29)  # 6.3 to 16 kHz
    tilt = [m.mid_db[treble].mean() - m.loudness_lufs for m in (before, after)]
    assert tilt[1] > tilt[0] + 3


@pytest.mark.parametrize("song", SONGS, ids=lambda song: song.stem)
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (96_000, 2), (22_050, 2)])
def test_an_independent_meter_reads_the_same_loudness(song: Path, rate: int, channels: int) -> None:
    audio = files.read(song).at_rate(rate).with_channels(channels)
    meter = LoudnessMeter(rate, channels)
    for block in audio.blocks(2**16):
        meter.add(block)
    mode = MeasurementMode.MODE_I | MeasurementMode.MODE_LRA | MeasurementMode.MODE_TRUE_PEAK
    other = pyebur128.R128State(channels, rate, mode)
    other.add_frames(np.ascontiguousarray(audio.samples.numpy().T).ravel(), audio.frames)
    peak = max(pyebur128.get_true_peak(other, channel) for channel in range(channels))
    assert meter.integrated_lufs == pytest.approx(pyebur128.get_loudness_global(other), abs=0.1)
    assert meter.range_lu == pytest.approx(pyebur128.get_loudness_range(other), abs=0.5)
    assert meter.true_peak_db == pytest.approx(20 * math.log10(peak), abs=0.2)
