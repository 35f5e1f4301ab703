"""Does some dimension of the embedding tell chains apart, and no other factor? DCIMIG and DCI explicitness.

The factors are the chain and the piece of each excerpt. What the published definitions imply, so that
figures aren't misread:

- DCIMIG gives each dimension to the factor that it tells most of, by the gap to the other factor, and
  divides the best gaps of all factors by the sum of their entropies. An embedding that holds nothing of
  the piece, as one of style should, reaches at most H(chain) / (H(chain) + H(piece)): `ceiling`. So the
  chain's own part, its best gap over its own entropy, stands beside the whole.
- The published code measures explicitness on the excerpts that the forest was fitted to, where 10 trees
  reach about .8 on noise. So accuracy on pieces that the forest hasn't seen stands beside it.

Sources   DCIMIG: Sepliarskaia et al., arXiv:1910.05587, 2019 (there 3CharM). DCI: Eastwood and Williams,
ICLR 2018. Both as surveyed by Carbonneau et al., arXiv:2012.09276, which Koo et al., ICASSP 2023, cite:
ten equally wide bins per dimension, random forests of ten trees chosen by cross-validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict, cross_val_score

from styletransfer.evaluation.statistics import Estimate

from .intervals import Floats, Ints, jackknife, mean_by_piece, mean_estimate

BINS = 10
_TREES = 10
_FOLDS = 5
_DEPTHS = (8, 32)
_FEATURE_SHARES = (0.2, 0.8)


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """DCIMIG and its parts.

    dcimig   of both factors, 0 to 1, as published.
    chain    the chain's best gap over the chain's entropy; `piece` likewise.
    ceiling  the highest `dcimig` of an embedding that holds nothing of the piece.
    left_out (pieces,) `dcimig` without each piece.
    """

    dcimig: Estimate
    chain: Estimate
    piece: Estimate
    ceiling: float
    left_out: Floats

    def lead_over(self, other: Gaps) -> Estimate:
        """How far `dcimig` is above another system's on the same excerpts; the interval leaves pieces out."""
        return jackknife(self.dcimig.value - other.dcimig.value, self.left_out - other.left_out)

    @classmethod
    def mean(cls, each: Sequence[Gaps]) -> Gaps:
        """Over grids of the same pieces."""
        return cls(
            mean_estimate([one.dcimig for one in each]),
            mean_estimate([one.chain for one in each]),
            mean_estimate([one.piece for one in each]),
            float(np.mean([one.ceiling for one in each])),
            np.mean([one.left_out for one in each], 0),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Explicitness:
    """DCI explicitness by random forests.

    fitted       mean over both factors of 1 − 12·MSE (ids scaled to 0…1, at least 0), on the excerpts that
                 the forests were fitted to: as published.
    chain        the chain's part of it; `piece` likewise.
    held_out     a forest's accuracy in naming the chain on pieces it hasn't seen, rescaled so that guessing
                 is 0 and always right is 1.
    errors       (excerpts,) 12 times the squared error, the mean over both factors, of the excerpts of
                 `pieces` (excerpts,): 1 − its mean is `fitted`, where neither part is below 0.
    """

    fitted: float
    chain: float
    piece: float
    held_out: Estimate
    errors: Floats
    pieces: Ints

    def lead_over(self, other: Explicitness) -> Estimate:
        """How far it is above another system's on the same excerpts; the interval draws pieces again.

        Where a part of `fitted` is clamped to 0, it isn't here.
        """
        return mean_by_piece(other.errors - self.errors, self.pieces)

    @classmethod
    def mean(cls, each: Sequence[Explicitness]) -> Explicitness:
        """Over grids of the same pieces."""
        return cls(
            float(np.mean([one.fitted for one in each])),
            float(np.mean([one.chain for one in each])),
            float(np.mean([one.piece for one in each])),
            mean_estimate([one.held_out for one in each]),
            np.concatenate([one.errors for one in each]),
            np.concatenate([one.pieces for one in each]),
        )


def gaps(vectors: Floats, chains: Ints, pieces: Ints) -> Gaps:
    """DCIMIG of embeddings (n, D) of excerpts with known chain and piece (n,); intervals leave pieces out."""
    whole = _gaps(vectors, chains, pieces)
    left_out = [
        _gaps(vectors[kept], chains[kept], pieces[kept])
        for piece in np.unique(pieces)
        if len(np.unique(pieces[kept := pieces != piece])) > 1
    ]
    parts = np.array(left_out).reshape(-1, 3)
    both, chain, piece = (jackknife(value, parts[:, column]) for column, value in enumerate(whole))
    chain_entropy, piece_entropy = _entropy(chains), _entropy(pieces)
    return Gaps(both, chain, piece, chain_entropy / (chain_entropy + piece_entropy), parts[:, 0])


def explicitness(vectors: Floats, chains: Ints, pieces: Ints, seed: int = 0) -> Explicitness:
    """DCI explicitness of embeddings (n, D) of excerpts with known chain and piece (n,) as 0, 1, …"""
    errors = [12 * _squared_errors(vectors, factor, seed) for factor in (chains, pieces)]
    chain, piece = (max(0.0, 1 - float(each.mean())) for each in errors)
    forest = RandomForestClassifier(200, random_state=seed)
    folds = GroupKFold(min(_FOLDS, len(np.unique(pieces))))
    named = cross_val_predict(forest, vectors, chains, groups=pieces, cv=folds)
    guess = 1 / len(np.unique(chains))
    return Explicitness(
        fitted=(chain + piece) / 2,
        chain=chain,
        piece=piece,
        held_out=mean_by_piece(((named == chains) - guess) / (1 - guess), pieces),
        errors=np.mean(errors, 0),
        pieces=pieces,
    )


def mutual_information(codes: Ints, factor: Ints) -> Floats:
    """Mutual information in nats of each column of `codes` (n, D), 0 to BINS − 1, and a factor (n,)."""
    _, factor = np.unique(factor, return_inverse=True)
    count, kinds = len(factor), int(factor.max()) + 1
    joint = np.zeros((codes.shape[1], kinds, BINS))
    dimensions = np.broadcast_to(np.arange(codes.shape[1]), codes.shape)
    np.add.at(joint, (dimensions, factor[:, None], codes), 1 / count)
    apart = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)
    ratio = np.divide(joint, apart, out=np.ones_like(joint), where=joint > 0)
    return np.asarray((joint * np.log(ratio)).sum((1, 2)))


