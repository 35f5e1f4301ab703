"""Searching: what is nearest comes first, by hand or by graph, whatever came and went."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from library_sounds import RATE, listener, noise, style

from styletransfer.audio import Audio
from styletransfer.errors import ConfigError, UsageError
from styletransfer.library import Library, neighbours, search, searching
from styletransfer.library.neighbours import Neighbours
from styletransfer.library.scale import Draw, measure_library, table
from styletransfer.library.searching import nearest, nearest_by_graph

ENCODER, PART = "drawn", "mix"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.sqlite")


def test_the_nearest_style_comes_first_and_is_told_apart(library: Library) -> None:
    for seed, tilt in enumerate((0.0, 1.0, 2.0, 3.0)):
        library.add(style(seed, f"tilt {tilt:.0f}", tilt=tilt))
    asked = listener().hear(noise(9, tilt=1.2), title="asked")
    found = search(library, asked)
    assert found[0].entry.title == "tilt 1"
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    assert all(0 <= one.distance <= 2 for one in found)
    brightest = next(one for one in found if one.entry.title == "tilt 0")
    assert "brighter" in brightest.words
    assert len(search(library, asked, most=2)) == 2


def test_a_kept_style_does_not_find_itself(library: Library) -> None:
    for seed in range(3):
        library.add(style(seed))
    found = search(library, style(1), most=2)
    assert sorted(one.entry.title for one in found) == ["song 0", "song 2"]


def test_a_stem_is_searched_by_itself(library: Library) -> None:
    """The same mixes, of which one has other drums: by drums it is the farthest."""
    ears = listener()

    def song(seed: int, drums_tilt: float) -> dict[str, Audio]:
        return {
            name: noise(10 * seed + n, tilt=drums_tilt if name == "drums" else 1.0)
            for n, name in enumerate(("drums", "bass", "other", "vocals"))
        }

    def heard(seed: int, drums_tilt: float, title: str, folder: Path) -> None:
        folder.mkdir()
        stems = song(seed, drums_tilt)
        for name, stem in stems.items():
            stem.write(folder / f"{name}.wav", "FLOAT")
        mix = Audio(torch.stack([stem.samples for stem in stems.values()]).sum(0), RATE)
        library.add(ears.hear(mix, title=title, stems_from=folder))

    root = library.path.parent
    for seed, (tilt, title) in enumerate(((1.0, "alike"), (1.1, "alike too"), (4.0, "other drums"))):
        heard(seed, tilt, title, root / str(seed))
    found = search(library, library.get(library.find("alike").number), "drums")
    assert [one.entry.title for one in found] == ["alike too", "other drums"]
    assert found[0].distance < 0.5 * found[1].distance


def test_nothing_to_search_is_told(library: Library) -> None:
    asked = style(0)
    with pytest.raises(UsageError, match="is empty"):
        search(library, asked)
    library.fill("ffffffff", "mix", np.ones((1, 4), dtype=np.float32))
    with pytest.raises(ConfigError, match="heard by encoder ffffffff, and this is 00000000"):
        search(library, asked)
    library.fill("00000000", "drums", np.ones((1, 4), dtype=np.float32))
    with pytest.raises(UsageError, match=r"no style in .* has mix"):
        search(library, asked)
    with pytest.raises(UsageError, match="tambourine"):
        search(library, asked, "tambourine")
    silent = listener().hear(noise(0))
    object.__setattr__(silent.song.stems["drums"], "loudness_lufs", -70.0)
    with pytest.raises(UsageError, match="no drums"):
        search(library, silent, "drums")


def filled(library: Library, rows: int, seed: int = 0) -> tuple[Draw, np.ndarray]:  # type: ignore[type-arg]
    draw = Draw("styles", np.random.default_rng(seed))
    vectors = draw(rows)
    library.fill(ENCODER, PART, vectors)
    return draw, vectors


def test_searching_all_is_exact(library: Library) -> None:
    draw, vectors = filled(library, 9000)  # more than one block
    for query in draw(5):
        found = nearest(library, PART, ENCODER, query, 10)
        scores = vectors.astype(np.float16).astype(np.float32) @ query
        assert [number - 1 for number, _ in found] == np.argsort(-scores)[:10].tolist()
        assert [distance for _, distance in found] == pytest.approx((1 - np.sort(scores)[::-1][:10]).tolist())


needs_usearch = pytest.mark.skipif(not neighbours.available(), reason="usearch is not here")


@needs_usearch
def test_the_graph_finds_what_is_nearest_and_keeps_up(library: Library) -> None:
    draw, _ = filled(library, 3000)
    queries = draw(20)

    def recall(graph: Neighbours) -> float:
        hits = 0
        for query in queries:
            true = {number for number, _ in nearest(library, PART, ENCODER, query, 10)}
            hits += len(true & {n for n, _ in nearest_by_graph(library, graph, PART, ENCODER, query, 10)})
        return hits / (10 * len(queries))

    first = Neighbours(library, PART, ENCODER)
    assert recall(first) >= 0.95
    library.fill(ENCODER, PART, draw(200))  # a few: searched beside the graph
    assert recall(Neighbours(library, PART, ENCODER)) >= 0.95
    assert Neighbours(library, PART, ENCODER).last == 3000
    library.fill(ENCODER, PART, draw(1500))  # many: the graph grows
    grown = Neighbours(library, PART, ENCODER)
    assert (grown.last, recall(grown) >= 0.95) == (4700, True)
    library.remove(range(1, 400))  # a few: passed over
    few = Neighbours(library, PART, ENCODER)
    assert (few.last, recall(few) >= 0.9) == (4700, True)
    library.remove(range(400, 3000))  # many: built anew
    assert recall(Neighbours(library, PART, ENCODER)) >= 0.95
    assert len(list(library.path.parent.glob("*.ann"))) == 1


@needs_usearch
def test_a_damaged_graph_is_built_again(library: Library) -> None:
    draw, _ = filled(library, 500)
    Neighbours(library, PART, ENCODER)
    (path,) = library.path.parent.glob("*.ann")
    path.write_bytes(b"nothing")
    graph = Neighbours(library, PART, ENCODER)
    query = draw(1)[0]
    assert nearest_by_graph(library, graph, PART, ENCODER, query, 1) == nearest(
        library, PART, ENCODER, query, 1
    )


@needs_usearch
def test_large_libraries_ask_the_graph(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(4):
        library.add(style(seed))
    by_hand = [one.entry.title for one in search(library, style(0))]
    monkeypatch.setattr(searching, "MANY_ROWS", 3)
    assert [one.entry.title for one in search(library, style(0))] == by_hand
    assert list(library.path.parent.glob("*.ann"))


def test_without_usearch_one_sentence_names_the_extra(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(library, 10)
    monkeypatch.setitem(sys.modules, "usearch", None)
    with pytest.raises(UsageError, match=r"automix\[ann\]"):
        Neighbours(library, PART, ENCODER)


@needs_usearch
def test_the_study_measures_what_it_says(tmp_path: Path) -> None:
    found = measure_library("styles", 2000, 20, tmp_path)
    assert found.recall >= 0.95
    assert found.warm_ms > 0
    assert len(list(table([found]))) == 3


@pytest.mark.parametrize(("kind", "most"), [("styles", 14.0), ("spread", 80.0), ("noise", 600.0)])
def test_drawn_vectors_are_as_the_study_says(kind: str, most: float) -> None:
    vectors = Draw(kind, np.random.default_rng(0))(2400)
    share = np.linalg.eigvalsh(np.cov(vectors.T))
    ratio = share.sum() ** 2 / np.square(share).sum()
    near = vectors @ vectors.T - 2 * np.eye(len(vectors))
    assert 0.6 * most < ratio < most
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    if kind == "styles":
        assert 0.7 < np.median(near.max(1)) < 0.9
