"""Nothing that sounds in one split sounds in another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from corpus_sounds import meta, three_splits, tone

from styletransfer.corpus import material
from styletransfer.corpus.folder import Corpus, write_song
from styletransfer.corpus.split import FAMILIES, leaks, split_of


def test_shares_are_eighty_ten_ten_and_never_change() -> None:
    shares = Counter(split_of(f"piece:{index}") for index in range(4000))
    assert 0.77 < shares["train"] / 4000 < 0.83
    assert 0.08 < shares["validation"] / 4000 < 0.12
    assert [split_of(name) for name in ("piece:0", "piece:6", "modules:gltron")] == [
        "train",
        "train",
        "train",
    ]


def test_banks_and_kits_of_a_family_are_in_one_split_and_each_split_has_some() -> None:
    split = {f"bank:{bank.name}": bank.split for bank in material.BANKS}
    split |= {f"kit:{kit.name}": kit.split for kit in material.KITS}
    assert all(split[name] == split[origin] for name, origin in FAMILIES.items())
    assert {bank.split for bank in material.BANKS} == {kit.split for kit in material.KITS}
    assert len({kit.split for kit in material.KITS}) == 3


def test_no_evaluation_song_can_enter() -> None:
    from styletransfer.evaluation.songs import SET_NAMES, song_set

    taken = {song.package for name in SET_NAMES for song in song_set(name).songs.values()}
    used = {*material.MIDI_PACKAGES, *material.MODULE_PACKAGES}
    assert not used & taken


def test_leaks_are_found_by_piece_by_source_and_by_family(tmp_path: Path) -> None:
    three_splits(tmp_path)
    assert leaks(Corpus(tmp_path).songs()) == []
    write_song(tmp_path, {"drums": tone(100)}, meta("x", split="test", piece="piece-song-train"))
    write_song(tmp_path, {"drums": tone(100)}, meta("y", split="train", sources=["bank:fluid-r3"]))
    write_song(tmp_path, {"drums": tone(100)}, meta("z", split="test", sources=["bank:musescore-general"]))
    found = leaks(Corpus(tmp_path).songs())
    assert found == ["bank:fluid-r3: test, train", "piece:piece-song-train: test, train"]
