"""One transfer of real music, held against what it gave when it was last looked at.

After a change that is meant to sound different: `python tests/test_golden.py` writes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("golden.json")
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def figures() -> dict[str, float]:
    """Every strength on the console and the main figures of the demo's transfer."""
    from styletransfer import transfer

    document = transfer(EXAMPLES / "input.flac", EXAMPLES / "reference.flac", separator="builtin").document
    assert document.gate is not None
    assert document.after is not None
    found = {
        "distance_input": document.gate.distance_input,
        "distance_kept": document.gate.distance_kept,
        "lufs": document.after.levels.integrated_lufs or 0.0,
        "width_db": document.after.mix.width_db,
        "punch_db": document.after.mix.punch_db,
    }
    strips = document.console.stems() | {"master": document.console.master}
    for strip, settings in strips.items():
        for stage, knobs in settings.items():
            for knob, value in knobs.items():
                if knob.endswith("gain_db") or knob in ("ratio", "width", "balance"):
                    found[f"{strip}.{stage}.{knob}"] = value
    return {name: round(value, 2) for name, value in found.items()}


def test_the_demo_gives_what_it_gave() -> None:
    assert figures() == pytest.approx(json.loads(GOLDEN.read_text(encoding="utf-8")), abs=0.15)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(figures(), indent=1) + "\n", encoding="utf-8")
