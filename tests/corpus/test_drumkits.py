"""A kit plays its drums where they are hit."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch
from corpus_sounds import tone

from styletransfer.corpus import drumkits
from styletransfer.corpus.folder import RATE
from styletransfer.errors import AudioError

_INSTRUMENT = "<instrument><name>{0}</name><volume>1</volume>{1}</instrument>"
_LAYER = "<layer><filename>{0}.wav</filename><min>{1}</min><max>{2}</max><gain>1</gain></layer>"


def a_kit(folder: Path, *names: str) -> Path:
    """A kit of tones: each drum 200 Hz above the one before; the snare has a soft and a hard layer."""
    instruments = ""
    for index, name in enumerate(names):
        for suffix in ("", "-hard"):
            soundfile.write(
                folder / f"{index}{suffix}.wav", tone(200 + 200 * index + 3000 * bool(suffix), 0.5).T, RATE
            )
        layers = _LAYER.format(index, 0, 0.6) + _LAYER.format(f"{index}-hard", 0.6, 1)
        instruments += _INSTRUMENT.format(name, layers if name == "Snare" else _LAYER.format(index, 0, 1))
    (folder / "drumkit.xml").write_text(
        f"<drumkit_info><instrumentList>{instruments}</instrumentList></drumkit_info>"
    )
    return folder


def pitch(samples: torch.Tensor) -> float:
    return float(torch.fft.rfft(samples.mean(0)).abs().argmax()) * RATE / samples.shape[1]


def test_hits_sound_where_they_are_and_as_what_they_are(tmp_path: Path) -> None:
    kit = drumkits.read_kit(a_kit(tmp_path, "Kick", "Snare", "Closed HH"))
    hits = [(0.0, 36, 100), (1.0, 38, 40), (2.0, 38, 120), (3.0, 42, 100)]
    sound = drumkits.render(kit, hits, 4.0, torch.Generator().manual_seed(0))
    heard = [pitch(sound[:, second * RATE : second * RATE + RATE // 2]) for second in range(4)]
    assert heard == pytest.approx([200, 400, 3400, 600], abs=5)
    assert sound[:, RATE * 6 // 10 : RATE].abs().max() == 0


def test_a_harder_hit_is_louder_and_the_next_hat_ends_the_last(tmp_path: Path) -> None:
    kit = drumkits.read_kit(a_kit(tmp_path, "Kick", "Snare", "Closed HH", "Open HH"))
    sound = drumkits.render(kit, [(0.0, 36, 40), (1.0, 36, 120)], 2.0, torch.Generator())
    assert sound[:, RATE:].abs().max() > 3 * sound[:, :RATE].abs().max()
    choked = drumkits.render(kit, [(0.0, 46, 100), (0.2, 42, 1)], 1.0, torch.Generator())
    assert choked[:, : RATE // 5].abs().max() > 0.05
    assert choked[:, RATE // 4 :].abs().max() < 0.01


def test_a_kit_without_a_snare_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no kick, snare"):
        drumkits.read_kit(a_kit(tmp_path, "Kick", "Closed HH"))
    with pytest.raises(AudioError, match="can't be read"):
        drumkits.read_kit(tmp_path / "nowhere")
