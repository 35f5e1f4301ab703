"""Places on a map: neighbours stay neighbours, clusters are found, what isn't installed is told."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from styletransfer.atlas.places import check_method, clusters_of, places_of
from styletransfer.errors import AudioError, UsageError

GROUPS = np.repeat(np.arange(3), 12)
VECTORS = np.eye(3)[GROUPS] + 0.05 * np.random.default_rng(0).normal(size=(36, 3))


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_neighbours_stay_together(method: str) -> None:
    places = places_of(VECTORS, method)
    apart = np.linalg.norm(places[:, None] - places, axis=-1) + 1e9 * np.eye(36)
    assert (GROUPS[apart.argmin(1)] == GROUPS).all()
    assert np.abs(places).max() <= 0.5 + 1e-9
    assert np.array_equal(places, places_of(VECTORS, method))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("method", "module"), [("umap", "umap"), ("opentsne", "openTSNE")])
def test_neighbours_stay_together_with_the_extra(method: str, module: str) -> None:
    pytest.importorskip(module)
    places = places_of(VECTORS, method)
    apart = np.linalg.norm(places[:, None] - places, axis=-1) + 1e9 * np.eye(36)
    assert (GROUPS[apart.argmin(1)] == GROUPS).mean() > 0.95


@pytest.mark.parametrize(("method", "module"), [("umap", "umap"), ("opentsne", "openTSNE")])
def test_without_the_extra_one_sentence_names_it(
    method: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for call in (lambda: check_method(method), lambda: places_of(VECTORS, method)):
        with pytest.raises(UsageError, match=r"automix\[viz\]"):
            call()


def test_clusters_are_found_and_counted() -> None:
    found = np.array(clusters_of(VECTORS))
    assert len(set(found.tolist())) == 3
    assert all(len(set(found[group == GROUPS].tolist())) == 1 for group in range(3))
    uneven = np.concatenate([VECTORS[:4], VECTORS[12:36]])
    assert np.bincount(clusters_of(uneven)).tolist() == [12, 12, 4]


def test_few_and_equal_sounds() -> None:
    with pytest.raises(AudioError, match="at least 3"):
        places_of(VECTORS[:2])
    with pytest.raises(UsageError, match="mood"):
        places_of(VECTORS, "mood")
    assert places_of(VECTORS[:3]).shape == (3, 2)
    assert clusters_of(np.ones((4, 2))) == [0, 0, 0, 0]
    assert np.isfinite(places_of(np.ones((4, 2)), "pca")).all()
