"""Where does each style lie? Embeddings brought down to two dimensions such that neighbours stay together."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from styletransfer.errors import AudioError, UsageError

Floats = NDArray[np.float64]

METHODS = ("tsne", "pca", "umap", "opentsne")
FEWEST = 3
_PERPLEXITY = 20
_NEIGHBOURS = 15


def places_of(vectors: Floats, method: str = "tsne", seed: int = 0) -> Floats:
    """Places (n, 2) of embeddings (n, D).

    tsne      scikit-learn's; `opentsne` is the same idea, faster for thousands (extra `viz`).
    pca       the two directions with the most variance: distances can be read off, crowds can't.
    umap      from the extra `viz`.
    AudioError below three, UsageError for another method or one whose extra isn't installed.

    Source   van der Maaten and Hinton, JMLR 9, 2008; McInnes, Healy and Melville, arXiv 1802.03426;
             Poličar, Stražar and Zupan, J. Stat. Softw. 109(3), 2024.
    """
    if len(vectors) < FEWEST:
        raise AudioError(f"a picture needs at least {FEWEST} sounds, not {len(vectors)}; add some")
    if method not in METHODS:
        raise UsageError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    if not np.ptp(vectors, 0).any():
        return np.zeros((len(vectors), 2))
    method_of = {"tsne": _tsne, "pca": _pca, "umap": _umap, "opentsne": _opentsne}[method]
    found = np.asarray(method_of(vectors.astype(np.float32), seed), dtype=np.float64)
    spread = np.ptp(found, 0).max()
    centred: Floats = (found - (found.min(0) + found.max(0)) / 2) / (spread or 1.0)
    return centred


def check_method(method: str) -> None:
    """UsageError for a method whose extra isn't installed; ask before long work."""
    module = {"umap": "umap", "opentsne": "openTSNE"}.get(method)
    if module is not None and importlib.util.find_spec(module) is None:
        raise _lacking(method)


def clusters_of(vectors: Floats, seed: int = 0) -> list[int]:
    """Which of two to ten groups each vector (n, D) belongs to, from 0; the largest group comes first.

    The number of groups is the one with the best silhouette.

    Source   k-means; Rousseeuw, J. Comput. Appl. Math. 20, 1987.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    best, chosen = -np.inf, np.zeros(len(vectors), dtype=int)
    distinct = len(np.unique(vectors, axis=0))
    for count in range(2, min(10, distinct - 1) + 1):
        labels = KMeans(count, n_init=4, random_state=seed).fit_predict(vectors)
        score = silhouette_score(vectors, labels, sample_size=min(len(vectors), 2000), random_state=seed)
        if score > best:
            best, chosen = score, labels
    order = np.argsort(-np.bincount(chosen), kind="stable")
    return [int(np.flatnonzero(order == label)[0]) for label in chosen]


def _perplexity(count: int) -> float:
    return min(_PERPLEXITY, max(1.0, (count - 1) / 3))


def _tsne(vectors: NDArray[np.float32], seed: int) -> Any:
    from sklearn.manifold import TSNE

    return TSNE(perplexity=_perplexity(len(vectors)), init="pca", random_state=seed).fit_transform(vectors)


def _pca(vectors: NDArray[np.float32], seed: int) -> Any:
    from sklearn.decomposition import PCA

    found = PCA(2, svd_solver="full").fit_transform(vectors)
    return found * np.where(found[np.abs(found).argmax(0), [0, 1]] < 0, -1, 1)  # one sign of the two


def _umap(vectors: NDArray[np.float32], seed: int) -> Any:
    try:
        from umap import UMAP
    except ImportError as error:
        raise _lacking("umap") from error
    neighbours = min(_NEIGHBOURS, len(vectors) - 1)
    init = "spectral" if len(vectors) > 10 else "random"
    return UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1, init=init).fit_transform(vectors)


def _opentsne(vectors: NDArray[np.float32], seed: int) -> Any:
    try:
        from openTSNE import TSNE
    except ImportError as error:
        raise _lacking("opentsne") from error
    return TSNE(perplexity=_perplexity(len(vectors)), random_state=seed, n_jobs=1).fit(vectors)


def _lacking(method: str) -> UsageError:
    return UsageError(f"{method} isn't installed; run: pip install 'automix[viz]', or choose --method tsne")
