"""Does memory stay bounded while a long song is taken apart?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from styletransfer import files
from styletransfer.audio import Audio

LIMIT_GB = 1.2
_MEASURED = """
import sys
from styletransfer.cli import app
try:
    app(["separate", sys.argv[1], "-o", sys.argv[2], "--separator", "builtin", "-q"], standalone_mode=False)
finally:
    status = open("/proc/self/status").read().split("VmHWM:")[1].split()
    print(int(status[0]) / 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_ten_minutes_take_no_more_memory_than_is_allowed(songs: dict[str, Path], tmp_path: Path) -> None:
    once = files.read(songs["input"])
    times = round(600 / once.duration_s)
    long = files.write(tmp_path / "long.wav", Audio(once.samples.repeat(1, times), once.rate))
    asked = [sys.executable, "-c", _MEASURED, str(long), str(tmp_path / "stems")]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    assert float(done.stdout.split()[-1]) < LIMIT_GB
