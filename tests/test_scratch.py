"""Long sounds on disk: same values, little memory, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from styletransfer import scratch
from styletransfer.errors import ResourceError


@pytest.fixture
def small_threshold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Everything goes to disk, into an empty folder of its own."""
    monkeypatch.setattr(scratch, "THRESHOLD_BYTES", 0)
    monkeypatch.setenv("AUTOMIX_TMP", str(tmp_path))
    return tmp_path


def test_short_sounds_are_plain_zeros() -> None:
    samples = scratch.allocate(2, 1000)
    assert samples.shape == (2, 1000)
    assert samples.dtype == torch.float32
    assert not samples.any()
    scratch.release(samples)  # does nothing


@pytest.mark.usefixtures("small_threshold")
def test_values_survive_release_and_come_back_through_views() -> None:
    samples = scratch.allocate(2, 100_000)
    assert not samples.any()
    noise = torch.randn(2, 100_000, generator=torch.Generator().manual_seed(0))
    samples[:, :50_000] = noise[:, :50_000]
    scratch.release(samples[1, 1234:])
    samples[:, 50_000:] = noise[:, 50_000:]
    scratch.release(samples)
    assert torch.equal(samples, noise)


def test_nothing_is_left_in_the_folder(small_threshold: Path) -> None:
    samples = scratch.allocate(1, 10_000)
    samples += 1
    assert list(small_threshold.iterdir()) == []
    del samples
    assert len(scratch._mappings) == 0


@pytest.mark.usefixtures("small_threshold")
def test_no_room_is_said_before_anything_is_written() -> None:
    with pytest.raises(ResourceError, match="AUTOMIX_TMP"):
        scratch.allocate(2, 2**45)


def test_a_missing_folder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOMIX_TMP", str(tmp_path / "gone"))
    with pytest.raises(ResourceError, match="gone"):
        scratch.allocate(2, scratch.THRESHOLD_BYTES)


WALK = """
import resource, sys
import torch
from styletransfer import scratch

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
frames, block = 75_000_000, 2**20
samples = scratch.allocate(2, frames)
before = peak()
for start in range(0, frames, block):
    samples[:, start : start + block] = start
    scratch.release(samples)
total = 0.0
for start in range(0, frames, block):
    total += samples[:, start : start + block].double().sum().item()
    scratch.release(samples)
assert total == sum(2.0 * s * min(block, frames - s) for s in range(0, frames, block)), total
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_filling_and_walking_600_mb_takes_little_memory(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WALK],
        capture_output=True,
        text=True,
        env={"AUTOMIX_TMP": str(tmp_path), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 120  # MB
