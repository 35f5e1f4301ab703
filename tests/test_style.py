"""A song's style: what it weighs, where it listens, what survives its files."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from styletransfer import encoders, files, style, style_files
from styletransfer.audio import STEMS, Audio
from styletransfer.cli import app
from styletransfer.encoder.explicit import EXPLICIT_NAMES
from styletransfer.encoder.network import EXPLICIT_WEIGHT, EncoderConfig, FXEncoder
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import ConfigError, UsageError
from styletransfer.sources import sum_of
from styletransfer.style import SILENT_LUFS, SongStyle, segments_of, style_of, styles_of

RATE = 44_100


def noise(seed: int, duration_s: float = 4.0, level: float = 0.1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return level * torch.randn(2, round(duration_s * RATE), generator=generator)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained one, in a file."""
    torch.manual_seed(0)
    network = FXEncoder(EncoderConfig(dimensions=32))
    return encoders.save(tmp_path_factory.mktemp("encoder"), "fxencoder-test", network, {})[0]


@pytest.fixture(scope="module")
def loaded(encoder: Path) -> LoadedEncoder:
    return encoders.load(encoder)


def song(seed: int = 0) -> tuple[Audio, dict[str, Audio]]:
    stems = {name: Audio(noise(10 * seed + n), RATE) for n, name in enumerate(STEMS)}
    return Audio(torch.stack([stem.samples for stem in stems.values()]).sum(0), RATE), stems


@pytest.mark.parametrize("duration_s", [0.5, 9.0, 12.0, 25.0, 61.0, 1800.0])
def test_segments_lie_in_the_song_apart(duration_s: float) -> None:
    starts_s, length_s = segments_of(duration_s)
    assert len(starts_s) * length_s <= min(60.0, duration_s) + 1e-6
    assert starts_s[0] >= 0
    assert starts_s[-1] + length_s <= duration_s + 1e-6
    assert all(b - a >= length_s for a, b in pairwise(starts_s))
    assert starts_s[0] == pytest.approx(duration_s - starts_s[-1] - length_s)


def test_a_style_has_unit_norm_and_the_explicit_part_weighs_less(loaded: LoadedEncoder) -> None:
    found = style_of(*song(), loaded)
    for part in (found.mix, *found.stems.values()):
        learned, said = part.embedding.split([32, len(EXPLICIT_NAMES)])
        assert float(part.embedding.norm()) == pytest.approx(1, abs=1e-5)
        assert float(said.norm()) == pytest.approx(EXPLICIT_WEIGHT * float(learned.norm()), abs=1e-5)
        assert float(part.learned.norm()) == pytest.approx(1, abs=1e-5)
    assert found.encoder == loaded.fingerprint
    assert len(found.encoder) == 8


def test_levels_are_the_stems_over_the_mix(loaded: LoadedEncoder) -> None:
    mix, stems = song()
    quiet = stems | {"bass": Audio(0.1 * stems["bass"].samples, RATE)}
    before, after = (style_of(mix, each, loaded).levels_db for each in (stems, quiet))
    assert before["bass"] == pytest.approx(-6.0, abs=0.3)  # one of four alike
    assert before["bass"] - after["bass"] == pytest.approx(20.0, abs=0.1)


def test_a_louder_master_has_the_same_style(loaded: LoadedEncoder) -> None:
    mix, stems = song()
    louder = {name: Audio(4 * stem.samples, RATE) for name, stem in stems.items()}
    before, after = style_of(mix, stems, loaded), style_of(Audio(4 * mix.samples, RATE), louder, loaded)
    for name in ("drums", "vocals"):
        assert torch.allclose(before.stems[name].embedding, after.stems[name].embedding, atol=1e-3)
    assert after.mix.loudness_lufs - before.mix.loudness_lufs == pytest.approx(12.04, abs=0.01)


def test_silence_has_no_style_and_no_say(loaded: LoadedEncoder) -> None:
    mix, stems = song()
    found = style_of(mix, stems | {"vocals": Audio(torch.zeros(2, mix.frames), RATE)}, loaded)
    assert found.stems["vocals"].silent
    assert found.stems["vocals"].loudness_lufs == SILENT_LUFS
    assert float(found.stems["vocals"].embedding.abs().sum()) == 0
    loud = noise(1, 10.0)
    pause = torch.cat([loud, torch.zeros_like(loud)], 1)
    alone, with_pause = (style_of(Audio(samples, RATE), None, loaded).mix for samples in (loud, pause))
    assert float(alone.learned @ with_pause.learned) > 0.999  # blocks over the edge make it 0.1 LU softer
    assert float(with_pause.learned_spread.max()) < 1e-4


def test_the_louder_segment_weighs_more(loaded: LoadedEncoder) -> None:
    first, second = noise(2, 10.0), noise(3, 10.0).cumsum(1) * 0.01
    one, two = (style_of(Audio(samples, RATE), None, loaded).mix.learned for samples in (first, second))
    both = style_of(Audio(torch.cat([first, 0.1 * second], 1), RATE), None, loaded).mix
    assert float(both.learned @ one) > float(both.learned @ two)
    assert float(both.learned_spread.max()) > 0


def test_other_rates_mono_and_short_sounds_are_heard(loaded: LoadedEncoder) -> None:
    for sound in (Audio(noise(4), 48_000), Audio(noise(4)[:1], RATE), Audio(noise(4, 0.5), RATE)):
        found = style_of(sound, None, loaded)
        assert torch.isfinite(found.mix.embedding).all()
        assert not found.mix.silent


