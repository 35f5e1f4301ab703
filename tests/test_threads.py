"""Work that is spread over threads: all of it, in order, and on one heap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from styletransfer.threads import single, spread

_HEAPS = """
import ctypes, sys
import torch
from styletransfer.threads import spread
torch.set_num_threads(2)
spread(lambda n: float(torch.rand(n).sum()), [1000] * 8)
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


def test_results_come_in_the_order_of_the_items() -> None:
    assert spread(lambda number: number**2, range(20)) == [number**2 for number in range(20)]
    assert spread(abs, []) == []


def test_threads_are_given_back_and_inference_mode_is_kept() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with torch.inference_mode():
            found = spread(lambda _: (torch.get_num_threads(), torch.is_inference_mode_enabled()), range(4))
        assert found == [(1, True)] * 4
        with pytest.raises(ZeroDivisionError), single():
            1 / 0  # noqa: B018
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has several heaps")
def test_threads_share_one_heap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def heaps() -> int:
        path = tmp_path / "heaps.xml"
        subprocess.run([sys.executable, "-c", _HEAPS, str(path)], check=True)
        return path.read_text().count("<heap nr=")

    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    assert heaps() == 1
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert heaps() > 1
