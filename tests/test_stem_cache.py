"""What is separated once is kept, whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.stem_cache import StemCache, audio_key, separate_cached, stem_key

RATE = 22050


def noise(seed: int, gain: float = 0.1, frames: int = RATE) -> Audio:
    return Audio(gain * torch.randn(2, frames, generator=torch.Generator().manual_seed(seed)), RATE)


def some_stems(seed: int = 0, gain: float = 0.1) -> Stems:
    return {name: noise(seed * 10 + number, gain) for number, name in enumerate(STEMS)}


class Quarters:
    """Gives each stem a quarter of the mix, and counts how often it is asked."""

    name, rate, fingerprint = "quarters", RATE, "quarters-1"

    def __init__(self) -> None:
        self.asked = 0

    def blocks(self, mix: Audio) -> Iterator[Tensor]:
        self.asked += 1
        for block in mix.blocks(5000):
            yield (block / 4).expand(4, -1, -1)


@pytest.mark.parametrize("gain", [1e-4, 0.1, 3.0])
def test_round_trip(tmp_path: Path, gain: float) -> None:
    cache, stems = StemCache(tmp_path), some_stems(gain=gain)
    stems["vocals"] = Audio(torch.zeros(2, RATE), RATE)
    cache.put("key", stems)
    again = cache.get("key")
    assert again is not None
    assert tuple(again) == STEMS
    for name, stem in stems.items():
        error = (again[name].samples - stem.samples).abs().max()
        assert error <= 1e-6 * stem.samples.abs().max()
        assert again[name].rate == RATE


def test_keys_tell_sounds_and_separators_apart() -> None:
    sound = noise(0)
    assert audio_key(sound) == audio_key(noise(0))
    louder = sound.samples.clone()
    louder[1, 77] += 1e-6
    for other in (
        Audio(louder, RATE),
        Audio(sound.samples, 44100),
        Audio(sound.samples[:1], RATE),
        Audio(sound.samples.flip(0), RATE),
        Audio(sound.samples[:, :-1], RATE),
    ):
        assert audio_key(other) != audio_key(sound)
    one, two = Quarters(), Quarters()
    two.fingerprint = "quarters-2"
    assert stem_key(sound, one) != stem_key(sound, two)


def test_a_sound_is_separated_once(tmp_path: Path) -> None:
    cache, separator, told = StemCache(tmp_path), Quarters(), []
    first = separate_cached(noise(0), separator, cache, told.append)
    second = separate_cached(noise(0), separator, cache, told.append)
    assert separator.asked == 1
    assert told[-1] == 1
    for name in STEMS:
        torch.testing.assert_close(first[name].samples, second[name].samples, atol=1e-6, rtol=0)
    separate_cached(noise(1), separator, cache)
    assert separator.asked == 2
    separate_cached(noise(1), separator, None)
    assert separator.asked == 3
    assert len(cache.entries()) == 2


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "facts"])
def test_a_damaged_entry_is_made_again(tmp_path: Path, damage: str) -> None:
    cache, separator = StemCache(tmp_path), Quarters()
    separate_cached(noise(0), separator, cache)
    folder = tmp_path / cache.entries()[0].key
    path = folder / ("stems.json" if damage == "facts" else "bass.flac")
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 16
    path.write_bytes(content[: len(content) // 2] if damage in ("cut", "facts") else content)
    if damage == "remove":
        path.unlink()
    assert cache.get(folder.name) is None
    separate_cached(noise(0), separator, cache)
    separate_cached(noise(0), separator, cache)
    assert separator.asked == 2


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    cache = StemCache(tmp_path)
    for number, key in enumerate("abc"):
        cache.put(key, some_stems(number))
        os.utime(tmp_path / key, (number, number))
    cache.get("a")
    cache.limit_bytes = cache.size_bytes + 1000
    cache.put("d", some_stems(4))
    assert {entry.key for entry in cache.entries()} == {"a", "c", "d"}
    assert cache.size_bytes <= cache.limit_bytes
    assert [entry.used_s for entry in cache.entries()] == sorted(
        (e.used_s for e in cache.entries()), reverse=True
    )


def test_what_is_larger_than_the_cache_pushes_nothing_out(tmp_path: Path) -> None:
    StemCache(tmp_path).put("a", some_stems())
    small = StemCache(tmp_path, limit_bytes=StemCache(tmp_path).size_bytes + 1)
    small.put("b", {name: noise(5, frames=3 * RATE) for name in STEMS})
    assert [entry.key for entry in small.entries()] == ["a"]


def test_clear_leaves_nothing(tmp_path: Path) -> None:
    cache = StemCache(tmp_path)
    cache.put("a", some_stems())
    cache.clear()
    assert cache.entries() == []
    assert cache.size_bytes == 0
    assert list(tmp_path.iterdir()) == []
    assert cache.get("a") is None


def test_a_killed_run_leaves_no_entry_and_is_swept_up(tmp_path: Path) -> None:
    cache = StemCache(tmp_path)
    left = tmp_path / ".a.12345678"
    left.mkdir()
    (left / "drums.flac").write_bytes(b"half")
    assert cache.entries() == []
    os.utime(left, (0, 0))
    cache.put("b", some_stems())
    assert not left.exists()


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    stems = some_stems()

    class Interrupting(dict[str, Audio]):
        def __getitem__(self, name: str) -> Audio:
            if name == "other":
                raise KeyboardInterrupt
            return super().__getitem__(name)

    with pytest.raises(KeyboardInterrupt):
        StemCache(tmp_path).put("a", Interrupting(stems))
    assert list(tmp_path.iterdir()) == []


def test_two_runs_share_it(tmp_path: Path) -> None:
    """Writers, readers and a sweeper at once: whoever finds an entry finds all of it."""
    stems, found, wrong = some_stems(), [], []

    def work(sweeps: bool) -> None:
        cache = StemCache(tmp_path)
        try:
            for _ in range(12):
                cache.put("a", stems)
                if sweeps:
                    cache.clear()
                again = cache.get("a")
                if again is not None:
                    found.append(all((again[n].samples - stems[n].samples).abs().max() < 1e-6 for n in STEMS))
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert found
    assert all(found)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_that_cannot_be_written_caches_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache, separator = StemCache(tmp_path / "file" / "stems"), Quarters()
    separate_cached(noise(0), separator, cache)
    assert cache.entries() == []


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMIX_CACHE", str(tmp_path))
    assert tmp_path in StemCache().root.parents