@pytest.fixture(scope="module")
def two_songs(loaded: LoadedEncoder) -> dict[str, SongStyle]:
    return {f"song {number}.wav": style_of(*song(number), loaded) for number in range(2)}


def test_safetensors_bring_everything_back(two_songs: dict[str, SongStyle], tmp_path: Path) -> None:
    path = style_files.save_styles(tmp_path / "style.safetensors", two_songs)
    found = style_files.load_styles(path)
    assert list(found) == list(two_songs)
    for name, kept in found.items():
        was = two_songs[name]
        assert kept.encoder == was.encoder
        assert list(kept.stems) == list(STEMS)
        assert kept.levels_db == pytest.approx(was.levels_db, abs=1e-4)
        for part, styles in (
            ("mix", (kept.mix, was.mix)),
            *((s, (kept.stems[s], was.stems[s])) for s in STEMS),
        ):
            assert torch.equal(styles[0].embedding, styles[1].embedding), part
            assert torch.equal(styles[0].explicit_spread, styles[1].explicit_spread), part


def test_npz_holds_one_row_a_file(two_songs: dict[str, SongStyle], tmp_path: Path) -> None:
    path = style_files.save_styles(tmp_path / "style.npz", two_songs)
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["files"].tolist() == list(two_songs)
        assert arrays["embedding"].shape == (2, 32 + len(EXPLICIT_NAMES))
        assert all(arrays[stem].shape == arrays["embedding"].shape for stem in STEMS)
        assert str(arrays["encoder"]) == two_songs["song 0.wav"].encoder


def test_json_names_what_it_says(two_songs: dict[str, SongStyle], tmp_path: Path) -> None:
    path = style_files.save_styles(tmp_path / "style.json", two_songs)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["files"] == list(two_songs)
    entry = document["songs"]["song 1.wav"]
    assert set(entry["drums"]["explicit"]) == set(EXPLICIT_NAMES)
    assert set(entry["levels_db"]) == set(STEMS)
    assert len(entry["mix"]["learned"]) == 32


def test_files_that_hold_no_styles_are_refused(two_songs: dict[str, SongStyle], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"out\.txt"):
        style_files.save_styles(tmp_path / "out.txt", two_songs)
    (tmp_path / "bad.safetensors").write_text("nothing")
    for name in ("bad.safetensors", "none.safetensors"):
        with pytest.raises(ConfigError, match=name):
            style_files.load_styles(tmp_path / name)
    mixed = two_songs | {"other": style_of(song()[0], None, LoadedEncoder(FXEncoder().eval(), "0" * 8, {}))}
    with pytest.raises(ValueError, match="encoder"):
        style_files.save_styles(tmp_path / "out.npz", mixed)


def test_embed_as_a_command(encoder: Path, tmp_path: Path) -> None:
    sources = [files.write(tmp_path / f"{n}.wav", song(n)[0]) for n in range(2)]
    target = tmp_path / "styles.npz"
    arguments = ["embed", *map(str, sources), "-o", str(target), "--encoder", str(encoder), "-q"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == [str(target)]
    with np.load(target, allow_pickle=False) as arrays:
        assert arrays["files"].tolist() == [str(source) for source in sources]
        assert "drums" not in arrays
    assert CliRunner().invoke(app, arguments).exit_code == 2  # already there
    stems = [
        "embed",
        str(sources[0]),
        "--stems",
        "--separator",
        "builtin",
        "-o",
        str(tmp_path / "s.safetensors"),
    ]
    done = CliRunner().invoke(app, [*stems, "--encoder", str(encoder), "-q"])
    assert done.exit_code == 0, done.stderr
    assert list(style_files.load_styles(tmp_path / "s.safetensors")[str(sources[0])].stems) == list(STEMS)
    # a fault of the last file is found before any work on the first
    for last, status in ((tmp_path / "none.wav", 3), (sources[0], 2)):
        target = tmp_path / "none.npz"
        done = CliRunner().invoke(app, ["embed", str(sources[0]), str(last), "-o", str(target)])
        assert done.exit_code == status
        assert "embedding" not in done.stderr
        assert not target.exists()
    for wrong, status in (("out.txt", 2), ("none/out.npz", 2)):
        done = CliRunner().invoke(app, [*arguments[:3], "-o", str(tmp_path / wrong), *arguments[5:]])
        assert done.exit_code == status, done.stderr


def test_the_library_does_the_same(encoder: Path, tmp_path: Path) -> None:
    source = files.write(tmp_path / "a.wav", song()[0], subtype="FLOAT")
    found = styles_of([source], encoder)
    direct = style.style_of(song()[0], None, encoders.load(encoder))
    assert torch.allclose(found[str(source)].mix.embedding, direct.mix.embedding, atol=1e-5)


@pytest.mark.slow
def test_three_minutes_and_four_stems_are_heard_within_three_seconds_of_two_threads() -> None:
    stems = {name: Audio(noise(number, 180.0), RATE) for number, name in enumerate(STEMS)}
    mix, shipped = sum_of(stems), encoders.load()
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    style_of(mix, stems, shipped)
    wall, busy = time.perf_counter(), time.process_time()
    style_of(mix, stems, shipped)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    torch.set_num_threads(threads)
    assert max(busy / 2, min(wall, busy)) < 3  # processor time, so that a busy machine fails nobody
