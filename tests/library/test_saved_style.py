"""A kept style: all of the reference survives its file, none of its sound, and nothing wrong comes in."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from library_sounds import Shares, encoder, listener, noise, style

from styletransfer import reference, transfer
from styletransfer.audio import STEMS, Audio
from styletransfer.clock import Clock
from styletransfer.encoder.measures import Measures
from styletransfer.errors import ConfigError, UsageError
from styletransfer.hearing import hear
from styletransfer.library import PARTS, Listener, SavedStyle, load_style, mixed, save_style
from styletransfer.library.style_file import LARGEST_BYTES, pack, unpack


def same_measures(ours: Measures, theirs: Measures) -> bool:
    return all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
        for a, b in ((getattr(ours, f.name), getattr(theirs, f.name)) for f in fields(Measures))
    )


def test_a_file_brings_everything_back(tmp_path: Path) -> None:
    kept = listener().hear(noise(1), title="warm", tags=["b", "a", "b"])
    found = load_style(save_style(tmp_path / "warm.style.safetensors", kept))
    assert (found.title, found.tags, found.separator) == ("warm", ("a", "b"), kept.separator)
    assert found.reference.loudness == kept.reference.loudness
    assert found.reference.sources == kept.reference.sources
    assert found.key == kept.key
    assert found.song.encoder == kept.song.encoder
    for part in PARTS:
        (ours, our_measures), (theirs, their_measures) = kept.part(part), found.part(part)
        assert torch.equal(ours.embedding, theirs.embedding)
        assert same_measures(our_measures, their_measures)
    for name in STEMS:
        ours, theirs = (one.reference.confidences[name] for one in (kept, found))
        assert torch.equal(ours.over_time, theirs.over_time)
        assert ours.mean == theirs.mean


def test_a_file_holds_no_sound() -> None:
    """Nothing in it grows with the song but a few numbers per second of confidence."""
    short, long = (len(pack(listener().hear(noise(0, duration_s)))) for duration_s in (2.0, 10.0))
    assert long - short < 8 * 4 * 5 * 4 * 2  # 8 s more, 4 stems, 5 numbers of 4 bytes; twice that
    assert short < 40_000


def test_equal_styles_make_equal_files() -> None:
    assert pack(style(3)) == pack(style(3))


def edited(content: bytes, **changes: object) -> bytes:
    """A style's file with another header, or other tensors."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["automix"])
    tensors = safetensors.torch.load(content)
    tensors |= {key: value for key, value in changes.items() if isinstance(value, torch.Tensor)}
    header |= {key: value for key, value in changes.items() if not isinstance(value, torch.Tensor)}
    return safetensors.torch.save(tensors, {"automix": json.dumps(header)})


def test_what_is_no_style_is_refused_in_one_sentence(tmp_path: Path) -> None:
    good = pack(style(0))
    generator = np.random.default_rng(0)
    wrong = {
        "empty": b"",
        "text": b"no style",
        "noise": generator.bytes(5000),
        "cut": good[: len(good) // 2],
        "long header": (2**62).to_bytes(8, "little") + good[8:],
        "kind": edited(good, kind="styles"),
        "format": edited(good, format=2),
        "tags": edited(good, tags=7),
        "no source": edited(good, sources=[]),
        "strange source": edited(good, sources=[{"name": 1}]),
        "auto": edited(good, separator={"name": "auto", "fingerprint": ""}),
        "short": edited(good, **{"mix.mid_db": torch.zeros(3)}),
        "not a number": edited(good, **{"mix.figures": torch.full((8,), math.nan)}),
        "integers": edited(good, **{"mix.learned": torch.zeros(16, dtype=torch.int64)}),
        "two sizes": edited(
            good, **{"drums.learned": torch.zeros(9), "drums.learned_spread": torch.zeros(9)}
        ),
        "loudness": edited(good, loudness=torch.full((3,), math.nan)),
        "large": good + bytes(LARGEST_BYTES),
    }
    for name, content in wrong.items():
        path = tmp_path / f"{name}.style.safetensors"
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="holds no style") as caught:
            load_style(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="can't be read"):
        load_style(tmp_path / "none.style.safetensors")


def test_any_flipped_byte_is_told_or_harmless() -> None:
    good = pack(style(0))
    generator = np.random.default_rng(1)
    for position in generator.integers(0, len(good), 300):
        bad = bytearray(good)
        bad[position] ^= 0xFF
        try:
            unpack(bytes(bad), "a file")
        except ConfigError:
            continue


def test_titles_from_outside_are_harmless() -> None:
    content = edited(pack(style(0)), title="\x1b[2J\x1b]0;x\x07a\nb\u202e", tags=["\x1b[31m", " "])
    found = unpack(content, "a file")
    assert found.title == "�[2J�]0;x�a b�"
    assert found.tags == ("�[31m",)
    assert SavedStyle("\n", (), found.separator, found.reference).title == "untitled"


