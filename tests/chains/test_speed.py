"""Chains are quick enough to render hours of training material."""

from __future__ import annotations

import time

import pytest
import torch
from chain_sounds import RATE, music

from styletransfer.chains import PUBLISHED, draw


@pytest.mark.slow
def test_eight_excerpts_of_five_seconds_per_second() -> None:
    """On two threads; processor time is counted, so that a busy machine fails nobody."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    samples = music(5.0)[torch.arange(16) % 3]
    generator = torch.Generator().manual_seed(1)
    draw(generator, 16, "other", PUBLISHED).apply(samples, RATE)
    wall, busy = time.perf_counter(), time.process_time()
    for _ in range(4):
        draw(generator, 16, "other", PUBLISHED).apply(samples, RATE)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    torch.set_num_threads(threads)
    print(f"{64 / wall:.1f} excerpts of 5 s per second, {64 / busy:.1f} per second of one processor")
    assert 64 / max(busy / 2, min(wall, busy)) > 8
