"""The separator that comes along, on finished music."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from separation_sounds import level_db

from styletransfer import files
from styletransfer.audio import STEMS
from styletransfer.separation import rest_of, separate
from styletransfer.separation.builtin import Builtin

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(("name", "voice_db"), [("vocal.flac", (-20, 0)), ("electronic.flac", (-120, -20))])
def test_examples(builtin: Builtin, name: str, voice_db: tuple[float, float]) -> None:
    """The stems are the mix; each is there; the voice is where there is one."""
    mix = files.read(EXAMPLES / name).excerpt(5, 15)
    stems = separate(mix, builtin)
    whole = mix.at_rate(44100).with_channels(2).samples
    total = torch.stack([s.samples for s in (*stems.values(), rest_of(mix, stems))]).sum(0)
    assert level_db(total - whole) < -90
    shares_db = {stem: level_db(stems[stem].samples) - level_db(whole) for stem in STEMS}
    assert voice_db[0] < shares_db["vocals"] < voice_db[1], shares_db
    assert all(-30 < shares_db[stem] < 0 for stem in ("drums", "bass", "other")), shares_db