def test_another_encoders_style_is_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match="heard by encoder 00000000, and this is 00000001"):
        style(0).heard_by("00000001")
    other = Listener(encoder(1), Shares(), None).hear(noise(1))
    with pytest.raises(ConfigError, match="save it again"):
        mixed([style(0), other])
    other = Listener(encoder(0), Shares((0.1, 0.2, 0.3, 0.4)), None).hear(noise(1))
    with pytest.raises(ConfigError, match="--separator"):
        mixed([style(0), other])


def test_a_mix_of_styles_lies_between_them(tmp_path: Path) -> None:
    dark, bright = style(0, tilt=2.0), style(1, tilt=0.0)
    between = load_style(save_style(tmp_path / "m.style.safetensors", mixed([dark, bright], [0.5, 0.5])))
    assert between.title == "song 0 + song 1"
    assert [source.weight for source in between.reference.sources] == [0.5, 0.5]
    tones = [
        one.reference.measures.mix.mid_db - one.reference.measures.mix.loudness_lufs
        for one in (dark, between, bright)
    ]
    assert float((tones[1] - (tones[0] + tones[2]) / 2).std()) < 0.5
    assert all(one.key != between.key for one in (dark, bright))
    alone = mixed([dark, bright], [1.0, 0.0])
    assert torch.equal(alone.song.mix.embedding, dark.song.mix.embedding)
    with pytest.raises(UsageError, match="weight"):
        mixed([dark, bright], [1.0])


def test_stems_from_several_songs_survive(tmp_path: Path) -> None:
    one, other = style(0), style(1, tilt=2.0)
    taken = reference.with_stems(one.reference, {"drums": other.reference})
    kept = SavedStyle("both", (), one.separator, taken)
    found = load_style(save_style(tmp_path / "b.style.safetensors", kept))
    ours, theirs = (style.reference.measures for style in (kept, found))
    assert same_measures(ours.mix_of("drums"), theirs.mix_of("drums"))
    assert same_measures(ours.stems["drums"], other.reference.measures.stems["drums"])
    assert [source.stem for source in found.reference.sources] == [None, "drums"]


def test_a_transfer_by_style_equals_one_by_song(songs: dict[str, Path], tmp_path: Path) -> None:
    """On music, with the separator that ships, to -80 dB, but for the polish that needs the song's sound."""
    kept = Listener.of(separator="builtin").hear(songs["reference"])
    found = load_style(save_style(tmp_path / "r.style.safetensors", kept))
    by_song = transfer(songs["input"], songs["reference"], separator="builtin", polish=False)
    by_style = transfer(songs["input"], found.reference, separator="builtin")
    difference = by_song.mix.samples - by_style.mix.samples
    level_db = 10 * torch.log10(difference.square().mean() / by_song.mix.samples.square().mean() + 1e-30)
    assert not by_song.unchanged
    assert float(level_db) < -80
    assert by_style.document.references == by_song.document.references
    assert by_style.reference is None


def test_stems_of_another_separator_are_warned_of() -> None:
    other = Listener(encoder(0), Shares((0.1, 0.2, 0.3, 0.4)), None).hear(noise(1))
    for references in ([other.reference], [style(2).reference, other.reference]):
        done = transfer(
            (noise(3).samples, 44_100), references, separator=Shares(), gate=False, converter="closed"
        )
        (told,) = [warning for warning in done.warnings if warning.code == "style-separator"]
        assert "matched too" in told.message
    done = transfer((noise(3).samples, 44_100), style(2).reference, separator=Shares(), converter="closed")
    assert "style-separator" not in {warning.code for warning in done.warnings}


def test_a_converter_refuses_another_encoders_style() -> None:
    with pytest.raises(ConfigError, match="heard by encoder 00000000, and the converter needs 00000001"):
        hear(
            (noise(3).samples, 44_100),
            [style(0).reference],
            {},
            Shares(),
            stems_in=None,
            reference_stems=None,
            in_range=None,
            reference_range=None,
            preview_s=None,
            confident=False,
            encoder=encoder(1),
            cache=None,
            clock=Clock(lambda stage, fraction: None),
        )


def test_a_passage_is_heard_alone() -> None:
    loud, soft = noise(0), noise(1)
    both = Audio(torch.cat([loud.samples, 0.01 * soft.samples], 1), loud.rate)
    whole, part = listener().hear(both), listener().hear(both, range_s=(2.0, 4.0))
    assert part.reference.loudness.integrated_lufs < whole.reference.loudness.integrated_lufs - 30
    assert part.key != whole.key
    assert part.sound is None
    assert whole.sound is not None
    with pytest.raises(UsageError, match="passage"):
        listener().hear(both, range_s=(9.0, 12.0))