def binned(vectors: Floats) -> Ints:
    """Each dimension's value in one of BINS equally wide bins between its least and highest."""
    low, high = vectors.min(0), vectors.max(0)
    scaled = (vectors - low) / np.where(high > low, high - low, 1.0)
    return np.asarray(np.minimum((scaled * BINS).astype(np.int64), BINS - 1))


def _gaps(vectors: Floats, chains: Ints, pieces: Ints) -> tuple[float, float, float]:
    codes = binned(vectors)
    of_chain, of_piece = mutual_information(codes, chains), mutual_information(codes, pieces)
    chain = float(np.maximum(of_chain - of_piece, 0).max())
    piece = float(np.maximum(of_piece - of_chain, 0).max())
    chain_entropy, piece_entropy = _entropy(chains), _entropy(pieces)
    return (chain + piece) / (chain_entropy + piece_entropy), chain / chain_entropy, piece / piece_entropy


def _entropy(factor: Ints) -> float:
    share = np.unique(factor, return_counts=True)[1] / len(factor)
    return float(-(share * np.log(share)).sum())


def _squared_errors(vectors: Floats, factor: Ints, seed: int) -> Floats:
    _, number = np.unique(factor, return_inverse=True)
    target = number / number.max()
    folds = KFold(_FOLDS, shuffle=True, random_state=seed)

    def forest(depth: int, share: float) -> RandomForestRegressor:
        return RandomForestRegressor(_TREES, max_depth=depth, max_features=share, random_state=seed)

    def error(depth: int, share: float) -> float:
        score = cross_val_score(
            forest(depth, share), vectors, target, cv=folds, scoring="neg_mean_squared_error"
        )
        return float(-score.mean())

    depth, share = min(((d, s) for d in _DEPTHS for s in _FEATURE_SHARES), key=lambda pair: error(*pair))
    predicted = forest(depth, share).fit(vectors, target).predict(vectors)
    return np.asarray(np.square(predicted - target))
