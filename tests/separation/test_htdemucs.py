"""Demucs behind our interface, with its untrained test model, which it builds offline."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
import torch
from demucs.hdemucs import HDemucs
from separation_sounds import RATE, level_db, song

from styletransfer.audio import STEMS, Audio
from styletransfer.errors import SeparationError
from styletransfer.separation import choose, htdemucs, rest_of, separate

SOURCES = ["drums", "bass", "other", "vocals", "guitar", "piano"]


def small_model(sources: list[str]) -> HDemucs:
    torch.manual_seed(3)
    return HDemucs(sources=sources, channels=4, depth=6, segment=4)


def put(model: HDemucs, repo: Path, name: str) -> Path:
    """Store a model as demucs does: a pickle named after its signature and its hash, and a recipe."""
    path = repo / "new.th"
    kwargs = {"sources": model.sources, "channels": 4, "depth": 6, "segment": 4}
    torch.save({"klass": HDemucs, "args": (), "kwargs": kwargs, "state": model.state_dict()}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (repo / f"{name}.yaml").write_text("models: ['0123abcd']\n")
    return path.rename(repo / f"0123abcd-{digest[:8]}.th")


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights in any cache, and no network."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(htdemucs.huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(htdemucs, "_answers", lambda _: False)
    return tmp_path


def test_separates_with_the_untrained_model(capfd: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    separator = choose("demucs_unittest")
    mix = song(3, 48000)
    stems = separate(mix, separator)
    assert tuple(stems) == STEMS
    assert {(s.rate, s.channels, s.frames) for s in stems.values()} == {(44100, 2, 3 * 44100)}
    total = torch.stack([s.samples for s in (*stems.values(), rest_of(mix, stems))]).sum(0)
    assert level_db(total - mix.at_rate(44100).samples) < -90
    again = separate(mix, separator)
    assert all(torch.equal(again[name].samples, stems[name].samples) for name in STEMS)
    assert capfd.readouterr() == ("", "")


def test_fingerprint_follows_the_weights() -> None:
    torch.manual_seed(0)
    one = choose("demucs_unittest").fingerprint
    other = choose("demucs_unittest").fingerprint
    torch.manual_seed(0)
    assert choose("demucs_unittest").fingerprint == one
    assert one != other


def test_weights_from_a_folder_and_sources_beyond_four(bare_machine: Path) -> None:
    model = small_model(SOURCES)
    put(model, bare_machine, "htdemucs")
    assert choose(repo=bare_machine).name == "htdemucs"
    mix = song(3)
    stems = separate(mix, choose("htdemucs", repo=bare_machine))
    with torch.inference_mode():
        mono = mix.samples.mean(0)
        ready = (mix.samples - mono.mean()) / (mono.std() + 1e-8)
        expected = htdemucs.demucs.api.apply_model(model.eval(), ready[None], shifts=0, split=True)[0]
        expected = expected * (mono.std() + 1e-8) + mono.mean()
    for name, samples in {"drums": expected[0], "other": expected[2] + expected[4] + expected[5]}.items():
        assert level_db(stems[name].samples - samples) < level_db(samples) - 60


def test_long_songs_in_patches(bare_machine: Path) -> None:
    """Memory is bounded by the patch, whatever the song's length."""
    put(small_model(SOURCES[:4]), bare_machine, "htdemucs")
    mix = song(28)
    blocks = list(choose(repo=bare_machine).blocks(mix))
    assert len(blocks) == 2
    assert max(block.shape[-1] for block in blocks) < 24 * RATE
    assert sum(block.shape[-1] for block in blocks) == mix.frames


def test_a_damaged_file_is_refused(bare_machine: Path) -> None:
    path = put(small_model(SOURCES[:4]), bare_machine, "htdemucs")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(SeparationError, match="can't be loaded") as caught:
        choose("htdemucs", repo=bare_machine)
    assert caught.value.exit_status == 4


def test_auto_takes_builtin_on_a_bare_machine(bare_machine: Path) -> None:
    assert choose().name == "builtin"


def test_absent_weights_are_told_at_once(bare_machine: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(SeparationError, match="--repo") as caught:
        choose("htdemucs_ft")
    assert time.monotonic() - begin < 5
    assert caught.value.exit_status == 4
    assert "\n" not in str(caught.value)
    with pytest.raises(SeparationError, match="does not hold"):
        choose("htdemucs", repo=bare_machine)
    with pytest.raises(SeparationError, match="choose builtin or one of"):
        choose("spleeter9")


def test_silence(bare_machine: Path) -> None:
    put(small_model(SOURCES[:4]), bare_machine, "htdemucs")
    for stem in separate(Audio(torch.zeros(1, RATE), RATE), choose(repo=bare_machine)).values():
        assert level_db(stem.samples) < -90
